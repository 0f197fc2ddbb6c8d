/* SPDX-License-Identifier: MIT */
/* watched-search: searches directories, breadth first, for watched files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/protected.h"
#include "session/watched.h"

struct search {
	const struct watched *w;
	struct watched_files *files;
	size_t root;
	int fd; /* of the root */
	struct strvec todo; /* directories below the root; "" is the root */
	size_t entries; /* names that were read, over all roots */
	int64_t deadline;
};

/* Returned: DIR/NAME; dir may be "". */
static char *
join(const char *dir, const char *name)
{
	return *dir == '\0' ? xstrdup(name) : xasprintf("%s/%s", dir, name);
}

static void
note_missed(struct search *s, const char *dir)
{
	if (s->files->missed == NULL)
		s->files->missed = *dir == '\0'
		    ? xstrdup(s->w->roots[s->root].path)
		    : xasprintf("%s/%s", s->w->roots[s->root].path, dir);
}

/*
 * Handles a directory or file that cannot be opened.  One of another user does
 * not count: the agent cannot open it either.
 */
static void
note_closed(struct search *s, const char *path, int error)
{
	struct stat st;

	if (error == ENOENT || error == ENOTDIR || error == ELOOP)
		return;
	if (error == EACCES &&
	    fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid != geteuid())
		return;
	note_missed(s, path);
}

static void
add(struct search *s, int fd, const char *path, const struct stat *st,
    const struct watch_row *row)
{
	struct watched_files *files = s->files;
	size_t left = WATCHED_ALL_DATA - files->bytes;
	struct watched_file file;

	if (files->nr == WATCHED_FILES) {
		note_missed(s, path);
		return;
	}
	file = watched_read_fd(
	    fd, path, st, left < WATCHED_DATA ? left : WATCHED_DATA);
	file.root = s->root;
	file.row = (size_t)(row - s->w->list.v);
	files->bytes += file.len;
	files->v = xreallocarray(files->v, files->nr + 1, sizeof(*files->v));
	files->v[files->nr++] = file;
}

static void expand(struct search *s, const char *dir,
    const struct watch_row *row, size_t part);

/*
 * Opens what path leads to, with O_PATH.  Returned: its path below the root;
 * NULL if it lies elsewhere or is the root.
 */
static char *
resolve(
    const struct search *s, const char *path, int *ret_fd, struct stat *ret_st)
{
	const char *root = s->w->roots[s->root].path;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;

	if (fs_open_beneath(s->fd, path, O_PATH, 0, &fd, &ignored) != 0 ||
	    fstat(fd, ret_st) != 0 || fs_real_path(fd, &real) != 0 ||
	    strcmp(real, root) == 0 || !protected_is_below(real, root))
		return NULL;
	*ret_fd = steal_fd(&fd);
	return xstrdup(real + strlen(root) + 1);
}

/*
 * Adds what a symlink leads to below the root: it has the same effect as a
 * watched file.
 */
static void
follow(struct search *s, const char *path, const struct watch_row *row,
    size_t part)
{
	cleanup_close int fd = -1;
	struct stat st;
	cleanup_free char *real = resolve(s, path, &fd, &st);

	if (real == NULL)
		return;
	if (S_ISDIR(st.st_mode) && part + 1 < row->path.nr)
		expand(s, real, row, part + 1);
	else if (S_ISREG(st.st_mode))
		add(s, fd, real, &st, row);
}

/* Adds path, which matches the row's components up to part. */
static void
look_at(struct search *s, const char *path, const struct watch_row *row,
    size_t part)
{
	cleanup_diag struct diag closed = DIAG_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	if (fs_open_nolinks(
		s->fd, path, O_PATH | O_NOFOLLOW, 0, &fd, &closed) != 0) {
		note_closed(s, path, closed.errnum);
		return;
	}
	if (fstat(fd, &st) != 0) {
		note_missed(s, path);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		if (part + 1 < row->path.nr)
			expand(s, path, row, part + 1);
		return;
	}
	/* Also in place of a directory of the path: it may lead elsewhere. */
	add(s, fd, path, &st, row);
	if (S_ISLNK(st.st_mode))
		follow(s, path, row, part);
}

