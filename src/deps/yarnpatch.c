/* SPDX-License-Identifier: MIT */
/*
 * Reads a patch as yarn does and writes what yarn makes of it, in the same
 * order of keys: yarn hashes this JSON.
 */
#include "deps/yarnpatch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "deps/otherpatches.h"
#include "host/text.h"

#define CACHE_VERSION "3" /* yarn's, in front of what it hashes */
#define DIGITS "0123456789"
#define WORD                         \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_"
#define BLANKS " \t\v\f\r"

/* What the lines in front of the changes of one file say. */
enum field {
	OLD_MODE,
	NEW_MODE,
	DELETED_MODE,
	CREATED_MODE,
	RENAME_FROM,
	RENAME_TO,
	FROM_PATH,
	TO_PATH,
	DIFF_FROM,
	DIFF_TO,
	BEFORE_HASH,
	AFTER_HASH,
	NFIELDS
};

/* A line of a field: its front, and what yarn cuts. */
static const struct {
	const char *front;
	size_t cut;
	enum field field;
} headers[] = {
	{ "old mode ", 9, OLD_MODE },
	{ "new mode ", 9, NEW_MODE },
	{ "deleted file mode ", 18, DELETED_MODE },
	{ "new file mode ", 14, CREATED_MODE },
	{ "rename from ", 12, RENAME_FROM },
	{ "rename to ", 10, RENAME_TO },
	{ "--- ", 6, FROM_PATH },
	{ "+++ ", 6, TO_PATH },
};

struct parser {
	struct strbuf *out; /* borrowed; the JSON of all files */
	struct diag *dg;
	char *fields[NFIELDS]; /* owned; of the file; or NULL */
	bool in_hunks;
	bool has_hunks; /* the file has a first "@@" */
	struct strbuf hunks; /* JSON of the file's hunks, "," between */
	struct strbuf first; /* JSON of the first one */
	/* The open hunk. */
	bool open;
	struct strbuf hunk; /* its header, and parts that are complete */
	int64_t left_old; /* lines that the header promises */
	int64_t left_new;
	/* The open part. */
	char part; /* ' ', '+', '-', or 0 */
	bool no_newline;
	struct strbuf lines;
	size_t nparts;
};

static int
refuse(const struct parser *p, const char *why)
{
	return diag_set(p->dg, DIAG_DATA, "%s", why);
}

/* As JSON.stringify() does. */
static void
add_json(struct strbuf *out, const char *text, size_t len)
{
	static const char short_escapes[] = "btn\0fr";

	strbuf_addch(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c >= '\b' && c <= '\r' && c != '\v')
			strbuf_addf(out, "\\%c", short_escapes[c - '\b']);
		else if (c < ' ')
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_addch(out, (char)c);
	}
	strbuf_addch(out, '"');
}

static void
add_text(struct strbuf *out, const char *key, const char *text)
{
	strbuf_addf(out, ",\"%s\":", key);
	if (text == NULL)
		strbuf_addstr(out, "null");
	else
		add_json(out, text, strlen(text));
}

