/* SPDX-License-Identifier: MIT */
/* Measures a tree that an agent made, within a time limit. */
#include "session/usage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/monotime.h"
#include "host/settings.h"

enum {
	DEPTH_MAX = 256,
	BLOCK = 512, /* unit of st_blocks, see stat(2) */
};

#define MIB (INT64_C(1024) * 1024)

struct measurement {
	struct usage usage;
	int64_t deadline;
	dev_t dev;
};

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	struct measurement *m = walk->arg;
	struct stat st;
	int fd;

	if (monotime_left_ms(m->deadline) == 0)
		return diag_set(walk->dg, DIAG_IO, "time limit reached");
	/* The agent may have removed the entry meanwhile. */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	m->usage.files++;
	m->usage.bytes += (int64_t)st.st_blocks * BLOCK;
	if (!S_ISDIR(st.st_mode) || st.st_dev != m->dev)
		return 0;
	fd = walk->depth < DEPTH_MAX ? fs_walk_open(dirfd, name) : -1;
	if (fd == -1) {
		m->usage.whole = false;
		return 0;
	}
	return fs_walk_read(walk, fd);
}

void
usage_measure(int dir_fd, int timeout_ms, struct usage *ret_usage)
{
	cleanup_diag struct diag over = DIAG_INIT;
	struct measurement m = {
		.usage = { .whole = true },
		.deadline = monotime_ms() + timeout_ms,
	};
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = &m,
		.dg = &over,
		.label = "home",
		.path = STRBUF_INIT,
		.max_depth = DEPTH_MAX + 1,
		.too_deep = DIAG_DATA,
	};
	struct stat st;
	int fd = fs_walk_open(dir_fd, ".");

	if (fd == -1 || fstat(fd, &st) != 0) {
		cleanup_close_fn(&fd);
		m.usage.whole = false;
	} else {
		m.dev = st.st_dev;
		if (fs_walk_read(&walk, fd) != 0)
			m.usage.whole = false;
	}
	*ret_usage = m.usage;
}

/*
 * Returns true if the tree exceeds the settings; *ret_usage is the measurement.
 */
static bool
is_over(const struct settings *settings, int fd, int timeout_ms,
    struct usage *ret_usage)
{
	if (settings->disk_warn == 0 && settings->files_warn == 0)
		return false;
	usage_measure(fd, timeout_ms, ret_usage);
	return (settings->disk_warn != 0 &&
		   ret_usage->bytes > settings->disk_warn) ||
	    (settings->files_warn != 0 &&
		ret_usage->files > settings->files_warn);
}

void
usage_tell(const struct settings *settings, const char *id, int home_fd,
    int timeout_ms)
{
	struct usage u;

	if (is_over(settings, home_fd, timeout_ms, &u))
		diag_note("the home of session %s has %s%" PRId64
			  " MiB in %" PRId64
			  " files, more than disk_warn or files_warn: "
			  "\"drydock stop %s\" removes it with the session",
		    id, u.whole ? "" : "at least ", u.bytes / MIB, u.files, id);
}

void
usage_tell_project(
    const struct settings *settings, const char *project, int timeout_ms)
{
	cleanup_close int fd =
	    open(project, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct usage u;

	if (fd != -1 && is_over(settings, fd, timeout_ms, &u))
		diag_note("the project %s has %s%" PRId64 " MiB in %" PRId64
			  " files, more than disk_warn or files_warn",
		    project, u.whole ? "" : "at least ", u.bytes / MIB,
		    u.files);
}
