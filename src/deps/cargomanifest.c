/* SPDX-License-Identifier: MIT */
/* Edits and judges the managed block among the statements of a Cargo.toml. */
#include "deps/cargomanifest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/toml.h"

#define WHAT "Cargo.toml"
#define BEGIN "# drydock patch: begin; \"drydock patch\" writes this block"
#define BEGIN_NO_NEWLINE BEGIN " (no newline before it)"
/*
 * Behind the last value, since cargo moves a line of its own at the text's end
 * behind the tables that "cargo add" appends.
 */
#define END " # drydock patch: end"
#define WORD_CHARS ASCII_ALNUM "-_+./"

struct manifest {
	const char *text;
	size_t len;
	size_t block; /* offset of the line BEGIN */
	size_t rest; /* offset of the first byte behind the block */
	bool has_block;
	bool no_newline; /* the user's text before the block has none */
	bool is_broken; /* the block, and not the user's text, is malformed */
};

/* Looks for conflicts in the statements of a text. */
struct judge {
	const struct cargomanifest_conflicts *conflicts;
	bool is_config; /* .cargo/config.toml, and not Cargo.toml */
	struct toml_path table;
};

static void
tell(const struct judge *j, const char *name, const char *why)
{
	j->conflicts->found(j->conflicts->arg, name, why);
}

/* Tells that a [patch] has a crate, if that is one of ours. */
static void
judge_name(const struct judge *j, const struct toml_path *path,
    const struct toml_slice *name)
{
	const struct cargomanifest_conflicts *c = j->conflicts;
	const struct toml_slice *source = &path->v[1];
	int shown = source->len < 100 ? (int)source->len : 100;

	for (size_t i = 0; i < c->nr; i++) {
		cleanup_strbuf struct strbuf why = STRBUF_INIT;
		const char *own = c->patches[i].name;

		if (name->len != strlen(own) ||
		    memcmp(name->at, own, name->len) != 0)
			continue;
		if (j->is_config)
			strbuf_addf(&why,
			    "[patch.%.*s] has %s, and cargo takes that; "
			    "remove it",
			    shown, source->at, own);
		else
			strbuf_addf(&why,
			    "your own [patch.%.*s] has %s; remove that, or do "
			    "not patch this crate here",
			    shown, source->at, own);
		tell(j, own, why.buf);
	}
}

/* Judges a key below "patch": patch.SOURCE.KEY, or keys below that. */
static void
judge_patch(const struct judge *j, const struct toml_path *path,
    const struct toml_slice *value)
{
	struct toml_slice name;

	if (path->nr >= 3)
		judge_name(j, path, &path->v[2]);
	else if (value == NULL)
		return;
	else if (value->at[0] != '{')
		tell(j, NULL, "[patch] cannot be judged");
	else if (!j->is_config)
		tell(j, NULL,
		    "[patch] as an inline table cannot be extended; write it "
		    "as [patch.crates-io]");
	if (path->nr < 4 || !toml_part_is(path, 3, "package"))
		return;
	if (value != NULL && toml_string(value, &name))
		judge_name(j, path, &name);
	else
		tell(j, NULL, "[patch] has a package that cannot be judged");
}

static int
judge_key(void *arg, const struct toml_path *path,
    const struct toml_slice *value, struct diag *dg)
{
	const struct judge *j = arg;

	(void)dg;
	if (toml_part_is(path, 0, "patch"))
		judge_patch(j, path, value);
	if (j->is_config) {
		if (toml_part_is(path, 0, "paths"))
			tell(j, NULL,
			    "\"paths\" replaces crates, and cargo takes these; "
			    "remove it");
		if (toml_part_is(path, 0, "include"))
			tell(j, NULL,
			    "\"include\" leads to files that are not judged; "
			    "move their settings here");
		if (toml_part_is(path, 0, "resolver") &&
		    toml_part_is(path, 1, "lockfile-path"))
			tell(j, NULL,
			    "resolver.lockfile-path leads to another lock "
			    "file; remove it");
		return 0;
	}
	if (path->nr >= 2 && toml_part_is(path, 0, "replace"))
		tell(j, NULL,
		    "cargo does not permit [replace] beside [patch]; write it "
		    "as [patch]");
	if (toml_part_is(path, 1, "workspace") &&
	    (toml_part_is(path, 0, "package") ||
		toml_part_is(path, 0, "project")))
		tell(j, NULL,
		    "package.workspace leads to another root, whose [patch] "
		    "cargo takes instead; patch in that directory");
	return 0;
}

static int
refuse_block(struct manifest *m, const char *text, size_t at, const char *why,
    struct diag *dg)
{
	m->is_broken = true;
	return json_refuse_at(text, at, WHAT, why, dg);
}

