/* SPDX-License-Identifier: MIT */
/* inspect: reads lists of strings and labels from the engine's JSON. */
#include "engine/inspect.h"

#include "base/json.h"
#include "base/strvec.h"

static bool
absent(const struct json *n)
{
	return n == NULL || json_is_null(n);
}

bool
inspect_strings(const struct json *array, struct strvec *out)
{
	if (absent(array))
		return true;
	if (!json_is_array(array))
		return false;
	for (size_t i = 0; i < json_len(array); i++) {
		const char *s = json_string(json_at(array, i));

		if (s == NULL)
			return false;
		strvec_push(out, s);
	}
	return true;
}

bool
inspect_labels(const struct json *object, struct strvec *out)
{
	if (absent(object))
		return true;
	if (!json_is_object(object))
		return false;
	for (size_t i = 0; i < json_len(object); i++) {
		const char *value = json_string(json_value_at(object, i));

		if (value == NULL)
			return false;
		strvec_pushf(out, "%s=%s", json_key_at(object, i), value);
	}
	return true;
}
