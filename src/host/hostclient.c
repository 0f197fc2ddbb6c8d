/* SPDX-License-Identifier: MIT */
/* hostclient: finds a client's version by the links of its command. */
#include "host/hostclient.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/protected.h"

#define MANIFEST "package.json"
#define MANIFEST_MAX ((size_t)64 << 10)

static char *
exact_or_null(const char *version)
{
	return version != NULL && agent_is_exact_version(version)
	    ? xstrdup(version)
	    : NULL;
}

/* Reads the version from the manifest of the package that has the program. */
static char *
version_of_package(const char *program, const char *package)
{
	cleanup_free char *part = xasprintf("/node_modules/%s/", package);
	const char *at = strstr(program, part);
	cleanup_free char *dir = NULL;
	cleanup_close int fd = -1;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (at == NULL)
		return NULL;
	dir = xasprintf("%.*s%s", (int)(at - program), program, part);
	if (fs_open_dir(dir, &fd, &dg) != 0 ||
	    fs_read_file(fd, MANIFEST, MANIFEST_MAX, &text, &dg) != 0 ||
	    json_parse(text.buf, text.len, MANIFEST, &root, &dg) != 0)
		return NULL;
	return exact_or_null(json_string(json_get(root, "version")));
}

char *
hostclient_version(const char *search_path, const char *command,
    const char *package, const char *project)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	strvec_split(&dirs, search_path, ':');
	for (size_t i = 0; i < dirs.nr; i++) {
		cleanup_free char *path =
		    xasprintf("%s/%s", dirs.v[i], command);
		cleanup_free char *real =
		    *path == '/' ? realpath(path, NULL) : NULL;
		char *version;

		if (real == NULL)
			continue;
		if (protected_is_below(path, project) ||
		    protected_is_below(real, project))
			return NULL;
		version = version_of_package(real, package);
		return version != NULL ? version
				       : exact_or_null(strrchr(real, '/') + 1);
	}
	return NULL;
}

bool
hostclient_is_older(const char *a, const char *b)
{
	for (int i = 0; i < 3; i++) {
		unsigned long long x = 0;
		unsigned long long y = 0;

		for (; *a >= '0' && *a <= '9' && x < UINT_MAX; a++)
			x = x * 10 + (unsigned)(*a - '0');
		for (; *b >= '0' && *b <= '9' && y < UINT_MAX; b++)
			y = y * 10 + (unsigned)(*b - '0');
		if (x != y)
			return x < y;
		if (*a != '.' || *b != '.')
			return false;
		a++;
		b++;
	}
	return false;
}
