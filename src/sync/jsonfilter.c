/* SPDX-License-Identifier: MIT */
/*
 * jsonfilter: jq chooses paths in a parsed copy.  The offsets of the parsed
 * values give the bytes to remove.
 */
#include "sync/jsonfilter.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/jqprog.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

struct jsonfilter {
	struct jqprog *prog; /* owned; NULL: nothing is removed */
};

/*
 * A JSON string is a valid jq string.  Backslashes stay escaped, so that value
 * cannot contain an interpolation \(...).
 */
static int
add_definition(struct strbuf *program, const char *name, const char *value,
    struct diag *dg)
{
	struct jsonw *w = jsonw_new(false);

	jsonw_str(w, value);
	strbuf_addf(program, "def %s: ", name);
	if (jsonw_finish(w, program, dg) != 0)
		return -1;
	strbuf_addstr(program, ";\n");
	return 0;
}

int
jsonfilter_new(const struct strvec *drop, const char *home, const char *project,
    struct jsonfilter **ret_filter, struct diag *dg)
{
	cleanup_jsonfilter struct jsonfilter *f = xcalloc(1, sizeof(*f));
	cleanup_strbuf struct strbuf program = STRBUF_INIT;
	cleanup_free char *paths = NULL;

	if (add_definition(&program, "home", home, dg) != 0 ||
	    add_definition(&program, "project", project, dg) != 0)
		return -1;
	paths = strvec_join(drop, "),\n(");
	strbuf_addf(&program, "[path((%s))]", paths);
	if (drop->nr > 0 &&
	    jqprog_compile("what to drop", program.buf, &f->prog, dg) != 0)
		return -1;
	*ret_filter = steal_ptr(&f);
	return 0;
}

void
jsonfilter_freep(struct jsonfilter **filter)
{
	if (*filter != NULL)
		jqprog_free((*filter)->prog);
	free(*filter);
	*filter = NULL;
}

/*
 * Returns text, or scratch with a copy in which each escaped lone surrogate is
 * \ufffd.  Both have the same length, so offsets are valid in both.  jq and
 * yajl decode \ufffd alike, so the key that jq names is the key that is
 * removed.
 */
static const char *
mask_surrogates(const char *text, size_t len, struct strbuf *scratch)
{
	static const char replacement[] = "\\ufffd";
	size_t at = 0;

	while (json_find_lone_surrogate(text, len, at, &at)) {
		if (scratch->len == 0)
			strbuf_add(scratch, text, len);
		memcpy(scratch->buf + at, replacement, sizeof(replacement) - 1);
		at += sizeof(replacement) - 1;
	}
	return scratch->len > 0 ? scratch->buf : text;
}

/*
 * The paths from jq's path(), sorted: paths through the same value are
 * adjacent.
 */
struct drop_paths {
	struct json *root; /* owned; the list of paths */
	const struct json **v; /* owned array; its elements belong to root */
	size_t nr;
};

static void
drop_paths_release(struct drop_paths *p)
{
	json_free(p->root);
	free(p->v);
}

/* Orders steps: array indices before keys, and keys by their bytes. */
static int
compare_step(const struct json *step, const char *key, size_t len)
{
	int64_t index = 0;
	size_t n = 0;
	const char *s = json_string_len(step, &n);
	int order;

	if (s == NULL && key == NULL) {
		(void)json_int(step, &index);
		return ((size_t)index > len) - ((size_t)index < len);
	}
	if (s == NULL || key == NULL)
		return s == NULL ? -1 : 1;
	order = memcmp(s, key, n < len ? n : len);
	return order != 0 ? order : (n > len) - (n < len);
}

static int
compare_paths(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a;
	const struct json *y = *(const struct json *const *)b;
	size_t most = json_len(x) < json_len(y) ? json_len(x) : json_len(y);

	for (size_t i = 0; i < most; i++) {
		int64_t index = 0;
		size_t len = 0;
		const char *key = json_string_len(json_at(y, i), &len);
		int order;

		if (key == NULL) {
			(void)json_int(json_at(y, i), &index);
			len = (size_t)index;
		}
		order = compare_step(json_at(x, i), key, len);
		if (order != 0)
			return order;
	}
	return (json_len(x) > json_len(y)) - (json_len(x) < json_len(y));
}

