/* SPDX-License-Identifier: MIT */
/* gitconfig: reads git-config(1), SYNTAX, one line after the other. */
#include "session/gitconfig.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

static const char blanks[] = " \t\r";

/* Skips "[SECTION]", whose name may have a "]" in quotes. */
static char *
skip_section(char *line)
{
	char *at = line + strspn(line, blanks);
	bool quoted = false;

	if (*at != '[')
		return at;
	while (*++at != '\0' && (quoted || *at != ']')) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '\\' && at[1] != '\0')
			at++;
	}
	at += *at == ']';
	return at + strspn(at, blanks);
}

/* Takes quotes, escapes, a comment and the blanks at the end away. */
static void
clean(char *value)
{
	char *out = value;
	char *end = value;
	bool quoted = false;

	for (char *at = value + strspn(value, blanks); *at != '\0'; at++) {
		if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (*at == '#' || *at == ';'))
			break;
		if (*at == '\\' && at[1] != '\0')
			at++;
		*out++ = *at;
		if (quoted || strchr(blanks, *at) == NULL)
			end = out;
	}
	*end = '\0';
}

static void
read_line(char *line, struct strvec *paths)
{
	char *key = skip_section(line);
	char *value = strchr(key, '=');

	if (value == NULL)
		return;
	*value++ = '\0';
	key[strcspn(key, blanks)] = '\0';
	if (strcasecmp(key, "path") != 0 && strcasecmp(key, "hooksPath") != 0)
		return;
	clean(value);
	if (*value != '\0')
		strvec_push(paths, value);
}

void
gitconfig_paths(const char *text, size_t len, struct strvec *ret_paths)
{
	/* A NUL ends it for git, too. */
	cleanup_free char *copy = xstrndup(text, len);
	char *rest = copy;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		/* A backslash at its end continues a line. */
		while (rest != NULL && rest - line >= 2 && rest[-2] == '\\') {
			memmove(rest - 2, rest, strlen(rest) + 1);
			rest = strchr(rest - 2, '\n');
			if (rest != NULL)
				*rest++ = '\0';
		}
		read_line(line, ret_paths);
	}
}
