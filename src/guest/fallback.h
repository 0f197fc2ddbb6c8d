/* SPDX-License-Identifier: MIT */
/*
 * fallback: variables of the caller's that name what the image may not have.
 */
#ifndef DRYDOCK_FALLBACK_H
#define DRYDOCK_FALLBACK_H

struct strvec;

/*
 * Replaces, in NAME=VALUE strings, a terminal without a terminfo entry by
 * xterm-256color, and a locale that is not installed by C.UTF-8; drops a time
 * zone without a file.
 */
void fallback_apply(struct strvec *env);

#endif /* DRYDOCK_FALLBACK_H */
