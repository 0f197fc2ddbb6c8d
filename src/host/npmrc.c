/* SPDX-License-Identifier: MIT */
/* npmrc: parses npm's ini format as far as the registry settings need it. */
#include "host/npmrc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/text.h"

#define ENV_PREFIX "npm_config_"

/* Returns true for a setting about registries, credentials or the network. */
static bool
is_wanted(const char *key)
{
	static const char *const names[] = { "registry", "proxy", "https-proxy",
		"noproxy", "strict-ssl" };
	const char *colon = strrchr(key, ':');

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i]) == 0)
			return true;
	if (key[0] == '@')
		return colon != NULL && strcmp(colon, ":registry") == 0;
	return strncmp(key, "//", 2) == 0 && colon != NULL;
}

/* A ${NAME} whose variable is unset is not replaced, as in npm. */
static void
add_expanded(const char *value, const char *const *environ_, struct strbuf *out)
{
	while (*value != '\0') {
		const char *end = NULL;
		const char *found = NULL;

		if (strncmp(value, "${", 2) == 0)
			end = strchr(value, '}');
		if (end != NULL) {
			cleanup_free char *name =
			    xstrndup(value + 2, (size_t)(end - value - 2));

			found = envp_get(environ_, name);
		}
		if (found != NULL) {
			strbuf_addstr(out, found);
			value = end + 1;
		} else {
			strbuf_addch(out, *value++);
		}
	}
}

static void
add_setting(const char *key, const char *value, const char *const *environ_,
    struct strbuf *out, char **cafile)
{
	cleanup_strbuf struct strbuf expanded = STRBUF_INIT;

	add_expanded(value, environ_, &expanded);
	if (strpbrk(expanded.buf, "\r\n") != NULL)
		return;
	if (strcmp(key, "cafile") == 0) {
		free(*cafile);
		*cafile = strbuf_detach(&expanded, NULL);
	} else if (is_wanted(key)) {
		strbuf_addf(out, "%s=%s\n", key, expanded.buf);
	}
}

/* Trims blanks, then one pair of quotes, in place. */
static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL)
		len--;
	if (len >= 2 && (s[0] == '"' || s[0] == '\'') && s[len - 1] == s[0]) {
		s++;
		len -= 2;
	}
	s[len] = '\0';
	return s;
}

void
npmrc_parse(const char *text, const char *const *environ_, struct strbuf *out,
    char **cafile)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	strvec_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.nr; i++) {
		char *line = lines.v[i];
		char *equals = strchr(line, '=');

		if (equals == NULL || strchr(";#[", line[0]) != NULL)
			continue;
		*equals = '\0';
		add_setting(
		    trim(line), trim(equals + 1), environ_, out, cafile);
	}
}

void
npmrc_from_environment(
    const char *const *environ_, struct strbuf *out, char **cafile)
{
	const size_t skip = strlen(ENV_PREFIX);

	for (const char *const *e = environ_; e != NULL && *e != NULL; e++) {
		const char *equals = strchr(*e, '=');
		cleanup_free char *key = NULL;

		if (equals == NULL || equals[1] == '\0' ||
		    strncasecmp(*e, ENV_PREFIX, skip) != 0 ||
		    equals <= *e + skip)
			continue;
		key = xstrndup(*e + skip, (size_t)(equals - *e) - skip);
		/* Like npm, leaves "//host/:_authToken" as it is. */
		for (char *p = key; key[0] != '/' && *p != '\0'; p++)
			if (*p == '_')
				*p = '-';
			else
				*p = text_lower(*p);
		add_setting(key, equals + 1, NULL, out, cafile);
	}
}

/*
 * Returns "//host/path/" of a registry URL, the form npm uses in credential
 * keys.
 */
static char *
credentials_of(const char *registry)
{
	const char *at = strstr(registry, "://");
	size_t len;

	at = at != NULL ? at + 1 : registry;
	len = strlen(at);
	return xasprintf("%s%s", at, len > 0 && at[len - 1] == '/' ? "" : "/");
}

/*
 * Returns true if a registry is at or below the path of the key
 * "//host/path/:name".
 */
static bool
is_used(const char *key, const struct strvec *registries)
{
	size_t len = (size_t)(strrchr(key, ':') - key);

	for (size_t i = 0; i < registries->nr; i++)
		if (strncmp(registries->v[i], key, len) == 0 &&
		    (key[len - 1] == '/' || registries->v[i][len] == '/'))
			return true;
	return false;
}

bool
npmrc_keep_used(struct strbuf *npmrc)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	cleanup_strvec struct strvec registries = STRVEC_INIT;
	const char *registry = "";
	bool dropped = false;

	strvec_split(&lines, npmrc->buf, '\n');
	for (size_t i = 0; i < lines.nr; i++) {
		const char *line = lines.v[i];

		if (strncmp(line, "registry=", strlen("registry=")) == 0)
			registry = strchr(line, '=') + 1;
		else if (line[0] == '@')
			strvec_push_given(
			    &registries, credentials_of(strchr(line, '=') + 1));
	}
	if (*registry != '\0')
		strvec_push_given(&registries, credentials_of(registry));
	strbuf_reset(npmrc);
	for (size_t i = 0; i < lines.nr; i++) {
		cleanup_free char *key =
		    xstrndup(lines.v[i], strcspn(lines.v[i], "="));

		if (strncmp(key, "//", 2) != 0 || is_used(key, &registries))
			strbuf_addf(npmrc, "%s\n", lines.v[i]);
		else
			dropped = true;
	}
	return *registry != '\0' || !dropped;
}
