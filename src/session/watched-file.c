/* SPDX-License-Identifier: MIT */
/*
 * watched-file: writes and reads a state of watched files.
 *
 * The file is one line of JSON, the text of the watch list, and a record for
 * each file: "KIND MODE ROOT ROW PATH-BYTES DATA-BYTES STAMP" in a line, then
 * the bytes of the path and of the data.  Paths and data may be no UTF-8.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/text.h"
#include "session/watched.h"

enum {
	STATE_VERSION = 1,
	STAMP_MAX = 127,
	PATH_BYTES_MAX = 8192,
	RECORD_MAX = 256, /* bytes of a record's line */
	FILE_MAX = WATCHED_ALL_DATA + WATCHED_FILES * 512 + (1 << 20),
};

#define WHAT "the state of the watched files"

static int
write_header(const struct watched *w, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf missed = STRBUF_INIT;
	struct jsonw *json = jsonw_new(false);

	if (w->files.missed != NULL)
		strbuf_add_escaped(
		    &missed, w->files.missed, strlen(w->files.missed));
	jsonw_open_object(json);
	jsonw_key_int(json, "version", STATE_VERSION);
	jsonw_key_int(json, "list", (int64_t)w->list_text.len);
	jsonw_key_int(json, "files", (int64_t)w->files.nr);
	jsonw_key_str(
	    json, "missed", w->files.missed != NULL ? missed.buf : NULL);
	jsonw_key(json, "roots");
	jsonw_open_array(json);
	for (size_t i = 0; i < w->nroots; i++) {
		jsonw_open_object(json);
		jsonw_key_str(json, "path", w->roots[i].path);
		jsonw_key_str(json, "identity", w->roots[i].identity);
		jsonw_close_object(json);
	}
	jsonw_close_array(json);
	jsonw_close_object(json);
	return jsonw_finish(json, out, dg);
}

int
watched_write(
    const struct watched *w, int dir_fd, const char *name, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (write_header(w, &out, dg) != 0)
		return -1;
	strbuf_add(&out, w->list_text.buf, w->list_text.len);
	for (size_t i = 0; i < w->files.nr; i++) {
		const struct watched_file *f = &w->files.v[i];

		strbuf_addf(&out, "%c %o %zu %zu %zu %jd %s\n", (char)f->kind,
		    (unsigned)f->mode, f->root, f->row, strlen(f->path),
		    f->data != NULL ? (intmax_t)f->len : -1, f->stamp);
		strbuf_addstr(&out, f->path);
		if (f->data != NULL)
			strbuf_add(&out, f->data, f->len);
	}
	return fs_replace_file(dir_fd, name, out.buf, out.len, 0600, dg);
}

struct reader {
	const char *at;
	const char *end;
};

/* Returns the next len bytes, or NULL if there are fewer. */
static const char *
take(struct reader *r, size_t len)
{
	const char *at = r->at;

	if ((size_t)(r->end - r->at) < len)
		return NULL;
	r->at += len;
	return at;
}

/* Copies the next line, without its end.  Returns false if there is none. */
static bool
take_line(struct reader *r, char *line, size_t size)
{
	const char *eol = memchr(r->at, '\n', (size_t)(r->end - r->at));
	size_t len = eol != NULL ? (size_t)(eol - r->at) : size;

	if (len >= size)
		return false;
	memcpy(line, r->at, len);
	line[len] = '\0';
	r->at = eol + 1;
	return true;
}

/* Reads one record. */
static bool
read_record(
    struct reader *r, const struct watched *w, struct watched_file *ret_file)
{
	char line[RECORD_MAX];
	char stamp[STAMP_MAX + 1];
	const char *path;
	const char *data = NULL;
	struct watched_file f = { .kind = WATCHED_ABSENT };
	unsigned mode;
	size_t path_len;
	intmax_t len;
	char kind;
	int end = 0;

