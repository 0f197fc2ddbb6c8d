/* SPDX-License-Identifier: MIT */
/* fallback: checks the C library and the standard directories. */
#include "guest/fallback.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strvec.h"
#include "base/xalloc.h"

static bool
has_entry(const char *dir, const char *name)
{
	/*
	 * terminfo(5): the directory is the first letter, or its hexadecimal
	 * code.
	 */
	cleanup_free char *letter = xasprintf("%s/%c/%s", dir, name[0], name);
	cleanup_free char *number =
	    xasprintf("%s/%02x/%s", dir, (unsigned char)name[0], name);

	return access(letter, R_OK) == 0 || access(number, R_OK) == 0;
}

static bool
has_terminal(const char *name, const char *home)
{
	static const char *const dirs[] = { "/etc/terminfo", "/lib/terminfo",
		"/usr/share/terminfo" };

	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return false;
	if (home != NULL) {
		cleanup_free char *own = xasprintf("%s/.terminfo", home);

		if (has_entry(own, name))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (has_entry(dirs[i], name))
			return true;
	}
	return false;
}

static bool
has_locale(const char *name)
{
	locale_t locale = newlocale(LC_ALL_MASK, name, (locale_t)0);

	if (locale == (locale_t)0)
		return false;
	freelocale(locale);
	return true;
}

/* A POSIX rule (CET-1CEST,M3.5.0) needs no file. */
static bool
has_zone(const char *name)
{
	cleanup_free char *path = xasprintf("/usr/share/zoneinfo/%s", name);

	if (name[0] == '\0' || name[0] == ':' || name[0] == '/' ||
	    (strpbrk(name, "0123456789") != NULL &&
		strncmp(name, "Etc/", 4) != 0))
		return true;
	return access(path, R_OK) == 0;
}

static bool
is_locale(const char *variable)
{
	return strncmp(variable, "LANG=", 5) == 0 ||
	    strncmp(variable, "LC_", 3) == 0;
}

void
fallback_apply(struct strvec *env)
{
	const char *home = envp_get((const char *const *)env->v, "HOME");

	for (size_t i = 0; i < env->nr; i++) {
		char *equals = strchr(env->v[i], '=');
		const char *value = equals == NULL ? "" : equals + 1;
		cleanup_free char *name = NULL;

		if (*value == '\0')
			continue;
		name = xstrndup(env->v[i], (size_t)(equals - env->v[i]));
		if (strcmp(name, "TERM") == 0 && !has_terminal(value, home))
			strvec_setenv(env, name, "xterm-256color");
		else if (is_locale(env->v[i]) && !has_locale(value))
			strvec_setenv(env, name, "C.UTF-8");
		else if (strcmp(name, "TZ") == 0 && !has_zone(value))
			strvec_setenv(env, name, "UTC0");
	}
}
