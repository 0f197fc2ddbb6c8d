/* SPDX-License-Identifier: MIT */
/* Reads Cargo.lock line by line; a value never spans lines, except a list. */
#include "deps/cargolock.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "host/text.h"

#define MAX_NAME ((size_t)128)
#define MAX_SOURCE ((size_t)2048)

enum section {
	SECTION_TOP,
	SECTION_PACKAGE,
	SECTION_UNUSED, /* [[patch.unused]]: no package of the build */
};

struct parser {
	struct cargolock lock;
	size_t alloc;
	const char *text;
	const char *what;
	struct diag *dg;
	size_t start; /* of the line */
	size_t number; /* of the line, from 1 */
	enum section section;
	bool in_list;
	unsigned int seen; /* keys of the entry, by row of package_keys */
};

/* A piece of the text. */
struct slice {
	const char *at;
	size_t len;
};

static int
refuse(const struct parser *p, const char *why)
{
	return diag_set(
	    p->dg, DIAG_DATA, "%s: line %zu: %s", p->what, p->number, why);
}

static bool
slice_is(struct slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.at, word, s.len) == 0;
}

static size_t
span(struct slice s, const char *accept)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != '\0' && strchr(accept, s.at[n]) != NULL)
		n++;
	return n;
}

/* A basic string without escapes.  Returns false for anything else. */
static bool
take_string(struct slice s, struct slice *ret_text)
{
	if (s.len < 2 || s.at[0] != '"' || s.at[s.len - 1] != '"')
		return false;
	s.at++;
	s.len -= 2;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f ||
		    s.at[i] == '"' || s.at[i] == '\\')
			return false;
	if (!utf8_valid(s.at, s.len))
		return false;
	*ret_text = s;
	return true;
}

static int
set_name(struct parser *p, struct cargolock_package *pkg, struct slice s)
{
	/* cargo accepts letters of all languages in a package of one's own. */
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < 0x80 &&
		    strchr(ASCII_ALNUM "-_", s.at[i]) == NULL)
			return refuse(p, "a name with a forbidden character");
	if (s.len == 0 || s.len > MAX_NAME)
		return refuse(p, "a name that is empty or too long");
	pkg->name = xstrndup(s.at, s.len);
	return 0;
}

static int
set_version(struct parser *p, struct cargolock_package *pkg, struct slice s)
{
	if (s.len == 0 || s.len > MAX_NAME ||
	    span((struct slice){ s.at, 1 }, "0123456789") == 0 ||
	    span(s, ASCII_ALNUM ".+-") != s.len)
		return refuse(p, "not a version");
	pkg->version = xstrndup(s.at, s.len);
	return 0;
}

static int
set_source(struct parser *p, struct cargolock_package *pkg, struct slice s)
{
	if (s.len == 0 || s.len > MAX_SOURCE)
		return refuse(p, "a source that is empty or too long");
	pkg->source = xstrndup(s.at, s.len);
	return 0;
}

static int
set_checksum(struct parser *p, struct cargolock_package *pkg, struct slice s)
{
	if (!digest_parse_hex(DIGEST_SHA256, s.at, s.len, &pkg->checksum))
		return refuse(p, "not a checksum of 64 hex digits");
	return 0;
}

/* set: NULL for a value that is only checked. */
static const struct {
	const char *key;
	int (*set)(
	    struct parser *p, struct cargolock_package *pkg, struct slice s);
} package_keys[] = {
	{ "name", set_name },
	{ "version", set_version },
	{ "source", set_source },
	{ "checksum", set_checksum },
	{ "replace", NULL },
};

#define SEEN_NAME 1U
#define SEEN_VERSION 2U
#define SEEN_DEPENDENCIES (1U << ARRAY_SIZE(package_keys))

static struct cargolock_package *
current(struct parser *p)
{
	return &p->lock.v[p->lock.nr - 1];
}

/*
 * Checks the entry that ends here, and sets it apart if it is no package of the
 * build.
 */
