/* SPDX-License-Identifier: MIT */
/* The table of package managers. */
#include "deps/ecosystem.h"

#include <string.h>

const struct ecosystem *const ecosystems[ECOSYSTEM_NR] = {
	&cargopatch,
	&npmpatch,
};

const struct ecosystem *
ecosystem_find(const char *name)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (strcmp(ecosystems[i]->name, name) == 0)
			return ecosystems[i];
	return NULL;
}