static bool
is_pattern(const char *component)
{
	return strpbrk(component, "*?[") != NULL;
}

static bool
row_matches(const struct watch_row *row, size_t part, const char *name)
{
	const char *want = row->path.v[part];

	/* Most names end here: a search compares many. */
	if (want[0] != name[0] && strchr("*?[\\", want[0]) == NULL)
		return false;
	if (!is_pattern(want))
		return strcmp(want, name) == 0;
	return fnmatch(want, name, 0) == 0 &&
	    (row->except == NULL || part + 1 < row->path.nr ||
		fnmatch(row->except, name, 0) != 0);
}

/* Looks for the row's component part in the directory. */
static void
expand(
    struct search *s, const char *dir, const struct watch_row *row, size_t part)
{
	cleanup_diag struct diag closed = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (!is_pattern(row->path.v[part])) {
		cleanup_free char *path = join(dir, row->path.v[part]);

		look_at(s, path, row, part);
		return;
	}
	if (fs_open_nolinks(s->fd, *dir == '\0' ? "." : dir,
		O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, &fd, &closed) != 0 ||
	    fs_list_names(fd, dir, &names, &closed) != 0) {
		if (closed.errnum == 0)
			note_missed(s, dir);
		else
			note_closed(s, dir, closed.errnum);
		return;
	}
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path = join(dir, names.v[i]);

		if (row_matches(row, part, names.v[i]))
			look_at(s, path, row, part);
	}
}

/* Returns true if a component of the path is name. */
static bool
has_component(const char *path, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = path; (at = strstr(at, name)) != NULL; at += len)
		if ((at == path || at[-1] == '/') &&
		    (at[len] == '/' || at[len] == '\0'))
			return true;
	return false;
}

/* The names in a directory that tell whether git takes it for its own. */
struct git_marks {
	bool head, objects, refs, commondir;
};

/*
 * Reads the names of an open directory.  Without rows, the project's rows do
 * not apply here.  internal: the directory belongs to git.
 */
static int
read_names(struct search *s, DIR *stream, const char *dir, bool rows,
    bool internal, struct git_marks *marks)
{
	const struct watchlist *list = &s->w->list;
	const struct dirent *e;

	while (errno = 0, (e = readdir(stream)) != NULL) {
		const char *name = e->d_name;
		bool is_dir = e->d_type == DT_DIR;
		cleanup_free char *path = NULL;
		struct stat st;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (++s->entries > WATCHED_ENTRIES) {
			note_missed(s, dir);
			return 0;
		}
		marks->head = marks->head || strcmp(name, "HEAD") == 0;
		marks->objects = marks->objects || strcmp(name, "objects") == 0;
		marks->refs = marks->refs || strcmp(name, "refs") == 0;
		marks->commondir =
		    marks->commondir || strcmp(name, "commondir") == 0;
		for (size_t i = 0; rows && i < list->nr; i++) {
			if (list->v[i].git ||
			    !row_matches(&list->v[i], 0, name))
				continue;
			free(path);
			path = join(dir, name);
			look_at(s, path, &list->v[i], 0);
		}
		if (e->d_type == DT_UNKNOWN &&
		    fstatat(dirfd(stream), name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			is_dir = S_ISDIR(st.st_mode);
		/* These hold many files, and no configuration. */
		if (!is_dir ||
		    (internal &&
			(strcmp(name, "objects") == 0 ||
			    strcmp(name, "refs") == 0 ||
			    strcmp(name, "logs") == 0)))
			continue;
		strvec_push_given(&s->todo, join(dir, name));
	}
	return errno == 0 ? 0 : -1;
}

/* The row of the hooks in a git directory, or NULL. */
static const struct watch_row *
hooks_row(const struct watchlist *list)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->v[i].git && list->v[i].path.nr == 2 &&
		    strcmp(list->v[i].path.v[0], "hooks") == 0)
			return &list->v[i];
	return NULL;
}