/* The path without ".", ".." and empty components, below the package. */
static void
add_path(struct strbuf *out, const char *key, const char *path)
{
	cleanup_free char *clean =
	    otherpatches_path("", path + strspn(path, "/"));
	const char *p = clean;

	/* What leads out of the package begins at its top. */
	while (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
		p += 2 + (p[2] == '/');
	add_text(out, key, p);
}

/* Returned: the text without blanks around it. */
static char *
trimmed(const char *text, size_t len)
{
	while (len > 0 && strchr(BLANKS, *text) != NULL) {
		text++;
		len--;
	}
	while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
		len--;
	return xstrndup(text, len);
}

static void
set_field(struct parser *p, enum field field, char *given)
{
	free(p->fields[field]);
	p->fields[field] = given;
}

/* An empty text is no value for yarn. */
static const char *
get_field(const struct parser *p, enum field field)
{
	const char *text = p->fields[field];

	return text != NULL && *text != '\0' ? text : NULL;
}

static void
end_part(struct parser *p)
{
	static const char *const names[] = { "insertion", "deletion",
		"context" };
	const char *name = names[p->part == '+' ? 0 : p->part == '-' ? 1 : 2];

	if (p->part == 0)
		return;
	strbuf_addf(&p->hunk,
	    "%s{\"type\":\"%s\",\"lines\":[%s],"
	    "\"noNewlineAtEndOfFile\":%s}",
	    p->nparts++ > 0 ? "," : "", name, p->lines.buf,
	    p->no_newline ? "true" : "false");
	strbuf_reset(&p->lines);
	p->part = 0;
	p->no_newline = false;
}

static int
end_hunk(struct parser *p)
{
	if (!p->open)
		return 0;
	end_part(p);
	if (p->left_old != 0 || p->left_new != 0)
		return refuse(
		    p, "a hunk has another number of lines than it says");
	strbuf_addstr(&p->hunk, "]}");
	if (p->hunks.len == 0)
		strbuf_add(&p->first, p->hunk.buf, p->hunk.len);
	else
		strbuf_addch(&p->hunks, ',');
	strbuf_add(&p->hunks, p->hunk.buf, p->hunk.len);
	strbuf_reset(&p->hunk);
	p->open = false;
	return 0;
}

static int
add_mode(struct parser *p, const char *key, const char *text)
{
	size_t len = strspn(text, "01234567");
	unsigned int mode = 0;

	/* yarn takes the last 9 bits: 100644 is 644. */
	for (size_t i = len > 3 ? len - 3 : 0; i < len; i++)
		mode = mode * 8 + (unsigned int)(text[i] - '0');
	if (mode != 0644 && mode != 0755)
		return refuse(p, "a file mode that is not 644 or 755");
	strbuf_addf(p->out, ",\"%s\":%u", key, mode);
	return 0;
}

/* A file that is made or removed. */
static int
add_whole(struct parser *p, const char *type, enum field mode, const char *path,
    enum field hash)
{
	if (path == NULL)
		return refuse(p, "a file without a path");
	strbuf_addf(p->out, "{\"type\":\"%s\",\"hunk\":%s", type,
	    p->first.len > 0 ? p->first.buf : "null");
	add_path(p->out, "path", path);
	if (add_mode(p, "mode", p->fields[mode]) != 0)
		return -1;
	add_text(p->out, "hash", p->fields[hash]);
	strbuf_addch(p->out, '}');
	return 0;
}

static int
add_changes(struct parser *p, const char *path)
{
	const char *old_mode = get_field(p, OLD_MODE);
	const char *new_mode = get_field(p, NEW_MODE);

	if (path == NULL)
		return 0;
	if (old_mode != NULL && new_mode != NULL &&
	    strcmp(old_mode, new_mode) != 0) {
		strbuf_addstr(p->out, "{\"type\":\"mode change\"");
		add_path(p->out, "path", path);
		if (add_mode(p, "oldMode", old_mode) != 0 ||
		    add_mode(p, "newMode", new_mode) != 0)
			return -1;
		strbuf_addch(p->out, '}');
	}
	if (p->hunks.len > 0) {
		strbuf_addstr(p->out, "{\"type\":\"patch\"");
		add_path(p->out, "path", path);
		strbuf_addf(p->out, ",\"hunks\":[%s]", p->hunks.buf);
		add_text(p->out, "beforeHash", p->fields[BEFORE_HASH]);
		add_text(p->out, "afterHash", p->fields[AFTER_HASH]);
		strbuf_addch(p->out, '}');
	}
	return 0;
}

static int
add_rename(struct parser *p)
{
	const char *from = get_field(p, RENAME_FROM);
	const char *to = get_field(p, RENAME_TO);

	if (from == NULL || to == NULL)
		return refuse(p, "a file that is renamed to no name");
	strbuf_addstr(p->out, "{\"type\":\"rename\"");
	add_path(p->out, "fromPath", from);
	add_path(p->out, "toPath", to);
	strbuf_addch(p->out, '}');
	return add_changes(p, to);
}

static const char *
either(const struct parser *p, enum field first, enum field second)
{
	const char *text = get_field(p, first);

	return text != NULL ? text : get_field(p, second);
}

static int
add_file(struct parser *p)
{
	if (get_field(p, RENAME_FROM) != NULL)
		return add_rename(p);
	if (get_field(p, DELETED_MODE) != NULL)
		return add_whole(p, "file deletion", DELETED_MODE,
		    either(p, DIFF_FROM, FROM_PATH), BEFORE_HASH);
	if (get_field(p, CREATED_MODE) != NULL)
		return add_whole(p, "file creation", CREATED_MODE,
		    either(p, DIFF_TO, TO_PATH), AFTER_HASH);
	return add_changes(p, either(p, TO_PATH, DIFF_TO));
}

static int
end_file(struct parser *p)
{
	if (end_hunk(p) != 0 || add_file(p) != 0)
		return -1;
	for (size_t i = 0; i < NFIELDS; i++)
		set_field(p, (enum field)i, NULL);
	strbuf_reset(&p->hunks);
	strbuf_reset(&p->first);
	return 0;
}

/* "diff --git a/FROM b/TO": the first " b/" ends FROM. */
static int
take_diff(struct parser *p, const char *line)
{
	static const char front[] = "diff --git a/";
	const char *from = line + strlen(front);
	const char *to;

	if (get_field(p, DIFF_FROM) != NULL && end_file(p) != 0)
		return -1;
	to = strncmp(line, front, strlen(front)) == 0 ? strstr(from, " b/")
						      : NULL;
	if (to == NULL)
		return refuse(p, "a malformed \"diff --git\" line");
	set_field(p, DIFF_FROM, xstrndup(from, (size_t)(to - from)));
	to += 3;
	set_field(p, DIFF_TO, xstrdup(to));
	for (size_t n = strlen(to); n > 0 && strchr(BLANKS, to[n - 1]) != NULL;)
		p->fields[DIFF_TO][--n] = '\0';
	return 0;
}

/* "index BEFORE..AFTER MODE" */
static void
take_index(struct parser *p, const char *line)
{
	for (const char *dots = strstr(line, ".."); dots != NULL;
	     dots = strstr(dots + 1, "..")) {
		const char *before = dots;
		size_t after = strspn(dots + 2, WORD);

		while (before > line && strchr(WORD, before[-1]) != NULL)
			before--;
		if (before == dots || after == 0)
			continue;
		set_field(
		    p, BEFORE_HASH, xstrndup(before, (size_t)(dots - before)));
		set_field(p, AFTER_HASH, xstrndup(dots + 2, after));
		return;
	}
}

static int
take_header(struct parser *p, const char *line)
{
	if (strncmp(line, "diff --git ", 11) == 0)
		return take_diff(p, line);
	if (strncmp(line, "semver exclusivity ", 19) == 0)
		return diag_set(p->dg, DIAG_CONFIG,
		    "it is for some versions of the package alone");
	if (strncmp(line, "index ", 6) == 0)
		take_index(p, line);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		const char *front = headers[i].front;
		size_t len = strlen(line);
		size_t cut = headers[i].cut;

		if (strncmp(line, front, strlen(front)) != 0)
			continue;
		if (cut > len)
			cut = len;
		set_field(p, headers[i].field, trimmed(line + cut, len - cut));
		return 0;
	}
	return 0;
}

