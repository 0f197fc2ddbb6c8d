/* SPDX-License-Identifier: MIT */
/* Reads what yarn.lock has of patches. */
#include "deps/yarnlock.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "deps/yamlread.h"
#include "host/text.h"

#define PATCH "patch:"
#define WORKSPACE "workspace:"
#define BUILTIN "builtin<"
#define CLASSIC "# yarn lockfile v1"
#define HEX "0123456789abcdef"
#define MIN_HASH 6
#define MAX_WORKSPACES 10000

static int
hex_value(char c)
{
	const char *digits = HEX;
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

/* Returned: the text without percent escapes; NULL if one is malformed. */
static char *
decode(const char *text, size_t len)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < len; i++) {
		const char *escape = memchr(text + i, '%', len - i);
		int high;
		int low;

		if (escape == NULL) {
			strbuf_add(&out, text + i, len - i);
			break;
		}
		strbuf_add(&out, text + i, (size_t)(escape - text) - i);
		i = (size_t)(escape - text);
		high = i + 2 < len ? hex_value(text[i + 1]) : -1;
		low = high >= 0 ? hex_value(text[i + 2]) : -1;
		if (low < 0 || high * 16 + low == 0)
			return NULL;
		strbuf_addch(&out, (char)(unsigned char)(high * 16 + low));
		i += 2;
	}
	return utf8_valid(out.buf, out.len) ? strbuf_detach(&out, NULL) : NULL;
}

const char *
yarnspec_range(const char *text)
{
	const char *at = *text == '\0' ? NULL : strchr(text + 1, '@');

	return at == NULL ? NULL : at + 1;
}

/* "version=V&hash=H&locator=L"; what has another name is ignored. */
static bool
take_params(struct yarnspec *spec, const char *text)
{
	struct {
		const char *name;
		char **value;
	} const params[] = {
		{ "version=", &spec->version },
		{ "hash=", &spec->hash },
		{ "locator=", &spec->locator },
	};

	for (const char *p = text; *p != '\0';) {
		size_t len = strcspn(p, "&");

		for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
			size_t n = strlen(params[i].name);

			if (strncmp(p, params[i].name, n) != 0)
				continue;
			if (*params[i].value != NULL)
				return false;
			*params[i].value = decode(p + n, len - n);
			if (*params[i].value == NULL)
				return false;
		}
		p += len + (p[len] == '&');
	}
	return true;
}

static size_t
count_char(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

/* The spec's parts; text is behind "patch:". */
static bool
take_parts(struct yarnspec *spec, const char *text)
{
	const char *params = strstr(text, "::");
	size_t len = params == NULL ? strlen(text) : (size_t)(params - text);
	const char *hash = memchr(text, '#', len);
	cleanup_free char *selector = NULL;

	if (hash == NULL)
		return false;
	spec->source = decode(text, (size_t)(hash - text));
	selector = decode(hash + 1, len - (size_t)(hash + 1 - text));
	if (spec->source == NULL || selector == NULL)
		return false;
	if (count_char(selector, '&') >= YARNSPEC_MAX_PATHS)
		return false;
	strvec_split(&spec->paths, selector, '&');
	return spec->paths.nr > 0 &&
	    (params == NULL || take_params(spec, params + 2)) &&
	    (spec->locator == NULL ||
		strlen(spec->locator) <= YARNSPEC_MAX_LOCATOR);
}

bool
yarnspec_parse(const char *text, struct yarnspec *ret_spec)
{
	const char *range = yarnspec_range(text);
	struct yarnspec spec = YARNSPEC_INIT;

	*ret_spec = spec;
	if (range == NULL || strncmp(range, PATCH, strlen(PATCH)) != 0)
		return false;
	spec.name = xstrndup(text, (size_t)(range - 1 - text));
	if (!take_parts(&spec, range + strlen(PATCH))) {
		yarnspec_release(&spec);
		return false;
	}
	*ret_spec = spec;
	return true;
}

void
yarnspec_release(struct yarnspec *spec)
{
	free(spec->name);
	free(spec->source);
	strvec_release(&spec->paths);
	free(spec->version);
	free(spec->hash);
	free(spec->locator);
	*spec = (struct yarnspec)YARNSPEC_INIT;
}

const char *
yarnspec_path(const char *path)
{
	const char *flag = strrchr(path, '!');

	return flag == NULL ? path : flag + 1;
}

bool
yarnspec_is_builtin(const char *path)
{
	const char *p = yarnspec_path(path);

	/* yarn 2 and 3 write "~builtin<...>" with the flag for "optional". */
	return strncmp(p + (*p == '~'), BUILTIN, strlen(BUILTIN)) == 0;
}

bool
yarnspec_is_only_builtin(const struct yarnspec *spec)
{
	for (size_t i = 0; i < spec->paths.nr; i++)
		if (!yarnspec_is_builtin(spec->paths.v[i]))
			return false;
	return true;
}

const char *
yarnspec_workspace(const char *locator)
{
	const char *range = yarnspec_range(locator);

	if (range == NULL || strncmp(range, WORKSPACE, strlen(WORKSPACE)) != 0)
		return NULL;
	return range + strlen(WORKSPACE);
}

struct parser {
	struct yarnlock lock;
	bool has_version;
	size_t nwanted; /* of all patches */
};

static int
take_version(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	int64_t version;

	if (e->kind != YAMLREAD_TEXT || p->has_version ||
	    !text_decimal(e->text, 0, 1000000, &version))
		return yamlread_refuse(e, "a bad version", dg);
	p->has_version = true;
	p->lock.version = (int)version;
	if (version >= 6 && version <= 10)
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "%s: version %d of the format is not known to this version of "
	    "drydock; 6 to 10 are",
	    e->what, p->lock.version);
}

