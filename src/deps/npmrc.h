/* SPDX-License-Identifier: MIT */
/*
 * npmrc: the settings in a project's .npmrc.
 */
#ifndef DRYDOCK_NPMRC_H
#define DRYDOCK_NPMRC_H

#include <stddef.h>

struct strbuf;

#define NPMRC_MAX_SIZE ((size_t)1024 * 1024)

/*
 * Appends to ret_why what makes npm ignore package-lock.json, and with it the
 * redirects, or install nothing in the project, where the original may be: the
 * settings "package-lock" and its other name "shrinkwrap", "dry-run",
 * "package-lock-only", "global", "location", "workspace" and "workspaces";
 * "userconfig" and "globalconfig", which name a file with more settings, and
 * "prefix", below which npm has such a file.  A section "[dry-run]" sets
 * "dry-run", too.  A key that npm computes (escapes, ${NAME}) could be any key,
 * and is told.  Nothing is appended if there is no such setting.
 */
void npmrc_judge(const char *text, size_t len, struct strbuf *ret_why);

#endif /* DRYDOCK_NPMRC_H */