static int
end_entry(struct parser *p)
{
	unsigned int must = SEEN_NAME | SEEN_VERSION;
	struct cargolock *lock = &p->lock;

	if (p->section == SECTION_TOP)
		return 0;
	if ((p->seen & must) != must)
		return refuse(p, "the entry above has no name or no version");
	if (p->section == SECTION_PACKAGE &&
	    current(p)->checksum.kind != DIGEST_NONE &&
	    current(p)->source == NULL)
		return refuse(
		    p, "the entry above has a checksum and no source");
	if (p->section != SECTION_UNUSED)
		return 0;
	/* The size doubles. */
	if ((lock->nunused & (lock->nunused - 1)) == 0)
		lock->unused = xreallocarray(lock->unused,
		    lock->nunused > 0 ? lock->nunused * 2 : 1,
		    sizeof(*lock->unused));
	lock->unused[lock->nunused++] = lock->v[--lock->nr];
	return 0;
}

static int
refuse_version(const struct parser *p)
{
	return diag_set(p->dg, DIAG_DATA,
	    "%s: no version; versions 3 and 4 are supported", p->what);
}

static void
free_package(struct cargolock_package *pkg)
{
	free(pkg->name);
	free(pkg->version);
	free(pkg->source);
}

static int
take_header(struct parser *p, struct slice line)
{
	enum section section;

	if (slice_is(line, "[[package]]"))
		section = SECTION_PACKAGE;
	else if (slice_is(line, "[[patch.unused]]"))
		section = SECTION_UNUSED;
	else
		return refuse(p, "an unknown table");
	if (end_entry(p) != 0)
		return -1;
	if (p->lock.version == 0)
		return refuse_version(p);
	p->section = section;
	p->seen = 0;
	if (p->lock.nr + p->lock.nunused == CARGOLOCK_MAX_PACKAGES)
		return diag_set(p->dg, DIAG_DATA, "%s: more than %d packages",
		    p->what, CARGOLOCK_MAX_PACKAGES);
	if (p->lock.nr == p->alloc) {
		p->alloc = p->alloc == 0 ? 64 : 2 * p->alloc;
		p->lock.v =
		    xreallocarray(p->lock.v, p->alloc, sizeof(*p->lock.v));
	}
	p->lock.v[p->lock.nr++] = (struct cargolock_package){
		.start = p->start,
	};
	return 0;
}

static int
take_top(struct parser *p, struct slice key, struct slice value)
{
	cleanup_free char *digits = xstrndup(value.at, value.len);
	int64_t version;

	if (!slice_is(key, "version"))
		return refuse(p, "an unknown key");
	if (p->lock.version != 0)
		return refuse(p, "the key version occurs twice");
	if (!text_decimal(digits, 3, 4, &version))
		return refuse(p, "versions 3 and 4 are supported");
	p->lock.version = (int)version;
	return 0;
}

static int
take_once(struct parser *p, unsigned int bit)
{
	if ((p->seen & bit) != 0)
		return refuse(p, "a key occurs twice");
	p->seen |= bit;
	return 0;
}

static int
take_field(struct parser *p, struct slice key, struct slice value)
{
	struct slice text;

	if (slice_is(key, "dependencies")) {
		if (take_once(p, SEEN_DEPENDENCIES) != 0)
			return -1;
		p->in_list = slice_is(value, "[");
		return p->in_list || slice_is(value, "[]")
		    ? 0
		    : refuse(p, "not a list");
	}
	for (size_t i = 0; i < ARRAY_SIZE(package_keys); i++) {
		if (!slice_is(key, package_keys[i].key))
			continue;
		if (take_once(p, 1U << i) != 0)
			return -1;
		if (!take_string(value, &text))
			return refuse(p, "not a string");
		return package_keys[i].set == NULL
		    ? 0
		    : package_keys[i].set(p, current(p), text);
	}
	return refuse(p, "an unknown key");
}

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static int
take_statement(struct parser *p, struct slice line)
{
	struct slice key;
	struct slice rest;

	if (p->in_list) {
		p->in_list = !slice_is(line, "]");
		if (line.at[line.len - 1] == ',')
			line.len--;
		return !p->in_list || take_string(line, &rest)
		    ? 0
		    : refuse(p, "not a string");
	}
	if (line.at[0] == '[')
		return take_header(p, line);
	key = (struct slice){ line.at, span(line, ASCII_ALNUM "_") };
	rest = trim((struct slice){ line.at + key.len, line.len - key.len });
	if (key.len == 0 || rest.len == 0 || rest.at[0] != '=')
		return refuse(p, "neither a key nor a table");
	rest = trim((struct slice){ rest.at + 1, rest.len - 1 });
	return p->section == SECTION_TOP ? take_top(p, key, rest)
					 : take_field(p, key, rest);
}