	if (!take_line(r, line, sizeof(line)))
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): drydock wrote them; limits follow */
	if (sscanf(line, "%c %o %zu %zu %zu %jd %127s%n", &kind, &mode, &f.root,
		&f.row, &path_len, &len, stamp, &end) != 7 ||
	    line[end] != '\0' ||
	    watched_kind_name((enum watched_kind)kind) == NULL ||
	    mode > 07777 || f.root >= w->nroots || f.row >= w->list.nr ||
	    path_len == 0 || path_len > PATH_BYTES_MAX || len < -1 ||
	    len > WATCHED_ALL_DATA)
		return false;
	path = take(r, path_len);
	if (path == NULL || memchr(path, '\0', path_len) != NULL)
		return false;
	if (len >= 0) {
		data = take(r, (size_t)len);
		if (data == NULL)
			return false;
		f.len = (size_t)len;
	}
	f.kind = (enum watched_kind)kind;
	f.mode = (mode_t)mode;
	f.path = xstrndup(path, path_len);
	f.stamp = xstrdup(stamp);
	if (data != NULL) {
		f.data = xmalloc(f.len + 1);
		memcpy(f.data, data, f.len);
		f.data[f.len] = '\0';
	}
	*ret_file = f;
	return true;
}

/* Reads the line of JSON.  *ret_list and *ret_files are lengths. */
static int
read_header(struct watched *w, const struct json *root, size_t *ret_list,
    size_t *ret_files, struct diag *dg)
{
	const struct json *roots = json_get(root, "roots");
	const char *missed = json_string(json_get(root, "missed"));
	int64_t list = json_count_or(json_get(root, "list"), -1);
	int64_t files = json_count_or(json_get(root, "files"), -1);

	if (json_count_or(json_get(root, "version"), -1) != STATE_VERSION)
		return diag_set(
		    dg, DIAG_DATA, WHAT ": version is not %d", STATE_VERSION);
	if (list < 0 || list > (int64_t)WATCHLIST_MAX || files < 0 ||
	    files > WATCHED_FILES || !json_is_array(roots))
		return diag_set(dg, DIAG_DATA, WHAT ": damaged");
	w->roots = xcalloc(json_len(roots) + 1, sizeof(*w->roots));
	for (size_t i = 0; i < json_len(roots); i++) {
		const struct json *one = json_at(roots, i);
		const char *path = json_string(json_get(one, "path"));
		const char *identity = json_string(json_get(one, "identity"));

		if (path == NULL || path[0] != '/' || path[1] == '\0' ||
		    identity == NULL)
			return diag_set(dg, DIAG_DATA, WHAT ": damaged");
		w->roots[w->nroots++] = (struct watched_root){ xstrdup(path),
			xstrdup(identity), -1 };
	}
	w->files.missed = missed != NULL ? xstrdup(missed) : NULL;
	*ret_list = (size_t)list;
	*ret_files = (size_t)files;
	return 0;
}

int
watched_parse(
    const char *text, size_t len, struct watched *ret, struct diag *dg)
{
	const char *eol = memchr(text, '\n', len);
	struct reader r = { eol != NULL ? eol + 1 : text, text + len };
	cleanup_watched struct watched w = WATCHED_INIT;
	cleanup_json struct json *root = NULL;
	const char *list;
	size_t list_len;
	size_t files;

	if (json_parse(text, eol != NULL ? (size_t)(eol - text) : len, WHAT,
		&root, dg) != 0 ||
	    read_header(&w, root, &list_len, &files, dg) != 0)
		return -1;
	list = take(&r, list_len);
	if (list == NULL)
		return diag_set(dg, DIAG_DATA, WHAT ": damaged");
	strbuf_add(&w.list_text, list, list_len);
	if (watchlist_parse(list, list_len, &w.list, dg) != 0) {
		dg->class = DIAG_DATA;
		return -1;
	}
	w.files.v = xcalloc(files + 1, sizeof(*w.files.v));
	while (w.files.nr < files) {
		struct watched_file *f = &w.files.v[w.files.nr];

		if (!read_record(&r, &w, f))
			return diag_set(dg, DIAG_DATA, WHAT ": damaged");
		w.files.nr++;
		if (!text_is_below(f->path))
			return diag_set(dg, DIAG_DATA, WHAT ": damaged");
	}
	if (r.at != r.end)
		return diag_set(dg, DIAG_DATA, WHAT ": damaged");
	*ret = w;
	w = (struct watched)WATCHED_INIT;
	return 0;
}

int
watched_read(int dir_fd, const char *name, struct watched *ret, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file(dir_fd, name, FILE_MAX, &text, dg) != 0)
		return -1;
	return watched_parse(text.buf, text.len, ret, dg);
}
