/* SPDX-License-Identifier: MIT */
/*
 * packagesources: where the original files of packages are looked for.
 *
 * All are hostile input: a digest proves what is taken.
 */
#ifndef DRYDOCK_PACKAGESOURCES_H
#define DRYDOCK_PACKAGESOURCES_H

#include <stddef.h>

struct package_sources {
	const char *home; /* borrowed; the host user's */
	const char *const *envp; /* borrowed; CARGO_HOME, npm_config_cache */
	/* borrowed; data of the project's slots; may change or vanish */
	const int *slot_fds;
	size_t nslots;
};

#endif /* DRYDOCK_PACKAGESOURCES_H */
