/* SPDX-License-Identifier: MIT */
/* A list of owned strings that is always valid as argv or envp. */
#include "base/strvec.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"

/* The array of every empty list; never written. */
char *strvec_empty[1];

void
strvec_init(struct strvec *sv)
{
	sv->v = strvec_empty;
	sv->nr = 0;
	sv->alloc = 0;
}

void
strvec_release(struct strvec *sv)
{
	for (size_t i = 0; i < sv->nr; i++)
		free(sv->v[i]);
	if (sv->alloc > 0)
		free(sv->v);
	strvec_init(sv);
}

void
strvec_push(struct strvec *sv, const char *s)
{
	strvec_push_given(sv, xstrdup(s));
}

void
strvec_push_given(struct strvec *sv, char *s)
{
	if (sv->nr + 2 > sv->alloc) {
		size_t alloc = sv->alloc > 0 ? sv->alloc * 2 : 8;

		sv->v = xreallocarray(
		    sv->alloc > 0 ? sv->v : NULL, alloc, sizeof(*sv->v));
		sv->alloc = alloc;
	}
	sv->v[sv->nr++] = s;
	sv->v[sv->nr] = NULL;
}

void
strvec_pushf(struct strvec *sv, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	strvec_push_given(sv, strbuf_detach(&sb, NULL));
}

void
strvec_push_all(struct strvec *sv, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		strvec_push(sv, *list);
}

void
strvec_split(struct strvec *sv, const char *text, char separator)
{
	for (;;) {
		const char *end = strchrnul(text, separator);

		if (end > text)
			strvec_push_given(
			    sv, xstrndup(text, (size_t)(end - text)));
		if (*end == '\0')
			return;
		text = end + 1;
	}
}

char *
strvec_join(const struct strvec *sv, const char *separator)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < sv->nr; i++)
		strbuf_addf(&sb, "%s%s", i > 0 ? separator : "", sv->v[i]);
	return strbuf_detach(&sb, NULL);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
strvec_sort(struct strvec *sv)
{
	if (sv->nr > 1)
		qsort(sv->v, sv->nr, sizeof(sv->v[0]), compare);
}

bool
strvec_has(const struct strvec *sv, const char *s)
{
	for (size_t i = 0; i < sv->nr; i++) {
		if (strcmp(sv->v[i], s) == 0)
			return true;
	}
	return false;
}

void
strvec_setenv(struct strvec *sv, const char *name, const char *value)
{
	size_t len = strlen(name);
	char *row = xasprintf("%s=%s", name, value);

	for (size_t i = 0; i < sv->nr; i++) {
		if (strncmp(sv->v[i], name, len) == 0 && sv->v[i][len] == '=') {
			free(sv->v[i]);
			sv->v[i] = row;
			return;
		}
	}
	strvec_push_given(sv, row);
}

const char *
envp_get(const char *const *envp, const char *name)
{
	size_t len = strlen(name);

	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}