/* "START[,LENGTH]"; a length that is not there is 1. */
static bool
take_range(const char **at, int64_t *ret_start, int64_t *ret_length)
{
	cleanup_free char *start = NULL;
	cleanup_free char *length = NULL;
	size_t n = strspn(*at, DIGITS);

	start = xstrndup(*at, n);
	*at += n;
	if (**at == ',') {
		n = strspn(++*at, DIGITS);
		length = xstrndup(*at, n);
		*at += n;
	}
	*ret_length = 1;
	/* More lines than any file has: yarn's numbers end at 2^53. */
	return text_decimal(start, 0, INT32_MAX, ret_start) &&
	    (length == NULL || text_decimal(length, 0, INT32_MAX, ret_length));
}

static int
begin_hunk(struct parser *p, const char *line)
{
	const char *at = line + 4;
	int64_t start;
	int64_t new_start;

	if (end_hunk(p) != 0)
		return -1;
	if (strncmp(line, "@@ -", 4) != 0 ||
	    !take_range(&at, &start, &p->left_old) || strncmp(at, " +", 2) != 0)
		return refuse(p, "a malformed \"@@\" line");
	at += 2;
	if (!take_range(&at, &new_start, &p->left_new) ||
	    strncmp(at, " @@", 3) != 0)
		return refuse(p, "a malformed \"@@\" line");
	strbuf_addf(&p->hunk,
	    "{\"header\":{\"original\":{\"start\":%lld,\"length\":%lld},"
	    "\"patched\":{\"start\":%lld,\"length\":%lld}},\"parts\":[",
	    (long long)MAX(start, 1), (long long)p->left_old,
	    (long long)MAX(new_start, 1), (long long)p->left_new);
	p->open = true;
	p->nparts = 0;
	return 0;
}

