/* SPDX-License-Identifier: MIT */
/* paths: finds the directories that drydock uses. */

#include "host/paths.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/shortlinks.h"
#include "host/text.h"
#include "host/trusted.h"

/* Used when the directories beside the program do not exist. */
#ifndef PKGDATADIR
#	define PKGDATADIR "/usr/local/share/drydock"
#endif
#ifndef PKGLIBEXECDIR
#	define PKGLIBEXECDIR "/usr/local/libexec/drydock"
#endif

void
paths_init(struct paths *paths)
{
	memset(paths, 0, sizeof(*paths));
	paths->state_fd = -1;
}

void
paths_release(struct paths *paths)
{
	char *const owned[] = { paths->user, paths->home, paths->home_name,
		paths->account_home, paths->config_dir, paths->config_name,
		paths->state_dir, paths->data_dir, paths->libexec_dir,
		paths->short_dir, paths->runtime_dir, paths->self };

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	decisive_free(paths->decisive);
	cleanup_close_fn(&paths->state_fd);
	paths_init(paths);
}

/*
 * Returns true for a passwd name that useradd(8) permits.  Other names break
 * image builds and confuse users.
 */
static bool
is_user_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_-";

	return ((*name >= 'a' && *name <= 'z') || *name == '_') &&
	    strlen(name) <= 32 && name[strspn(name, allowed)] == '\0';
}

/*
 * Checks that path can be one of drydock's directories.  It is used as a bind
 * source, as a Compose value and as a line of a record.
 */
static int
check_path(const char *what, const char *path, struct diag *dg)
{
	if (*path != '/')
		return diag_set(dg, DIAG_CONFIG,
		    "%s: \"%s\" is not an absolute path", what, path);
	if (!text_is_plain(path) || strpbrk(path, ":\\") != NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: \"%s\" has a newline, a colon, a backslash, another "
		    "control character or bytes that are not UTF-8 in it",
		    what, path);
	return 0;
}

/*
 * Returned: the real path of the longest existing prefix of path, followed by
 * the unchanged rest.
 */
static int
real_path_missing(
    const char *what, const char *path, char **ret_path, struct diag *dg)
{
	cleanup_free char *head = xstrdup(path);
	size_t len = strlen(head);
	cleanup_free char *real = NULL;

	while (len > 1 && head[len - 1] == '/')
		head[--len] = '\0';
	for (;;) {
		const char *slash;

		real = realpath(head, NULL);
		if (real != NULL)
			break;
		slash = strrchr(head, '/');
		if (errno != ENOENT || slash == NULL)
			return diag_set_errno(
			    dg, DIAG_CONFIG, errno, "%s: %s", what, head);
		/*
		 * A directory created below a dangling symlink or ".." would be
		 * made at another path.
		 */
		if (strcmp(slash, "/..") == 0 ||
		    faccessat(AT_FDCWD, head, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return diag_set(dg, DIAG_CONFIG, "%s: %s leads nowhere",
			    what, path);
		len = (size_t)(slash - head);
		memcpy(head, path, len + 1);
		head[len == 0 ? 1 : len] = '\0';
	}
	*ret_path = xasprintf("%s%s", strcmp(real, "/") == 0 ? "" : real,
	    path + (strcmp(head, "/") == 0 ? 0 : strlen(head)));
	if (check_path(what, *ret_path, dg) != 0) {
		cleanup_free_fn(ret_path);
		return -1;
	}
	return 0;
}

/*
 * Returned: name without duplicate and trailing slashes if that differs from
 * real, else NULL.  Also NULL for a name with a "." or ".." component, which no
 * configuration contains.
 */
static char *
other_spelling(const char *name, const char *real)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;

	for (; *name != '\0'; name++) {
		if (name[0] == '/' && (name[1] == '/' || name[1] == '\0'))
			continue;
		if (name[0] == '/' && name[1] == '.' &&
		    strchr("/.", name[2]) != NULL)
			return NULL;
		strbuf_addch(&plain, *name);
	}
	if (strcmp(plain.buf, real) == 0)
		return NULL;
	return strbuf_detach(&plain, NULL);
}

static int
find_home(struct paths *paths, struct diag *dg)
{
	const char *home = getenv("HOME");
	struct stat st;

	if (home == NULL || *home == '\0')
		return diag_set(dg, DIAG_CONFIG, "HOME is not set");
	if (check_path("HOME", home, dg) != 0)
		return -1;
	paths->home = realpath(home, NULL);
	if (paths->home == NULL)
		return diag_set_errno(dg, DIAG_CONFIG, errno, "HOME: %s", home);
	if (check_path("HOME", paths->home, dg) != 0)
		return -1;
	if (strcmp(paths->home, "/") == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "HOME is /: a directory of your own is needed");
	if (stat(paths->home, &st) < 0)
		return diag_set_errno(
		    dg, DIAG_CONFIG, errno, "HOME: %s", paths->home);
	if (!S_ISDIR(st.st_mode))
		return diag_set_errno(
		    dg, DIAG_CONFIG, ENOTDIR, "HOME: %s", paths->home);
	if (st.st_uid != paths->uid)
		return diag_set(dg, DIAG_CONFIG,
		    "HOME: %s belongs to uid %lu, and you are uid %lu",
		    paths->home, (unsigned long)st.st_uid,
		    (unsigned long)paths->uid);
	paths->home_name = other_spelling(home, paths->home);
	return 0;
}

/*
 * Finds $VARIABLE/drydock, or $HOME/FALLBACK/drydock when VARIABLE is unset or
 * empty.  *ret_dir is the real path.  *ret_name (may be NULL) is the path
 * before symlinks are resolved.
 */
static int
find_xdg(const struct paths *paths, const char *variable, const char *fallback,
    char **ret_name, char **ret_dir, struct diag *dg)
{
	cleanup_free char *dir = NULL;
	const char *value = getenv(variable);

	if (value != NULL && *value != '\0') {
		if (check_path(variable, value, dg) != 0)
			return -1;
		dir = xasprintf("%s/drydock", value);
	} else {
		dir = xasprintf("%s/%s/drydock", paths->home, fallback);
	}
	if (real_path_missing(variable, dir, ret_dir, dg) != 0)
		return -1;
	if (ret_name != NULL)
		*ret_name = steal_ptr(&dir);
	return 0;
}

static int
find_self(struct paths *paths, struct diag *dg)
{
	char buf[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf));

	if (n < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "/proc/self/exe");
	if ((size_t)n == sizeof(buf))
		return diag_set_errno(
		    dg, DIAG_IO, ENAMETOOLONG, "/proc/self/exe");
	paths->self = xstrndup(buf, (size_t)n);
	return 0;
}

