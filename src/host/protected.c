/* SPDX-License-Identifier: MIT */
/* The one list of places that hold keys and credentials. */
#include "host/protected.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

/* Programs of the host's, and no credentials. */
#define PROGRAMS ".local"

static const char *const places[] = { ".ssh", ".gnupg", ".aws", ".azure",
	".kube", ".docker", ".config/gcloud", ".config/gh", ".config/glab-cli",
	".config/git/credentials", ".git-credentials", ".netrc", ".npmrc",
	".pypirc", ".password-store", PROGRAMS, NULL };

static const char *const of_the_kernel[] = { "/proc", "/sys", "/dev", "/run" };

const char *const *
protected_places(void)
{
	return places;
}

bool
protected_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

bool
protected_has(const char *home, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_the_kernel); i++) {
		if (protected_is_below(path, of_the_kernel[i]))
			return true;
	}
	for (size_t i = 0; places[i] != NULL; i++) {
		cleanup_free char *place = xasprintf("%s/%s", home, places[i]);

		if (protected_is_below(path, place) ||
		    protected_is_below(place, path))
			return true;
	}
	return false;
}

bool
protected_is_credential(const char *path)
{
	for (size_t i = 0; places[i] != NULL; i++) {
		if (strcmp(places[i], PROGRAMS) != 0 &&
		    protected_is_below(path, places[i]))
			return true;
	}
	return false;
}