/* Returns NULL, or the reason why path cannot be removed. */
static const char *
path_fault(const struct json *path)
{
	int64_t index;

	if (!json_is_array(path))
		return "not a list of paths";
	if (json_len(path) == 0)
		return "the whole document is dropped";
	for (size_t i = 0; i < json_len(path); i++) {
		const struct json *step = json_at(path, i);

		if (json_is_string(step))
			continue;
		if (!json_int(step, &index))
			return "a path is not of keys and numbers";
		if (index < 0)
			return "a path counts from an array's end";
	}
	return NULL;
}

static int
read_drop_paths(
    const char *text, size_t len, struct drop_paths *paths, struct diag *dg)
{
	const char *fault = NULL;

	if (json_parse_loose(text, len, "what to drop", &paths->root, dg) != 0)
		return -1;
	if (!json_is_array(paths->root))
		fault = "not a list of paths";
	paths->nr = json_len(paths->root);
	paths->v = xcalloc(paths->nr + 1, sizeof(struct json *));
	for (size_t i = 0; fault == NULL && i < paths->nr; i++) {
		paths->v[i] = json_at(paths->root, i);
		fault = path_fault(paths->v[i]);
	}
	if (fault != NULL)
		return diag_set(dg, DIAG_CONFIG, "what to drop: %s", fault);
	if (paths->nr > 1)
		qsort(
		    paths->v, paths->nr, sizeof(struct json *), compare_paths);
	return 0;
}

/*
 * A value, and the range of paths that lead to it or through it: [low, high).
 */
struct cursor {
	const struct json *node;
	size_t depth;
	size_t low;
	size_t high;
};

struct cut {
	const char *text;
	const char *what;
	const struct drop_paths *paths;
	struct strbuf *out;
	size_t done; /* text is copied or removed up to this offset */
};

/*
 * Binary search for the first path whose step is not before this one (before is
 * 0), or is after this one (before is 1).
 */