/* Returns true if the statement or comment begins with this. */
static bool
begins_with(const struct toml *t, const char *front)
{
	size_t len = strlen(front);

	return t->end - t->at >= len &&
	    memcmp(t->text + t->at, front, len) == 0;
}

static bool
ends_block(const struct toml *t)
{
	size_t end = t->end;
	size_t len = strlen(END);

	if (end > t->at && t->text[end - 1] == '\r')
		end--;
	return end - t->at >= len && memcmp(t->text + end - len, END, len) == 0;
}

/*
 * Finds the end of the block that begins at t->at.  What is in it will be
 * replaced, so there may be nothing else in it.
 */
static int
take_block(struct manifest *m, struct toml *t, struct diag *dg)
{
	bool more = true;

	if (m->has_block)
		return refuse_block(
		    m, t->text, t->at, "a second block of drydock's", dg);
	m->has_block = true;
	m->block = t->at;
	m->no_newline = toml_line_is(t, BEGIN_NO_NEWLINE);
	if (t->at > 0 && t->text[t->at - 1] != '\n')
		return refuse_block(m, t->text, t->at,
		    "blanks before the block of drydock's", dg);
	do {
		if (toml_next(t, &more, dg) != 0)
			return -1;
		if (!more)
			return refuse_block(m, t->text, m->block,
			    "the block of drydock's has no end", dg);
		if (!begins_with(t, "[patch.crates-io.") &&
		    !begins_with(t, "path = "))
			return refuse_block(m, t->text, t->at,
			    "a line in the block of drydock's that is not "
			    "drydock's; move it out of the block",
			    dg);
	} while (!ends_block(t));
	m->rest = t->end < t->len ? t->end + 1 : t->end;
	return 0;
}

static int
read_manifest(struct manifest *m,
    const struct cargomanifest_conflicts *conflicts, struct diag *dg)
{
	struct judge j = { .conflicts = conflicts };
	struct toml t;
	bool behind = false;
	bool more;

	if (m->len > CARGOMANIFEST_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, WHAT ": more than %zu bytes",
		    CARGOMANIFEST_MAX_SIZE);
	if (toml_begin(&t, m->text, m->len, WHAT, dg) != 0)
		return -1;
	for (;;) {
		if (toml_next(&t, &more, dg) != 0)
			return -1;
		if (!more)
			return 0;
		if (toml_line_is(&t, BEGIN) ||
		    toml_line_is(&t, BEGIN_NO_NEWLINE)) {
			if (take_block(m, &t, dg) != 0)
				return -1;
			behind = true;
			continue;
		}
		if (toml_is_comment(&t))
			continue;
		/* Such a key would be the block's last table's. */
		if (behind && !toml_is_header(&t))
			return refuse_block(m, t.text, t.at,
			    "a key behind the block of drydock's; move it up",
			    dg);
		behind = false;
		/* Without patches nothing is a conflict; no key is judged. */
		if (conflicts != NULL && conflicts->nr > 0 &&
		    toml_visit(&t, &j.table, judge_key, &j, dg) != 0)
			return -1;
	}
}

static bool
has_crlf(const char *text, size_t len)
{
	const char *newline = memchr(text, '\n', len);

	return newline != NULL && newline > text && newline[-1] == '\r';
}

static void
add_block(struct strbuf *out, bool no_newline, const char *eol,
    const struct cargomanifest_patch *patches, size_t nr)
{
	strbuf_addf(out, "%s%s", no_newline ? BEGIN_NO_NEWLINE : BEGIN, eol);
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(out, "[patch.crates-io.%s]%spath = \"%s\"%s%s",
		    patches[i].name, eol, patches[i].path,
		    i + 1 == nr ? END : "", eol);
}

/* Appends the user's bytes. */
static void
add_own(struct strbuf *own, const struct manifest *m)
{
	size_t front = m->has_block ? m->block : m->len;

	/* If the user added text behind, the lines must stay apart. */
	if (m->has_block && m->no_newline && m->rest == m->len && front > 0) {
		front--;
		if (front > 0 && m->text[front - 1] == '\r')
			front--;
	}
	strbuf_add(own, m->text, front);
	if (m->has_block)
		strbuf_add(own, m->text + m->rest, m->len - m->rest);
}

static void
refuse_conflict(void *arg, const char *name, const char *why)
{
	struct diag *dg = arg;

	(void)name;
	(void)diag_set(dg, DIAG_CONFIG, WHAT ": %s", why);
}

int
cargomanifest_set(const char *text, size_t len,
    const struct cargomanifest_patch *patches, size_t nr, struct strbuf *out,
    struct diag *dg)
{
	cleanup_diag struct diag conflict = DIAG_INIT;
	const struct cargomanifest_conflicts conflicts = { patches, nr,
		refuse_conflict, &conflict };
	struct manifest m = { .text = text, .len = len };
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	const char *eol;
	bool no_newline;