static int
take_lines(struct parser *p, size_t len)
{
	while (p->start < len) {
		struct slice line = { p->text + p->start, len - p->start };
		const char *end = memchr(line.at, '\n', line.len);
		size_t next;

		if (end != NULL)
			line.len = (size_t)(end - line.at);
		p->number++;
		next = p->start + line.len + 1;
		if (line.len > 0 && line.at[line.len - 1] == '\r')
			line.len--;
		line = trim(line);
		if (line.len > 0 && line.at[0] != '#') {
			if (take_statement(p, line) != 0)
				return -1;
			if (p->section != SECTION_TOP)
				current(p)->end =
				    (size_t)(line.at - p->text) + line.len;
		}
		p->start = next;
	}
	if (p->in_list)
		return refuse(p, "a list that does not end");
	if (end_entry(p) != 0)
		return -1;
	return p->lock.version == 0 ? refuse_version(p) : 0;
}

static int
compare(const void *a, const void *b)
{
	const struct cargolock_package *x =
	    *(const struct cargolock_package *const *)a;
	const struct cargolock_package *y =
	    *(const struct cargolock_package *const *)b;
	int rc = strcmp(x->name, y->name);

	if (rc == 0)
		rc = strcmp(x->version, y->version);
	if (rc == 0)
		rc = strcmp(x->source != NULL ? x->source : "",
		    y->source != NULL ? y->source : "");
	return rc;
}

static int
refuse_duplicates(const struct parser *p)
{
	cleanup_free const struct cargolock_package **sorted =
	    xcalloc(p->lock.nr + 1, sizeof(struct cargolock_package *));

	for (size_t i = 0; i < p->lock.nr; i++)
		sorted[i] = &p->lock.v[i];
	qsort(sorted, p->lock.nr, sizeof(struct cargolock_package *), compare);
	for (size_t i = 1; i < p->lock.nr; i++)
		if (compare(&sorted[i - 1], &sorted[i]) == 0)
			return diag_set(p->dg, DIAG_DATA,
			    "%s: %s %s occurs twice", p->what, sorted[i]->name,
			    sorted[i]->version);
	return 0;
}

int
cargolock_parse(struct cargolock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	struct parser p = { .text = text, .what = what, .dg = dg };

	if (len > CARGOLOCK_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    CARGOLOCK_MAX_SIZE);
	if (memchr(text, '\0', len) != NULL)
		return diag_set(dg, DIAG_DATA, "%s: a NUL character", what);
	if (take_lines(&p, len) != 0 || refuse_duplicates(&p) != 0) {
		cargolock_release(&p.lock);
		return -1;
	}
	*ret_lock = p.lock;
	return 0;
}

void
cargolock_release(struct cargolock *lock)
{
	for (size_t i = 0; i < lock->nr; i++)
		free_package(&lock->v[i]);
	for (size_t i = 0; i < lock->nunused; i++)
		free_package(&lock->unused[i]);
	free(lock->v);
	free(lock->unused);
	*lock = (struct cargolock)CARGOLOCK_INIT;
}

const struct cargolock_package *
cargolock_find(const struct cargolock_package *v, size_t nr, const char *name,
    const char *version, size_t *ret_found)
{
	const struct cargolock_package *last = NULL;

	*ret_found = 0;
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(v[i].name, name) != 0 ||
		    strcmp(v[i].version, version) != 0)
			continue;
		last = &v[i];
		(*ret_found)++;
	}
	return last;
}

bool
cargolock_is_crates_io(const struct cargolock_package *p)
{
	return p->source != NULL &&
	    (strcmp(p->source,
		 "registry+https://github.com/rust-lang/crates.io-index") ==
		    0 ||
		strcmp(p->source, "sparse+https://index.crates.io/") == 0);
}