static bool
is_added(const struct search *s, const char *path)
{
	for (size_t i = s->files->nr; i > 0; i--)
		if (s->files->v[i - 1].root == s->root &&
		    strcmp(s->files->v[i - 1].path, path) == 0)
			return true;
	return false;
}

/*
 * Adds what a git configuration names, below the root: an included file or a
 * program, or the files of a directory of hooks.
 */
static void
add_named(struct search *s, const char *base, const char *value,
    const struct watch_row *row)
{
	const char *root = s->w->roots[s->root].path;
	const struct watch_row *hooks = hooks_row(&s->w->list);
	cleanup_free char *path = protected_is_below(value, root)
	    ? xstrdup(value + strlen(root) + 1)
	    : join(base, value);
	cleanup_close int fd = -1;
	struct stat st;
	cleanup_free char *real = resolve(s, path, &fd, &st);

	if (real == NULL)
		return;
	if (S_ISDIR(st.st_mode) && hooks != NULL)
		expand(s, real, hooks, 1);
	else if (S_ISREG(st.st_mode) && !is_added(s, real))
		add(s, fd, real, &st, row);
}

static const char blanks[] = " \t\r";

/* Skips "[SECTION]", whose name may have a "]" in quotes. */
static char *
skip_section(char *line)
{
	char *at = line + strspn(line, blanks);
	bool quoted = false;

	if (*at != '[')
		return at;
	while (*++at != '\0' && (quoted || *at != ']')) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '\\' && at[1] != '\0')
			at++;
	}
	at += *at == ']';
	return at + strspn(at, blanks);
}

/* Takes quotes, escapes, a comment and the blanks at the end away. */
static void
clean_value(char *value)
{
	char *out = value;
	char *end = value;
	bool quoted = false;

	for (char *at = value + strspn(value, blanks); *at != '\0'; at++) {
		if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (*at == '#' || *at == ';'))
			break;
		if (*at == '\\' && at[1] != '\0')
			at++;
		*out++ = *at;
		if (quoted || strchr(blanks, *at) == NULL)
			end = out;
	}
	*end = '\0';
}

static void
read_config_line(char *line, struct strvec *paths)
{
	char *key = skip_section(line);
	char *value = strchr(key, '=');

	if (value == NULL)
		return;
	*value++ = '\0';
	key[strcspn(key, blanks)] = '\0';
	if (strcasecmp(key, "path") != 0 && strcasecmp(key, "hooksPath") != 0)
		return;
	clean_value(value);
	if (*value != '\0')
		strvec_push(paths, value);
}

/*
 * Appends the values of the variables "path" (include.path, includeIf.*.path,
 * and others that name programs) and "hooksPath" (core.hooksPath), in any
 * section.  The text is hostile input in the syntax of git-config(1); what is
 * malformed is skipped.
 */
static void
config_paths(const char *text, size_t len, struct strvec *ret_paths)
{
	/* A NUL ends it for git, too. */
	cleanup_free char *copy = xstrndup(text, len);
	char *rest = copy;
	char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		/* A backslash at its end continues a line. */
		while (rest != NULL && rest - line >= 2 && rest[-2] == '\\') {
			memmove(rest - 2, rest, strlen(rest) + 1);
			rest = strchr(rest - 2, '\n');
			if (rest != NULL)
				*rest++ = '\0';
		}
		read_config_line(line, ret_paths);
	}
}

/*
 * Adds what the configurations name that were added from the first one on.  A
 * relative hooksPath starts at the work tree, another path at its file.
 */
