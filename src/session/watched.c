/* SPDX-License-Identifier: MIT */
/*
 * watched: the roots of a state, how one file is read, and how a state is
 * stored.
 *
 * A stored state is one line of JSON, the text of the watch list, and a record
 * for each file: "KIND MODE ROOT ROW PATH-BYTES DATA-BYTES STAMP" in a line,
 * then the bytes of the path and of the data.  Paths and data may be no UTF-8.
 */
#include "session/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/protected.h"
#include "host/text.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "session/moved.h"

enum {
	STATE_VERSION = 1,
	STAMP_MAX = 127,
	PATH_BYTES_MAX = 8192,
	RECORD_MAX = 256, /* bytes of a record's line */
	FILE_MAX = WATCHED_ALL_DATA + WATCHED_FILES * 512 + (1 << 20),
};

#define WHAT "the state of the watched files"

void
watched_file_release(struct watched_file *file)
{
	free(file->path);
	free(file->stamp);
	free(file->data);
	*file = (struct watched_file){ .kind = WATCHED_ABSENT };
}

void
watched_files_release(struct watched_files *files)
{
	for (size_t i = 0; i < files->nr; i++)
		watched_file_release(&files->v[i]);
	free(files->v);
	free(files->missed);
	*files = (struct watched_files){ .v = NULL };
}

void
watched_release(struct watched *w)
{
	for (size_t i = 0; i < w->nroots; i++) {
		free(w->roots[i].path);
		free(w->roots[i].identity);
		cleanup_close_fn(&w->roots[i].fd);
	}
	free(w->roots);
	watched_files_release(&w->files);
	strbuf_release(&w->list_text);
	watchlist_release(&w->list);
	*w = (struct watched)WATCHED_INIT;
}

/* Returns true if another of the agent's mounts contains this directory. */
static bool
is_contained(const struct plan_service *agent, const struct plan_mount *m)
{
	for (size_t i = 0; i < agent->nmounts; i++) {
		const struct plan_mount *other = &agent->mounts[i];

		if (strcmp(other->source, m->source) != 0 &&
		    !other->read_only && !mount_is_made(other) &&
		    protected_is_below(m->source, other->source))
			return true;
	}
	return false;
}

int
watched_of_plan(const struct plan *plan, const char *text, size_t len,
    struct watched *ret, struct diag *dg)
{
	const struct plan_service *agent = plan_find(plan, "agent");
	cleanup_watched struct watched w = WATCHED_INIT;

	strbuf_add(&w.list_text, text, len);
	if (watchlist_parse(text, len, &w.list, dg) != 0)
		return -1;
	w.roots = xcalloc(agent->nmounts + 1, sizeof(*w.roots));
	/* The project is first: its files are shown by relative paths. */
	for (int project = 1; project >= 0; project--)
		for (size_t i = 0; i < agent->nmounts; i++) {
			const struct plan_mount *m = &agent->mounts[i];

			if ((m->role == &mount_roles[MOUNT_PROJECT]) ==
				(project == 1) &&
			    !m->read_only && !mount_is_made(m) &&
			    S_ISDIR(m->st.st_mode) && !is_contained(agent, m))
				w.roots[w.nroots++] = (struct watched_root){
					.path = xstrdup(m->source), .fd = -1
				};
		}
	*ret = w;
	w = (struct watched)WATCHED_INIT;
	return 0;
}

const char *
watched_kind_name(enum watched_kind kind)
{
	switch (kind) {
	case WATCHED_ABSENT:
		return "absent";
	case WATCHED_REGULAR:
		return "file";
	case WATCHED_LINK:
		return "symlink";
	case WATCHED_OTHER:
		return "fifo, socket or device";
	case WATCHED_UNREADABLE:
		return "unreadable";
	}
	return NULL;
}

int
watched_order(const struct watched_file *a, const struct watched_file *b)
{
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	return strcmp(a->path, b->path);
}

struct watched_file
watched_absent(const struct watched_file *like)
{
	return (struct watched_file){ .path = xstrdup(like->path),
		.root = like->root,
		.row = like->row,
		.kind = WATCHED_ABSENT,
		.stamp = xstrdup("-") };
}

void
watched_describe(const struct watched *w, const struct watched_file *file,
    struct strbuf *out)
{
	if (file->root > 0)
		strbuf_addf(out, "%s/", w->roots[file->root].path);
	strbuf_addstr(out, file->path);
}

