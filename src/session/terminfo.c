/* SPDX-License-Identifier: MIT */
/* Searches the directories that ncurses searches. */
#include "session/terminfo.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "session/agent-env.h"

/* term(5): the maximum size of an extended entry. */
#define ENTRY_MAX ((size_t)32768)

/*
 * term(5): the magic number is octal 432, or 01036 with wider numbers; it is
 * little-endian.
 */
static bool
is_compiled(const struct strbuf *entry)
{
	return entry->len > 12 &&
	    (memcmp(entry->buf, "\x1a\x01", 2) == 0 ||
		memcmp(entry->buf, "\x1e\x02", 2) == 0);
}

static bool
read_at(const struct paths *paths, const char *path, struct strbuf *out)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	strbuf_setlen(out, 0);
	return fd >= 0 && fstat(fd, &st) == 0 &&
	    (st.st_uid == 0 || st.st_uid == paths->uid) &&
	    fs_read_fd(fd, path, ENTRY_MAX, out, &ignored) == 0 &&
	    is_compiled(out);
}

static bool
read_below(const struct paths *paths, const char *dir, const char *name,
    struct strbuf *out)
{
	cleanup_free char *letter = xasprintf("%s/%c/%s", dir, name[0], name);
	cleanup_free char *number =
	    xasprintf("%s/%02x/%s", dir, (unsigned char)name[0], name);

	return dir[0] == '/' &&
	    (read_at(paths, letter, out) || read_at(paths, number, out));
}

static bool
find_entry(const struct paths *paths, const char *const *environ_,
    const char *name, struct strbuf *out)
{
	cleanup_free char *own = xasprintf("%s/.terminfo", paths->home);
	const char *dir = envp_get(environ_, "TERMINFO");
	const char *list = envp_get(environ_, "TERMINFO_DIRS");
	const char *const system[] = { own, "/etc/terminfo", "/lib/terminfo",
		"/usr/lib/terminfo", "/usr/share/terminfo", NULL };
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	if (dir != NULL)
		strvec_push(&dirs, dir);
	if (list != NULL)
		strvec_split(&dirs, list, ':');
	strvec_push_all(&dirs, system);
	for (size_t i = 0; i < dirs.nr; i++)
		if (read_below(paths, dirs.v[i], name, out))
			return true;
	return false;
}

/* Keeps an existing entry: .terminfo may come from the user's own files. */
static int
write_entry(
    int home_fd, const char *name, const struct strbuf *entry, struct diag *dg)
{
	char letter[2] = { name[0], '\0' };
	cleanup_close int dir = -1;
	cleanup_close int sub = -1;
	struct stat st;

	if (fs_make_dir(home_fd, ".terminfo", 0700, &dir, dg) != 0 ||
	    fs_make_dir(dir, letter, 0700, &sub, dg) != 0)
		return -1;
	if (fstatat(sub, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return fs_replace_file(sub, name, entry->buf, entry->len, 0644, dg);
}

void
terminfo_carry(
    const struct paths *paths, const char *const *environ_, int home_fd)
{
	const char *name = agent_env_terminal(environ_, "TERM");
	cleanup_strbuf struct strbuf entry = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (name != NULL && find_entry(paths, environ_, name, &entry) &&
	    write_entry(home_fd, name, &entry, &dg) != 0)
		diag_warn(
		    "cannot copy your terminal's description to the session: "
		    "%s",
		    dg.message);
}