/*
 * Finds BIN/../KIND/drydock if it exists, else fallback.  The directory must
 * not be writable by others: it holds the images, the policy and the program
 * that runs in the container.
 */
static int
find_installed(const struct paths *paths, const char *kind,
    const char *fallback, char **ret_dir, struct diag *dg)
{
	cleanup_free char *beside = NULL;
	const char *slash;
	struct stat st;
	char *dir;

	assert(paths->self != NULL);
	slash = strrchr(paths->self, '/');
	beside = xasprintf("%.*s/../%s/drydock",
	    (int)(slash != NULL ? slash - paths->self : 0), paths->self, kind);
	dir = realpath(beside, NULL);
	if (dir == NULL)
		dir = realpath(fallback, NULL);
	*ret_dir = dir != NULL ? dir : xstrdup(fallback);
	/* An absent directory is reported by the code that needs it. */
	if (dir == NULL || stat(dir, &st) < 0)
		return 0;
	if (st.st_uid != 0 && st.st_uid != paths->uid)
		return diag_set(dg, DIAG_CONFIG,
		    "%s belongs to uid %lu: it must be root's or yours", dir,
		    (unsigned long)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s can be written by others: chmod go-w it", dir);
	return 0;
}

/*
 * The XDG specification requires that the user owns the directory, and sudo may
 * keep the variable of another user.
 */
static char *
find_runtime(uid_t uid)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (dir == NULL || dir[0] != '/' ||
	    (stat(dir, &st) == 0 && st.st_uid != uid))
		return NULL;
	return xasprintf("%s/drydock", dir);
}

int
paths_find(struct paths *ret_paths, struct diag *dg)
{
	cleanup_paths struct paths paths;
	const struct passwd *pw;

	paths_init(&paths);
	paths.uid = geteuid();
	paths.gid = getegid();
	pw = getpwuid(paths.uid);
	paths.user = pw != NULL && is_user_name(pw->pw_name)
	    ? xstrdup(pw->pw_name)
	    : xasprintf("u%lu", (unsigned long)paths.uid);
	if (pw != NULL && pw->pw_dir != NULL && pw->pw_dir[0] == '/')
		paths.account_home = xstrdup(pw->pw_dir);
	paths.short_dir =
	    xasprintf(SHORTLINKS_DIR "%lu", (unsigned long)paths.uid);
	paths.runtime_dir = find_runtime(paths.uid);
	paths.decisive = decisive_new();
	if (find_home(&paths, dg) != 0 ||
	    find_xdg(&paths, "XDG_CONFIG_HOME", ".config", &paths.config_name,
		&paths.config_dir, dg) != 0 ||
	    find_xdg(&paths, "XDG_STATE_HOME", ".local/state", NULL,
		&paths.state_dir, dg) != 0 ||
	    find_self(&paths, dg) != 0 ||
	    find_installed(&paths, "share", PKGDATADIR, &paths.data_dir, dg) !=
		0 ||
	    find_installed(
		&paths, "libexec", PKGLIBEXECDIR, &paths.libexec_dir, dg) != 0)
		return -1;
	*ret_paths = paths;
	paths_init(&paths);
	return 0;
}

int
paths_open_config(const struct paths *paths, const char *name, unsigned flags,
    int *ret_fd, struct diag *dg)
{
	const char *base =
	    paths->config_name != NULL ? paths->config_name : paths->config_dir;

	return trusted_open(
	    paths, base, name, flags | TRUSTED_ONE_NAME, ret_fd, dg);
}

int
paths_read_config_file(const struct paths *paths, const char *name, size_t max,
    struct strbuf *out, struct diag *dg)
{
	cleanup_close int fd = -1;

	strbuf_reset(out);
	if (paths_open_config(paths, name, 0, &fd, dg) < 0)
		return -1;
	return fd >= 0 ? trusted_read(fd, name, max, out, dg) : 0;
}
