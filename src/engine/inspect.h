/* SPDX-License-Identifier: MIT */
/*
 * inspect: what the engine's answers about containers and images have in
 * common.
 */
#ifndef DRYDOCK_INSPECT_H
#define DRYDOCK_INSPECT_H

#include <stdbool.h>

struct json;
struct strvec;

/* Append; null and absent are empty, anything but strings is false. */
bool inspect_strings(const struct json *array, struct strvec *out);
bool inspect_labels(const struct json *object, struct strvec *out);

#endif /* DRYDOCK_INSPECT_H */
