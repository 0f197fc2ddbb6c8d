/* SPDX-License-Identifier: MIT */
/* statedir: creates and opens the state directory and its id file. */
#include "host/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"

#define ID_NAME "id"
#define ID_DIGITS 32
#define SESSIONS "sessions"

#define CIFS_MAGIC 0xff534d42U

static const char *const children[] = { SESSIONS, "agents", "tokens", "trash" };

/*
 * File systems without dependable flock or rename: a server or a user-space
 * process implements them.
 */
static const struct {
	unsigned long magic;
	const char *name;
} refused[] = {
	{ V9FS_MAGIC, "9p" },
	{ NFS_SUPER_MAGIC, "NFS" },
	{ SMB_SUPER_MAGIC, "SMB" },
	{ SMB2_SUPER_MAGIC, "SMB" },
	{ CIFS_MAGIC, "SMB" },
	{ FUSE_SUPER_MAGIC, "FUSE" },
};

static int
check_file_system(const struct paths *paths, int fd, struct diag *dg)
{
	struct statfs sf;
	int rc;

	do {
		rc = fstatfs(fd, &sf);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "statfs %s", paths->state_dir);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (((unsigned long)sf.f_type & 0xffffffffUL) !=
		    refused[i].magic)
			continue;
		return diag_set(dg, DIAG_CONFIG,
		    "%s is on %s, which has no dependable locks: set "
		    "XDG_STATE_HOME to a directory on a local disk",
		    paths->state_dir, refused[i].name);
	}
	return 0;
}

/*
 * *ret_id is "" when there is no id file.  Accepts exactly 32 lower-case hex
 * digits and a newline.
 */
static int
read_id(const struct paths *paths, int fd, char *ret_id, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	ret_id[0] = '\0';
	if (fs_read_file(fd, ID_NAME, 256, &text, dg) != 0)
		return diag_ignore(dg, ENOENT) == 0
		    ? 0
		    : diag_wrap(dg, "%s", paths->state_dir);
	if (text.len != ID_DIGITS + 1 || text.buf[ID_DIGITS] != '\n' ||
	    strspn(text.buf, "0123456789abcdef") != ID_DIGITS)
		return diag_set(dg, DIAG_DATA,
		    "%s/" ID_NAME " is damaged: it must hold 32 hex digits",
		    paths->state_dir);
	memcpy(ret_id, text.buf, ID_DIGITS);
	ret_id[ID_DIGITS] = '\0';
	return 0;
}

