/* SPDX-License-Identifier: MIT */
/* hostname: checks the labels of a name. */
#include "base/hostname.h"

#include <stdbool.h>
#include <string.h>

enum {
	NAME_MAX_LEN = 253, /* RFC 1035 2.3.4, without the root's dot */
	LABEL_MAX_LEN = 63,
};

/* Returns true if some parser reads the label as a number: 127, 0x7f. */
static bool
label_is_number(const char *label, size_t len)
{
	return strspn(label, "0123456789") == len ||
	    (strncmp(label, "0x", 2) == 0 &&
		strspn(label + 2, "0123456789abcdef") == len - 2);
}

static const char *
label_problem(const char *label, size_t len)
{
	if (len == 0)
		return "has an empty label";
	if (len > LABEL_MAX_LEN)
		return "has a label of more than 63 characters";
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a label that starts or ends with a hyphen";
	if (strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") < len)
		return "is not a host name (letters, digits, hyphens and dots)";
	return NULL;
}

const char *
hostname_problem(const char *name)
{
	const char *label = name;

	if (strlen(name) > NAME_MAX_LEN)
		return "has more than 253 characters";
	for (;;) {
		size_t len = strcspn(label, ".");
		const char *why = label_problem(label, len);

		if (why != NULL)
			return why;
		if (label[len] != '\0') {
			label += len + 1;
			continue;
		}
		return label_is_number(label, len)
		    ? "ends in a number, but is not an IPv4 address of four "
		      "numbers"
		    : NULL;
	}
}
