/* SPDX-License-Identifier: MIT */
/* fallback: corrects variables of the caller that the image may not support. */
#ifndef DRYDOCK_FALLBACK_H
#define DRYDOCK_FALLBACK_H

struct strvec;

/*
 * Changes NAME=VALUE strings: a terminal without a terminfo entry becomes
 * xterm-256color, a locale that is not installed becomes C.UTF-8, and a time
 * zone without a file becomes UTC0.
 */
void fallback_apply(struct strvec *env);

#endif /* DRYDOCK_FALLBACK_H */