	if (read_manifest(&m, &conflicts, dg) != 0)
		return -1;
	if (conflict.class != DIAG_NONE)
		return diag_move(dg, &conflict);
	add_own(&own, &m);
	if (nr > 0) {
		eol = has_crlf(own.buf, own.len) ? "\r\n" : "\n";
		no_newline = own.len > 0 && own.buf[own.len - 1] != '\n';
		if (no_newline)
			strbuf_addstr(&own, eol);
		add_block(&own, no_newline, eol, patches, nr);
	}
	strbuf_add(out, own.buf, own.len);
	return 0;
}

/*
 * Takes the word between two texts out of a line at offset *at; *at is then the
 * next line's.  Returns NULL if the line is another.
 */
static char *
take_word(
    const struct manifest *m, size_t *at, const char *front, const char *behind)
{
	const char *line = m->text + *at;
	const char *newline = memchr(line, '\n', m->rest - *at);
	size_t len = newline == NULL ? 0 : (size_t)(newline - line);
	size_t nf = strlen(front);
	size_t nb = strlen(behind);

	if (newline == NULL)
		return NULL;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len < nf + nb || memcmp(line, front, nf) != 0 ||
	    memcmp(line + len - nb, behind, nb) != 0)
		return NULL;
	for (size_t i = nf; i < len - nb; i++)
		if (line[i] == '\0' || strchr(WORD_CHARS, line[i]) == NULL)
			return NULL;
	*at = (size_t)(newline + 1 - m->text);
	return xstrndup(line + nf, len - nf - nb);
}

/* Reads the block's patches; strings has name and path in turn. */
static void
take_patches(const struct manifest *m, struct cargomanifest_block *block)
{
	struct strvec *strings = &block->strings;
	const char *begin = memchr(m->text + m->block, '\n', m->len - m->block);
	size_t at = (size_t)(begin + 1 - m->text);

	for (;;) {
		char *name = take_word(m, &at, "[patch.crates-io.", "]");
		char *path =
		    name == NULL ? NULL : take_word(m, &at, "path = \"", "\"");

		if (name != NULL && path == NULL)
			path = take_word(m, &at, "path = \"", "\"" END);
		if (path == NULL) {
			free(name);
			break;
		}
		strvec_push_given(strings, name);
		strvec_push_given(strings, path);
	}
	block->nr = strings->nr / 2;
	block->v = xcalloc(block->nr + 1, sizeof(*block->v));
	for (size_t i = 0; i < block->nr; i++)
		block->v[i] = (struct cargomanifest_patch){ strings->v[2 * i],
			strings->v[2 * i + 1] };
}

static void
judge_block(const struct manifest *m, struct cargomanifest_block *block)
{
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;

	take_patches(m, block);
	add_own(&own, m);
	add_block(&want, m->no_newline,
	    has_crlf(own.buf, own.len) ? "\r\n" : "\n", block->v, block->nr);
	if (block->nr > 0 && want.len == m->rest - m->block &&
	    memcmp(want.buf, m->text + m->block, want.len) == 0) {
		block->state = CARGOMANIFEST_OURS;
		return;
	}
	cargomanifest_block_release(block);
	block->state = CARGOMANIFEST_FOREIGN;
}

int
cargomanifest_read(const char *text, size_t len,
    const struct cargomanifest_conflicts *conflicts,
    struct cargomanifest_block *ret_block, struct diag *dg)
{
	cleanup_diag struct diag broken = DIAG_INIT;
	struct manifest m = { .text = text, .len = len };

	if (read_manifest(&m, conflicts, &broken) != 0) {
		if (!m.is_broken)
			return diag_move(dg, &broken);
		ret_block->state = CARGOMANIFEST_FOREIGN;
		return 0;
	}
	if (m.has_block)
		judge_block(&m, ret_block);
	return 0;
}

void
cargomanifest_block_release(struct cargomanifest_block *block)
{
	free(block->v);
	strvec_release(&block->strings);
	*block = (struct cargomanifest_block)CARGOMANIFEST_BLOCK_INIT;
}

int
cargomanifest_judge_config(const char *text, size_t len, const char *what,
    const struct cargomanifest_conflicts *conflicts, struct diag *dg)
{
	struct judge j = { .conflicts = conflicts, .is_config = true };

	assert(conflicts->nr > 0);
	if (len > CARGOMANIFEST_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    CARGOMANIFEST_MAX_SIZE);
	return toml_visit_all(text, len, what, judge_key, &j, dg);
}

bool
cargomanifest_has_mark(const char *text, size_t len)
{
	return memmem(text, len, BEGIN, strlen(BEGIN)) != NULL;
}
