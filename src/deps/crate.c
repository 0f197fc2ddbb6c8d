/* SPDX-License-Identifier: MIT */
/*
 * Finds the package file of a crate and unpacks it; compares two manifests
 * statement by statement, and skips what is free.
 */
#include "deps/crate.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/cargomanifest.h"
#include "deps/packages.h"
#include "deps/packagetar.h"
#include "deps/toml.h"

#define LABEL_MAX 200

int
crate_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *checksum, struct strbuf *out,
    struct diag *dg)
{
	cleanup_cachedirs struct cachedirs dirs = CACHEDIRS_INIT;
	cleanup_free char *file = xasprintf("%s-%s.crate", name, version);

	cachedirs_open(
	    &dirs, &package_managers[PACKAGE_MANAGER_CARGO], sources);
	/* A mirror of crates.io has its own directory. */
	for (int crates_io = 1; crates_io >= 0; crates_io--)
		for (size_t i = 0; i < dirs.nr; i++)
			if (dirs.v[i].crates_io == (crates_io == 1) &&
			    cachedir_read(&dirs.v[i], file, file,
				PACKAGETAR_MAX_SIZE, checksum, out))
				return 0;
	/* cargo fetches nothing for a package that leads to a path. */
	return diag_set(dg, DIAG_NO,
	    "%s %s: no cache has the crate that the lock names; in a session "
	    "of a project without patches, add %s = \"=%s\" and run \"cargo "
	    "fetch\"",
	    name, version, name, version);
}

int
crate_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg)
{
	cleanup_free char *top = xasprintf("%s-%s", name, version);
	cleanup_free char *file = xasprintf("%s.crate", top);
	const struct packagetar_spec spec = { .file = file, .top = top };

	return packagetar_unpack(&spec, bytes, len, dir_fd, dg);
}

static const char *const free_tables[] = { "lib", "bin", "example", "test",
	"bench", "lints", "badges", "profile" };

static const char *const free_keys[] = { "authors", "autobenches", "autobins",
	"autoexamples", "autolib", "autotests", "build", "categories",
	"default-run", "description", "documentation", "exclude", "homepage",
	"include", "keywords", "license", "license-file", "metadata", "publish",
	"readme", "repository" };

/* One of the two texts, at a statement that must be the same in both. */
struct side {
	struct toml t;
	struct toml_path table;
	struct toml_path path; /* of the statement */
	struct strbuf plain; /* owned; the statement */
	bool more;
};

#define cleanup_side __attribute__((cleanup(side_release)))

static void
side_release(struct side *s)
{
	strbuf_release(&s->plain);
}

static bool
is_free(const struct toml_path *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(free_tables); i++)
		if (toml_part_is(path, 0, free_tables[i]))
			return true;
	if (!toml_part_is(path, 0, "package"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(free_keys); i++)
		if (toml_part_is(path, 1, free_keys[i]))
			return true;
	return false;
}

/* Keeps the statement's own key, and does not enter its value. */
static int
keep_path(void *arg, const struct toml_path *path,
    const struct toml_slice *value, struct diag *dg)
{
	struct toml_path *keep = arg;

	(void)value;
	(void)dg;
	*keep = *path;
	return 1;
}

static int
begin(struct side *s, const char *text, size_t len, const char *what,
    struct diag *dg)
{
	if (len > CARGOMANIFEST_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    CARGOMANIFEST_MAX_SIZE);
	return toml_begin(&s->t, text, len, what, dg);
}

/*
 * Moves to the next statement that is not free.  A free header's keys are free,
 * so that the header before a statement here is the statement's own.
 */
static int
next(struct side *s, struct diag *dg)
{
	for (;;) {
		if (toml_next(&s->t, &s->more, dg) != 0)
			return -1;
		if (!s->more)
			return 0;
		if (toml_is_comment(&s->t))
			continue;
		if (toml_visit(&s->t, &s->table, keep_path, &s->path, dg) < 0)
			return -1;
		if (is_free(&s->path))
			continue;
		strbuf_reset(&s->plain);
		toml_add_plain(
		    &s->plain, s->t.text + s->t.at, s->t.end - s->t.at);
		return 0;
	}
}

static bool
same(const struct side *a, const struct side *b)
{
	return a->more == b->more &&
	    (!a->more || strbuf_equal(&a->plain, &b->plain));
}

static void
add_label(struct strbuf *out, const struct toml_path *path)
{
	for (size_t i = 0; i < path->nr; i++) {
		if (i > 0)
			strbuf_addch(out, '.');
		strbuf_add(out, path->v[i].at, path->v[i].len);
		if (out->len > LABEL_MAX)
			strbuf_setlen(out, LABEL_MAX);
	}
}

/* Names the statement that was added, removed or changed. */
static int
refuse(
    struct side *before, struct side *after, const char *what, struct diag *dg)
{
	cleanup_strbuf struct strbuf label = STRBUF_INIT;
	struct toml_path added = after->path;
	bool is_added = !before->more;

	/* If the original's statement comes later, this one was added. */
	while (after->more && !is_added) {
		if (next(after, dg) != 0)
			return -1;
		is_added = same(before, after);
	}
	add_label(&label, is_added ? &added : &before->path);
	return diag_set(dg, DIAG_CONFIG,
	    "%s: the patch changes \"%s\" in Cargo.toml, which can change what "
	    "cargo resolves; take that out of the patch",
	    what, label.buf);
}

int
crate_compare(const char *before, size_t before_len, const char *after,
    size_t after_len, const char *what, struct diag *dg)
{
	cleanup_side struct side a = { .plain = STRBUF_INIT };
	cleanup_side struct side b = { .plain = STRBUF_INIT };
	cleanup_strbuf struct strbuf a_name = STRBUF_INIT;
	cleanup_strbuf struct strbuf b_name = STRBUF_INIT;

	strbuf_addf(&a_name, "%s: the original Cargo.toml", what);
	strbuf_addf(&b_name, "%s: the patched Cargo.toml", what);
	if (begin(&a, before, before_len, a_name.buf, dg) != 0 ||
	    begin(&b, after, after_len, b_name.buf, dg) != 0)
		return -1;
	do {
		if (next(&a, dg) != 0 || next(&b, dg) != 0)
			return -1;
		if (!same(&a, &b))
			return refuse(&a, &b, what, dg);
	} while (a.more);
	return 0;
}