static char *
stamp_of(const struct stat *st)
{
	return xasprintf("%jd.%jd.%ld.%jd.%ld.%ju", (intmax_t)st->st_size,
	    (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	    (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
	    (uintmax_t)st->st_ino);
}

/* Reads the link's target, or what fits of it. */
static void
read_target(int fd, struct watched_file *file)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target));

	if (n < 0)
		return;
	file->data = xstrndup(target, (size_t)n);
	file->len = strlen(file->data);
}

/* Reads a regular file of at most max bytes.  A larger one has no data. */
static void
read_data(int path_fd, size_t max, struct watched_file *file)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", path_fd);
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		file->kind = WATCHED_UNREADABLE;
		return;
	}
	free(file->stamp);
	file->stamp = stamp_of(&st);
	file->mode = st.st_mode & 07777;
	if ((uintmax_t)st.st_size > max ||
	    fs_read_fd(fd, path, max, &text, &ignored) != 0)
		return;
	strbuf_reserve(&text, 1);
	file->data = strbuf_detach(&text, &file->len);
}

struct watched_file
watched_read_fd(int fd, const char *path, const struct stat *st, size_t max)
{
	struct watched_file file = { .path = xstrdup(path),
		.kind = WATCHED_OTHER,
		.mode = st->st_mode & 07777,
		.stamp = stamp_of(st) };

	if (S_ISLNK(st->st_mode)) {
		file.kind = WATCHED_LINK;
		read_target(fd, &file);
	} else if (S_ISREG(st->st_mode)) {
		file.kind = WATCHED_REGULAR;
		read_data(fd, max, &file);
	}
	return file;
}

int
watched_open_roots(struct watched *w, struct diag *dg)
{
	for (size_t i = 0; i < w->nroots; i++) {
		struct watched_root *r = &w->roots[i];
		cleanup_close int top =
		    open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_free char *identity = NULL;

		if (r->fd >= 0)
			continue;
		if (top < 0)
			return diag_set_errno(dg, DIAG_IO, errno, "open /");
		if (fs_open_nolinks(top, r->path + 1, O_RDONLY | O_DIRECTORY, 0,
			&r->fd, dg) != 0) {
			/* ENOENT means to callers: no state is stored. */
			dg->errnum = 0;
			return diag_wrap(dg, "%s", r->path);
		}
		identity = moved_identity(r->fd);
		if (identity == NULL)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "stat %s", r->path);
		if (r->identity == NULL)
			r->identity = steal_ptr(&identity);
		else if (strcmp(r->identity, identity) != 0)
			return diag_set(dg, DIAG_IO,
			    "%s is not the directory that the session had",
			    r->path);
	}
	return 0;
}

struct watched_file
watched_read_one(const struct watched *w, const struct watched_file *like)
{
	cleanup_diag struct diag why = DIAG_INIT;
	cleanup_close int fd = -1;
	struct watched_file file;
	struct stat st;
	bool opened = fs_open_nolinks(w->roots[like->root].fd, like->path,
			  O_PATH | O_NOFOLLOW, 0, &fd, &why) == 0;

	/* A file in place of a directory, and a link, lead to no watched file. */
	bool absent = fs_is_absent(&why) || why.errnum == ELOOP;

	if (opened ? fstat(fd, &st) != 0 : !absent) {
		file = watched_absent(like);
		file.kind = WATCHED_UNREADABLE;
		return file;
	}
	if (!opened || S_ISDIR(st.st_mode))
		return watched_absent(like);
	file = watched_read_fd(fd, like->path, &st, WATCHED_DATA);
	file.root = like->root;
	file.row = like->row;
	return file;
}

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
	jsonw_key_array(json, "roots");
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
	if (!text_is_below(f.path)) {
		watched_file_release(&f);
		return false;
	}
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
	if (watchlist_parse(list, list_len, &w.list, dg) != 0)
		return diag_reclass(dg, DIAG_DATA);
	w.files.v = xcalloc(files + 1, sizeof(*w.files.v));
	for (; w.files.nr < files; w.files.nr++)
		if (!read_record(&r, &w, &w.files.v[w.files.nr]))
			return diag_set(dg, DIAG_DATA, WHAT ": damaged");
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
