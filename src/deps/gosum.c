/* SPDX-License-Identifier: MIT */
/* Reads go.sum line by line. */
#include "deps/gosum.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#define MAX_MODULE ((size_t)512)
#define MAX_VERSION ((size_t)128)

static const char mod_suffix[] = "/go.mod";
static const char h1_mark[] = "h1:";

static bool
module_is_sound(const char *module)
{
	if (strlen(module) > MAX_MODULE)
		return false;
	for (const char *p = module;; p++) {
		size_t len = strspn(p, ASCII_ALNUM "-._~");

		if (len == 0 || *p == '.' || p[len - 1] == '.')
			return false;
		p += len;
		if (*p == '\0')
			return true;
		if (*p != '/')
			return false;
	}
}

static bool
version_is_sound(const char *version)
{
	return strlen(version) <= MAX_VERSION && version[0] == 'v' &&
	    isdigit((unsigned char)version[1]) != 0 &&
	    version[strspn(version, ASCII_ALNUM ".+-")] == '\0';
}

/* Returns NULL, or static text that describes the error. */
static const char *
take_words(struct gosum *sum, struct strvec *words)
{
	struct gosum_entry e = { .is_mod = false };
	const char *hash;
	char *suffix;

	if (words->nr == 0)
		return NULL;
	if (words->nr != 3)
		return "not three words";
	suffix = strrchr(words->v[1], '/');
	e.is_mod = suffix != NULL && strcmp(suffix, mod_suffix) == 0;
	if (e.is_mod)
		*suffix = '\0';
	if (!module_is_sound(words->v[0]))
		return "a bad module path";
	if (!version_is_sound(words->v[1]))
		return "a bad version";
	hash = words->v[2];
	if (strncmp(hash, h1_mark, strlen(h1_mark)) != 0)
		return NULL;
	hash += strlen(h1_mark);
	if (!digest_parse_base64(DIGEST_SHA256, hash, strlen(hash), &e.h1))
		return "a bad hash";
	e.module = xstrdup(words->v[0]);
	e.version = xstrdup(words->v[1]);
	sum->v[sum->nr++] = e;
	return NULL;
}

static int
take_lines(struct gosum *sum, const char *text, size_t len, const char *what,
    struct diag *dg)
{
	const char *end = text + len;
	size_t number = 0;

	for (const char *p = text; p < end;) {
		cleanup_strvec struct strvec words = STRVEC_INIT;
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol != NULL ? eol : end) - p);
		cleanup_free char *line = xstrndup(p, n);
		const char *why;

		number++;
		for (char *c = line; *c != '\0'; c++)
			if (*c == '\t' || *c == '\r')
				*c = ' ';
		strvec_split(&words, line, ' ');
		why = take_words(sum, &words);
		if (why != NULL)
			return diag_set(dg, DIAG_DATA, "%s: line %zu: %s", what,
			    number, why);
		p += n + 1;
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct gosum_entry *x = a;
	const struct gosum_entry *y = b;
	int rc = strcmp(x->module, y->module);

	if (rc == 0)
		rc = strcmp(x->version, y->version);
	return rc != 0 ? rc : (int)x->is_mod - (int)y->is_mod;
}

static void
free_entry(struct gosum_entry *e)
{
	free(e->module);
	free(e->version);
}

static int
unite_duplicates(struct gosum *sum, const char *what, struct diag *dg)
{
	size_t kept = 0;

	qsort(sum->v, sum->nr, sizeof(*sum->v), compare);
	for (size_t i = 1; i < sum->nr; i++)
		if (compare(&sum->v[i - 1], &sum->v[i]) == 0 &&
		    !digest_equal(&sum->v[i - 1].h1, &sum->v[i].h1))
			return diag_set(dg, DIAG_DATA,
			    "%s: %s %s%s has two hashes", what,
			    sum->v[i].module, sum->v[i].version,
			    sum->v[i].is_mod ? mod_suffix : "");
	for (size_t i = 0; i < sum->nr; i++) {
		if (kept > 0 && compare(&sum->v[kept - 1], &sum->v[i]) == 0)
			free_entry(&sum->v[i]);
		else
			sum->v[kept++] = sum->v[i];
	}
	sum->nr = kept;
	return 0;
}

int
gosum_parse(struct gosum *ret_sum, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	cleanup_gosum struct gosum sum = GOSUM_INIT;
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (len > GOSUM_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    GOSUM_MAX_SIZE);
	if (memchr(text, '\0', len) != NULL)
		return diag_set(dg, DIAG_DATA, "%s: a NUL character", what);
	if (lines > GOSUM_MAX_ENTRIES)
		return diag_set(dg, DIAG_DATA, "%s: more than %d lines", what,
		    GOSUM_MAX_ENTRIES);
	sum.v = xcalloc(lines, sizeof(*sum.v));
	if (take_lines(&sum, text, len, what, dg) != 0 ||
	    unite_duplicates(&sum, what, dg) != 0)
		return -1;
	*ret_sum = sum;
	sum = (struct gosum)GOSUM_INIT;
	return 0;
}

void
gosum_release(struct gosum *sum)
{
	for (size_t i = 0; i < sum->nr; i++)
		free_entry(&sum->v[i]);
	free(sum->v);
	*sum = (struct gosum)GOSUM_INIT;
}

void
gosum_add_escaped(struct strbuf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (isupper((unsigned char)*text) != 0)
			strbuf_addch(out, '!');
		strbuf_addch(out, (char)tolower((unsigned char)*text));
	}
}
