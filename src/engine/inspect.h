/* SPDX-License-Identifier: MIT */
/* inspect: parses the parts that container and image answers have in common. */
#ifndef DRYDOCK_INSPECT_H
#define DRYDOCK_INSPECT_H

#include <stdbool.h>

struct json;
struct strvec;

/*
 * Both append to out.  null or an absent value is an empty list.  They return
 * false if a value is not a string.  Labels are appended as NAME=VALUE.
 */
bool inspect_strings(const struct json *array, struct strvec *out);
bool inspect_labels(const struct json *object, struct strvec *out);

#endif /* DRYDOCK_INSPECT_H */