static int
write_id(const struct paths *paths, int id_fd, struct diag *dg)
{
	unsigned char random[ID_DIGITS / 2];
	char text[ID_DIGITS + 2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return diag_set_errno(dg, DIAG_IO, errno, "getrandom");
	for (size_t i = 0; i < sizeof(random); i++) {
		text[2 * i] = "0123456789abcdef"[random[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	text[ID_DIGITS] = '\n';
	if (fs_write_all(id_fd, text, ID_DIGITS + 1, ID_NAME, dg) != 0)
		return -1;
	/* The mode is 0600 under any umask. */
	if (fchmod(id_fd, 0600) < 0 || fsync(id_fd) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "write %s/" ID_NAME, paths->state_dir);
	return 0;
}

/*
 * Writes the id to a temporary file and renames the complete file into place,
 * unless an id exists (RENAME_NOREPLACE).  When two first launches race, one
 * wins and both then read the same file.
 */
static int
make_id(const struct paths *paths, int fd, struct diag *dg)
{
	char temp[FS_TEMP_SIZE];
	cleanup_close int id_fd = -1;
	int rc;

	fs_temp_clean(fd, ID_NAME);
	if (fs_temp_create(fd, ID_NAME, temp, &id_fd, dg) != 0)
		return diag_wrap(dg, "%s", paths->state_dir);
	rc = write_id(paths, id_fd, dg);
	if (rc == 0 && renameat2(fd, temp, fd, ID_NAME, RENAME_NOREPLACE) == 0)
		temp[0] = '\0';
	else if (rc == 0 && errno != EEXIST)
		rc = diag_set_errno(
		    dg, DIAG_IO, errno, "make %s/" ID_NAME, paths->state_dir);
	if (temp[0] != '\0')
		(void)unlinkat(fd, temp, 0);
	if (rc == 0 && fsync(fd) < 0)
		rc = diag_set_errno(
		    dg, DIAG_IO, errno, "flush %s", paths->state_dir);
	return rc;
}

static int
read_or_make_id(struct paths *paths, int fd, struct diag *dg)
{
	cleanup_free char *path = xasprintf("%s/" SESSIONS, paths->state_dir);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int dir_fd = -1;

	if (read_id(paths, fd, paths->state_id, dg) != 0)
		return -1;
	if (paths->state_id[0] != '\0')
		return 0;
	/*
	 * With a new id, the containers of the existing sessions would be taken
	 * for those of another state directory.
	 */
	dir_fd = fs_walk_open(fd, SESSIONS);
	if (dir_fd < 0 && errno != ENOENT)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", path);
	if (dir_fd >= 0 && fs_list_names(dir_fd, path, &names, dg) != 0)
		return -1;
	if (names.nr > 0)
		return diag_set(dg, DIAG_DATA,
		    "%s/" ID_NAME " is missing though there are sessions: "
		    "put it back, or move " SESSIONS "/ away",
		    paths->state_dir);
	if (make_id(paths, fd, dg) != 0 ||
	    read_id(paths, fd, paths->state_id, dg) != 0)
		return -1;
	if (paths->state_id[0] == '\0')
		return diag_set(dg, DIAG_DATA, "%s/" ID_NAME " went away",
		    paths->state_dir);
	return 0;
}

/* Replaces paths->state_dir with the real path of the opened directory. */
static int
take_real_path(struct paths *paths, int fd, struct diag *dg)
{
	cleanup_free char *real = NULL;

	if (fs_real_path(fd, &real) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "real path of %s", paths->state_dir);
	cleanup_free_fn(&paths->state_dir);
	paths->state_dir = steal_ptr(&real);
	return 0;
}

/* Checks the owner of the directory and sets its mode back to 0700. */
static int
check_state_dir(const struct paths *paths, int fd, struct diag *dg)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "%s", paths->state_dir);
	if (st.st_uid != paths->uid)
		return diag_set(dg, DIAG_CONFIG,
		    "%s belongs to uid %lu: it must be yours", paths->state_dir,
		    (unsigned long)st.st_uid);
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "chmod %s", paths->state_dir);
	return 0;
}

int
statedir_open(struct paths *paths, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (fs_make_path(paths->state_dir, 0700, &fd, dg) != 0)
		return -1;
	if (check_file_system(paths, fd, dg) != 0 ||
	    check_state_dir(paths, fd, dg) != 0 ||
	    take_real_path(paths, fd, dg) != 0)
		return -1;
	if (read_or_make_id(paths, fd, dg) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		cleanup_close int child = -1;

		if (fs_make_dir(fd, children[i], 0700, &child, dg) != 0)
			return diag_wrap(dg, "%s", paths->state_dir);
	}
	cleanup_close_fn(&paths->state_fd);
	paths->state_fd = steal_fd(&fd);
	return 0;
}

int
statedir_open_readonly(struct paths *paths, int *ret_there, struct diag *dg)
{
	cleanup_close int fd = -1;

	*ret_there = 0;
	if (fs_open_dir(paths->state_dir, &fd, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (check_file_system(paths, fd, dg) != 0 ||
	    take_real_path(paths, fd, dg) != 0 ||
	    read_id(paths, fd, paths->state_id, dg) != 0)
		return -1;
	cleanup_close_fn(&paths->state_fd);
	paths->state_fd = steal_fd(&fd);
	*ret_there = 1;
	return 0;
}