/* A key has descriptors with ", " between them. */
static int
take_wanted(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	struct yarnlock_patch *patch = &p->lock.v[p->lock.nr - 1];

	for (const char *at = e->keys[0]; at != NULL;) {
		const char *end = strstr(at, ", ");
		cleanup_free char *one = end == NULL
		    ? xstrdup(at)
		    : xstrndup(at, (size_t)(end - at));

		if (p->nwanted++ == YARNLOCK_MAX_WANTED)
			return yamlread_refuse(
			    e, "too many keys of patched packages", dg);
		/* A power of two: it is full. */
		if ((patch->nwanted & (patch->nwanted - 1)) == 0)
			patch->wanted = xreallocarray(patch->wanted,
			    patch->nwanted > 0 ? 2 * patch->nwanted : 1,
			    sizeof(*patch->wanted));
		if (!yarnspec_parse(one, &patch->wanted[patch->nwanted]))
			return yamlread_refuse(
			    e, "a patched package whose key has no patch", dg);
		patch->nwanted++;
		at = end == NULL ? NULL : end + 2;
	}
	return 0;
}

static int
add_patch(struct parser *p, const struct yamlread_entry *e,
    struct yarnspec *given, struct diag *dg)
{
	p->lock.v =
	    xreallocarray(p->lock.v, p->lock.nr + 1, sizeof(*p->lock.v));
	p->lock.v[p->lock.nr++] = (struct yarnlock_patch){ .resolved = *given };
	*given = (struct yarnspec)YARNSPEC_INIT;
	return take_wanted(p, e, dg);
}

static int
take_resolution(
    struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	cleanup_yarnspec struct yarnspec spec = YARNSPEC_INIT;
	const char *range;
	const char *workspace;

	if (e->kind != YAMLREAD_TEXT)
		return yamlread_refuse(e, "a resolution that is no text", dg);
	workspace = yarnspec_workspace(e->text);
	if (workspace != NULL) {
		if (p->lock.workspaces.nr == MAX_WORKSPACES)
			return yamlread_refuse(e, "too many workspaces", dg);
		strvec_push(&p->lock.workspaces, workspace);
		return 0;
	}
	range = yarnspec_range(e->text);
	if (range == NULL || strncmp(range, PATCH, strlen(PATCH)) != 0)
		return 0;
	if (!yarnspec_parse(e->text, &spec))
		return yamlread_refuse(e, "a malformed patch", dg);
	if (yarnspec_is_only_builtin(&spec))
		return 0;
	if (spec.hash == NULL || strlen(spec.hash) < MIN_HASH ||
	    spec.hash[strspn(spec.hash, HEX)] != '\0')
		return yamlread_refuse(e, "a patch without a hash", dg);
	if (p->lock.nr == YARNLOCK_MAX_PATCHES)
		return yamlread_refuse(e, "too many patches", dg);
	return add_patch(p, e, &spec, dg);
}

static int
visit(void *arg, const struct yamlread_entry *e, struct diag *dg)
{
	struct parser *p = arg;

	if (e->document > 1)
		return yamlread_refuse(e, "a second document", dg);
	if (e->nkeys == 1)
		return e->kind == YAMLREAD_MAPPING
		    ? 0
		    : yamlread_refuse(e, "an entry that is no mapping", dg);
	if (e->nkeys != 2)
		return 0;
	if (strcmp(e->keys[0], "__metadata") == 0)
		return strcmp(e->keys[1], "version") == 0
		    ? take_version(p, e, dg)
		    : 0;
	return strcmp(e->keys[1], "resolution") == 0 ? take_resolution(p, e, dg)
						     : 0;
}

/* yarn 1 writes its mark into the second line. */
static bool
is_classic(const char *text, size_t len)
{
	for (size_t at = 0; at < len && text[at] == '#';) {
		const char *end = memchr(text + at, '\n', len - at);

		if (len - at >= strlen(CLASSIC) &&
		    strncmp(text + at, CLASSIC, strlen(CLASSIC)) == 0)
			return true;
		if (end == NULL)
			return false;
		at = (size_t)(end - text) + 1;
	}
	return false;
}

static bool
is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\n' && text[i] != '\r')
			return false;
	return true;
}

int
yarnlock_parse(struct yarnlock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	struct parser p = { .lock = YARNLOCK_INIT };
	int rc;

	if (len > YARNLOCK_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    YARNLOCK_MAX_SIZE);
	ret_lock->classic = is_classic(text, len);
	if (ret_lock->classic || is_blank(text, len))
		return 0;
	rc = yamlread(text, len, what, visit, &p, dg);
	if (rc == 0 && !p.has_version)
		rc = diag_set(
		    dg, DIAG_DATA, "%s: no version in __metadata", what);
	if (rc != 0) {
		yarnlock_release(&p.lock);
		return -1;
	}
	*ret_lock = p.lock;
	return 0;
}

void
yarnlock_release(struct yarnlock *lock)
{
	for (size_t i = 0; i < lock->nr; i++) {
		for (size_t k = 0; k < lock->v[i].nwanted; k++)
			yarnspec_release(&lock->v[i].wanted[k]);
		free(lock->v[i].wanted);
		yarnspec_release(&lock->v[i].resolved);
	}
	free(lock->v);
	strvec_release(&lock->workspaces);
	*lock = (struct yarnlock)YARNLOCK_INIT;
}