static void
follow_configs(struct search *s, const char *git_dir, size_t first)
{
	size_t len = strlen(git_dir);
	size_t top = len >= 5 && strcmp(git_dir + len - 5, "/.git") == 0
	    ? len - 5
	    : strcmp(git_dir, ".git") == 0 ? 0
					   : len;
	cleanup_free char *tree = xstrndup(git_dir, top);

	for (size_t i = first; i < s->files->nr; i++) {
		const struct watched_file *f = &s->files->v[i];
		const struct watch_row *row = &s->w->list.v[f->row];
		const char *slash = strrchr(f->path, '/');
		cleanup_free char *beside = xstrndup(
		    f->path, slash != NULL ? (size_t)(slash - f->path) : 0);
		cleanup_strvec struct strvec values = STRVEC_INIT;

		if (f->kind != WATCHED_REGULAR || f->data == NULL ||
		    row == hooks_row(&s->w->list))
			continue;
		config_paths(f->data, f->len, &values);
		for (size_t n = 0; n < values.nr; n++) {
			if (monotime_left_ms(s->deadline) == 0) {
				note_missed(s, git_dir);
				return;
			}
			add_named(s, beside, values.v[n], row);
			if (strcmp(beside, tree) != 0)
				add_named(s, tree, values.v[n], row);
		}
	}
}

static void
search_directory(struct search *s, const char *dir)
{
	const struct watchlist *list = &s->w->list;
	cleanup_diag struct diag closed = DIAG_INIT;
	cleanup_closedir DIR *stream = NULL;
	cleanup_close int fd = -1;
	struct git_marks marks = { .head = false };
	bool internal = has_component(dir, ".git") ||
	    has_component(s->w->roots[s->root].path, ".git");
	bool rows = !internal;
	size_t first;

	for (size_t i = 0; i < list->skip.nr; i++)
		rows = rows && !has_component(dir, list->skip.v[i]);
	if (fs_open_nolinks(s->fd, *dir == '\0' ? "." : dir,
		O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, &fd, &closed) != 0) {
		note_closed(s, dir, closed.errnum);
		return;
	}
	stream = fdopendir(fd);
	if (stream == NULL) {
		note_missed(s, dir);
		return;
	}
	(void)steal_fd(&fd);
	if (read_names(s, stream, dir, rows, internal, &marks) != 0)
		note_closed(s, dir, errno);
	if (!marks.head || !(marks.commondir || (marks.objects && marks.refs)))
		return;
	first = s->files->nr;
	for (size_t i = 0; i < list->nr; i++)
		if (list->v[i].git)
			expand(s, dir, &list->v[i], 0);
	follow_configs(s, dir, first);
}

static void
search_root(struct search *s)
{
	strvec_push(&s->todo, "");
	for (size_t i = 0; i < s->todo.nr; i++) {
		/* strvec_push() may move the array, so copy the path. */
		cleanup_free char *dir = xstrdup(s->todo.v[i]);

		if (s->entries > WATCHED_ENTRIES ||
		    monotime_left_ms(s->deadline) == 0) {
			note_missed(s, dir);
			return;
		}
		search_directory(s, dir);
	}
}

static int
in_order(const void *a, const void *b)
{
	const struct watched_file *x = a;
	const struct watched_file *y = b;
	int rc = watched_order(x, y);

	return rc != 0 ? rc : (x->row > y->row) - (x->row < y->row);
}

/* Sorts the files.  Of one that several rows name, the first row stays. */
static void
sort(struct watched_files *files)
{
	size_t kept = 0;

	if (files->nr > 0)
		qsort(files->v, files->nr, sizeof(*files->v), in_order);
	for (size_t i = 0; i < files->nr; i++) {
		if (kept > 0 &&
		    watched_order(&files->v[kept - 1], &files->v[i]) == 0)
			watched_file_release(&files->v[i]);
		else
			files->v[kept++] = files->v[i];
	}
	files->nr = kept;
}

int
watched_search(struct watched *w, int timeout_ms,
    struct watched_files *ret_files, struct diag *dg)
{
	struct search s = { .w = w,
		.files = ret_files,
		.deadline = monotime_ms() + timeout_ms };

	if (watched_open_roots(w, dg) != 0)
		return -1;
	*ret_files = (struct watched_files){ .v = NULL };
	for (s.root = 0; s.root < w->nroots; s.root++) {
		s.fd = w->roots[s.root].fd;
		strvec_init(&s.todo);
		search_root(&s);
		strvec_release(&s.todo);
	}
	sort(ret_files);
	return 0;
}
