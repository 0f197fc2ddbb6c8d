/* SPDX-License-Identifier: MIT */
/*
 * What a build is told of this host beside its sources: os-release(5), apt's
 * own dump of its settings, and proxies.  The parsers are private to their file.
 */
#include "engine/hostconf.c"

#include "fuzz.h"

/* The value is one line without quotes, and stands behind the name. */
static void
check_os_release(const char *text)
{
	cleanup_free char *value = os_release_value(text, "ID");
	cleanup_free char *want = xasprintf("ID=%s", value);

	FUZZ_CHECK(strpbrk(value, "\"'\n") == NULL);
	if (*value == '\0')
		return;
	FUZZ_CHECK(strstr(text, "ID=") != NULL);
	if (strpbrk(text, "'\"") == NULL)
		FUZZ_CHECK(strstr(text, want) != NULL);
	else
		FUZZ_CHECK(strstr(text, value) != NULL);
}

/* Each line is one whole setting of the network, and names no file. */
static void
check_apt_line(const char *line, size_t len)
{
	static const char prefix[] = "Acquire::";
	const char *quote = memchr(line, '"', len);

	FUZZ_CHECK(strncasecmp(line, prefix, sizeof(prefix) - 1) == 0);
	FUZZ_CHECK(quote != NULL && line[len - 1] == ';');
	FUZZ_CHECK(line[len - 2] == '"' && quote < line + len - 2);
	FUZZ_CHECK(quote[1] != '/');
}

static void
check_apt(char *text)
{
	cleanup_hostconf struct hostconf hc = HOSTCONF_INIT;

	/* A file of certificates would be opened. */
	for (char *p = text; (p = strcasestr(p, "cainfo")) != NULL; p++)
		*p = 'x';
	take_apt_settings(&hc, text);
	for (const char *p = hc.apt_conf.buf; *p != '\0';) {
		size_t len = strcspn(p, "\n");

		FUZZ_CHECK(p[len] == '\n');
		check_apt_line(p, len);
		p += len + 1;
	}
}

/* The first of a name counts; what is not there or empty is none. */
static void
check_proxies(char *text)
{
	cleanup_hostconf struct hostconf hc = HOSTCONF_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;

	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		strvec_push(&env, line);
	read_proxies(&hc, (const char *const *)env.v);
	for (size_t i = 0; i < hc.proxies.nr; i++) {
		const char *eq = strchr(hc.proxies.v[i], '=');

		FUZZ_CHECK(strvec_has(&env, hc.proxies.v[i]));
		FUZZ_CHECK(eq != NULL && eq[1] != '\0');
		FUZZ_CHECK(strncasecmp(eq - 6, "_PROXY", 6) == 0);
	}
	(void)hostconf_is_local(&hc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);

	if (kind == 'o')
		check_os_release(text);
	else if (kind == 'a')
		check_apt(text);
	else
		check_proxies(text);
	return 0;
}