static size_t
bound(const struct cut *c, const struct cursor *at, const char *key, size_t len,
    int before)
{
	size_t low = at->low;
	size_t high = at->high;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct json *step =
		    json_at(c->paths->v[middle], at->depth);

		if (compare_step(step, key, len) < before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* If key is NULL, child is element number len of an array. */
static struct cursor
step(const struct cut *c, const struct cursor *at, const struct json *child,
    const char *key, size_t len)
{
	struct cursor next = { child, at->depth + 1, at->low, at->low };

	if (at->low < at->high) {
		next.low = bound(c, at, key, len, 0);
		next.high = bound(c, at, key, len, 1);
	}
	return next;
}

/* The shortest path is the first of the paths with equal steps. */
static bool
is_dropped(const struct cut *c, const struct cursor *at)
{
	return at->low < at->high &&
	    json_len(c->paths->v[at->low]) == at->depth;
}

/* Copies the text up to start, and skips the text from start to end. */
static void
leave_out(struct cut *c, size_t start, size_t end)
{
	strbuf_add(c->out, c->text + c->done, start - c->done);
	c->done = end;
}

static int
check_kept(struct cut *c, const struct cursor *at, struct json_key *kept,
    size_t nr, struct diag *dg)
{
	const struct json_key *twice = json_find_duplicate(kept, nr);
	cleanup_free char *why = NULL;

	if (twice == NULL)
		return 0;
	why = xasprintf("duplicate key \"%.80s\"", twice->text);
	return json_refuse_at(
	    c->text, json_end(at->node) - 1, c->what, why, dg);
}

/*
 * Removes members together with one comma: the comma before the member, or the
 * comma after it if no member before it is kept.  The depth of the recursion is
 * at most JSON_LOOSE_DEPTH.
 */
static int
cut_container(struct cut *c, const struct cursor *at, struct diag *dg)
{
	const struct json_key *keys = json_keys(at->node);
	size_t nr = json_len(at->node);
	cleanup_free struct json_key *kept =
	    keys != NULL ? xcalloc(nr + 1, sizeof(*kept)) : NULL;
	size_t nkept = 0;
	size_t last_end = 0;
	size_t first_dropped = 0;
	bool pending = false;

	for (size_t i = 0; i < nr; i++) {
		const struct json *child = keys != NULL
		    ? json_value_at(at->node, i)
		    : json_at(at->node, i);
		size_t start = keys != NULL ? keys[i].start : json_start(child);
		const struct cursor next = keys != NULL
		    ? step(c, at, child, keys[i].text, keys[i].len)
		    : step(c, at, child, NULL, i);

		if (is_dropped(c, &next)) {
			if (nkept > 0)
				leave_out(c, last_end, json_end(child));
			else if (!pending)
				first_dropped = start;
			pending = nkept == 0;
		} else {
			if (pending)
				leave_out(c, first_dropped, start);
			pending = false;
			if (kept != NULL)
				kept[nkept] = keys[i];
			nkept++;
			if (cut_container(c, &next, dg) != 0)
				return -1;
		}
		last_end = json_end(child);
	}
	if (pending)
		leave_out(c, first_dropped, last_end);
	return kept == NULL ? 0 : check_kept(c, at, kept, nkept, dg);
}

/*
 * Appends the text without the values that the paths in chosen lead to.  chosen
 * is a list in JSON, or empty: all is kept.  prog fills it first, unless NULL.
 */
static int
cut_document(struct jqprog *prog, struct strbuf *chosen, const char *text,
    size_t len, const char *what, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf scratch = STRBUF_INIT;
	cleanup_strbuf struct strbuf left = STRBUF_INIT;
	const char *read = mask_surrogates(text, len, &scratch);
	cleanup_json struct json *root = NULL;
	__attribute__((cleanup(
	    drop_paths_release))) struct drop_paths paths = { .root = NULL };
	struct cut c = { text, what, &paths, &left, 0 };

	if (json_parse_loose(read, len, what, &root, dg) != 0)
		return -1;
	if ((prog != NULL && jqprog_run(prog, read, len, chosen, dg) != 0) ||
	    (chosen->len > 0 &&
		read_drop_paths(chosen->buf, chosen->len, &paths, dg) != 0))
		return diag_wrap(dg, "%s", what);
	if (cut_container(&c, &(struct cursor){ root, 0, 0, paths.nr }, dg) !=
	    0)
		return -1;
	leave_out(&c, len, len);
	strbuf_add(out, left.buf, left.len);
	return 0;
}

int
jsonfilter_run(struct jsonfilter *filter, const char *text, size_t len,
    const char *what, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf chosen = STRBUF_INIT;

	return cut_document(filter->prog, &chosen, text, len, what, out, dg);
}

/* Returns the name of the program in a command, or NULL. */
static const char *
program_name(const char *command, size_t len)
{
	static const char characters[] = ASCII_ALNUM "._+-@";
	static const char *const dirs[] = { "/usr/bin/", "/bin/" };

	/* A NUL ends no string of JSON. */
	if (command == NULL || strlen(command) != len)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (strncmp(command, dirs[i], strlen(dirs[i])) != 0)
			continue;
		command += strlen(dirs[i]);
		break;
	}
	return *command != '\0' && command[strspn(command, characters)] == '\0'
	    ? command
	    : NULL;
}

/* Finds [PATH, COMMAND] for each command; PATH leads to what contains it. */
static int
find_commands(const struct strvec *expressions, const char *text, size_t len,
    struct strbuf *ret_found, struct diag *dg)
{
	cleanup_free char *joined = strvec_join(expressions, "),\n(");
	cleanup_free char *program =
	    xasprintf("[path((%s)) as $p | getpath($p) | strings |\n"
		      "select($p | length > 1) | [$p[:-1], .]]",
		joined);
	cleanup_jqprog struct jqprog *prog = NULL;

	if (jqprog_compile("programs", program, &prog, dg) != 0)
		return -1;
	return jqprog_run(prog, text, len, ret_found, dg);
}

int
jsonfilter_run_programs(const struct strvec *expressions,
    const struct strvec *programs, const char *text, size_t len,
    const char *what, struct strbuf *out, struct strvec *ret_left_out,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf found = STRBUF_INIT;
	cleanup_strbuf struct strbuf paths = STRBUF_INIT;
	cleanup_json struct json *root = NULL;

	if (find_commands(expressions, text, len, &found, dg) != 0 ||
	    json_parse_loose(found.buf, found.len, "programs", &root, dg) != 0)
		return diag_wrap(dg, "%s", what);
	for (size_t i = 0; i < json_len(root); i++) {
		const struct json *path = json_at(json_at(root, i), 0);
		size_t n = 0;
		const char *command =
		    json_string_len(json_at(json_at(root, i), 1), &n);
		const char *name = program_name(command, n);
		const char *key =
		    json_string(json_at(path, json_len(path) - 1));

		if (name == NULL || strvec_has(programs, name))
			continue;
		strvec_pushf(ret_left_out, "%s (%s)",
		    key != NULL ? key : "an entry", command);
		strbuf_addstr(&paths, paths.len == 0 ? "[" : ",");
		strbuf_add(&paths, found.buf + json_start(path),
		    json_end(path) - json_start(path));
	}
	if (paths.len > 0)
		strbuf_addch(&paths, ']');
	return cut_document(NULL, &paths, text, len, what, out, dg);
}
