/* SPDX-License-Identifier: MIT */
/*
 * npmpatch: patches of npm packages.  Values in package.json and
 * package-lock.json (npmredirect.h) lead npm to the copy, which has one file:
 * the tarball of the patched package (npmpackage.h).
 */
#ifndef DRYDOCK_NPMPATCH_H
#define DRYDOCK_NPMPATCH_H

#include "deps/ecosystem.h"

extern const struct ecosystem npmpatch;

#endif /* DRYDOCK_NPMPATCH_H */