static int
take_change(struct parser *p, char type, const char *line)
{
	if (!p->open)
		return refuse(p, "a change before its \"@@\" line");
	if (p->part != type)
		end_part(p);
	p->part = type;
	if (p->lines.len > 0)
		strbuf_addch(&p->lines, ',');
	if (*line != '\0')
		line++;
	add_json(&p->lines, line, strlen(line));
	p->left_old -= type != '+';
	p->left_new -= type != '-';
	return 0;
}

static int
take_hunk_line(struct parser *p, const char *line)
{
	switch (*line) {
	case '@':
		return begin_hunk(p, line);
	case '+':
	case '-':
		return take_change(p, *line, line);
	case ' ':
	case '\0':
		return take_change(p, ' ', line);
	case '\\':
		if (p->part == 0 ||
		    strncmp(line, "\\ No newline at end of file", 27) != 0)
			return refuse(p, "a line with a backslash in front");
		p->no_newline = true;
		return 0;
	default:
		p->in_hunks = false;
		if (end_file(p) != 0)
			return -1;
		return take_header(p, line);
	}
}

static int
take_line(struct parser *p, const char *line)
{
	if (!p->in_hunks && strncmp(line, "@@", 2) == 0)
		p->in_hunks = true;
	return p->in_hunks ? take_hunk_line(p, line) : take_header(p, line);
}

static int
take_lines(struct parser *p, const struct strbuf *text)
{
	for (size_t at = 0; at < text->len;) {
		const char *line = text->buf + at;
		const char *end = memchr(line, '\n', text->len - at);
		size_t len =
		    end == NULL ? text->len - at : (size_t)(end - line);
		cleanup_free char *one = xstrndup(line, len);

		if (take_line(p, one) != 0)
			return -1;
		at += len + 1;
	}
	return end_file(p);
}

/* Appends the JSON of what yarn reads from a patch. */
static int
add_effects(struct strbuf *out, const struct strbuf *text, struct diag *dg)
{
	struct parser p = { .out = out,
		.dg = dg,
		.hunks = STRBUF_INIT,
		.first = STRBUF_INIT,
		.hunk = STRBUF_INIT,
		.lines = STRBUF_INIT };
	size_t before = out->len;
	int rc = take_lines(&p, text);

	if (rc == 0 && out->len == before)
		rc = refuse(&p, "it changes nothing");
	for (size_t i = 0; i < NFIELDS; i++)
		free(p.fields[i]);
	strbuf_release(&p.hunks);
	strbuf_release(&p.first);
	strbuf_release(&p.hunk);
	strbuf_release(&p.lines);
	return rc;
}

/* Appends the text with LF alone; yarn does so for clones on Windows. */
static int
normalise(struct strbuf *out, const struct strbuf *text, struct diag *dg)
{
	if (!utf8_valid(text->buf, text->len) ||
	    memchr(text->buf, '\0', text->len) != NULL)
		return diag_set(dg, DIAG_DATA, "it is not UTF-8 text");
	for (size_t i = 0; i < text->len; i++) {
		size_t n = strcspn(text->buf + i, "\r");

		strbuf_add(out, text->buf + i, n);
		i += n;
		if (i < text->len && text->buf[i + 1] != '\n')
			strbuf_addch(out, '\n');
	}
	return 0;
}

static bool
has_hash(const struct strbuf *hashed, const char *hash)
{
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	struct digest d;

	digest_of(DIGEST_SHA512, hashed->buf, hashed->len, &d);
	digest_add_hex(&hex, &d);
	return strncmp(hex.buf, hash, strlen(hash)) == 0;
}

int
yarnpatch_compare(const struct yarnpatch_file *files, size_t nr,
    const char *hash, bool *ret_same, struct diag *dg)
{
	cleanup_strbuf struct strbuf effects = STRBUF_INIT;
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT; /* yarn 3.2 */

	strbuf_addstr(&effects, CACHE_VERSION);
	strbuf_addstr(&bytes, CACHE_VERSION);
	for (size_t i = 0; i < nr; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (normalise(&text, files[i].text, dg) != 0 ||
		    add_effects(&effects, &text, dg) != 0)
			return -1;
		strbuf_addf(&bytes, "{\"optional\":%s",
		    files[i].optional ? "true" : "false");
		add_text(&bytes, "source", text.buf);
		strbuf_addch(&bytes, '}');
	}
	*ret_same = has_hash(&effects, hash) || has_hash(&bytes, hash);
	return 0;
}
