/* SPDX-License-Identifier: MIT */
/*
 * cargopatch: patches of crates.  A block in Cargo.toml (cargomanifest.h) and
 * an entry without source in Cargo.lock (cargoredirect.h) lead cargo to the
 * copy.
 */
#ifndef DRYDOCK_CARGOPATCH_H
#define DRYDOCK_CARGOPATCH_H

#include "deps/ecosystem.h"

extern const struct ecosystem cargopatch;

#endif /* DRYDOCK_CARGOPATCH_H */
