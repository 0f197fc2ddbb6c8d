/* SPDX-License-Identifier: MIT */
/* Reads a number and a newline from a directory that a hostile agent writes. */
#include "session/endnote.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/decimal.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "guest/wire.h"
#include "plan/role.h"

enum {
	NOTE_MAX = sizeof("255"), /* three digits and the newline */
	STATUS_MAX = 255,
};

static bool
parse(struct strbuf *text, int *ret_status)
{
	int64_t status;

	if (text->len == 0 || text->buf[text->len - 1] != '\n')
		return false;
	strbuf_setlen(text, text->len - 1);
	if (strlen(text->buf) != text->len ||
	    !decimal_parse(text->buf, 0, STATUS_MAX, &status))
		return false;
	*ret_status = (int)status;
	return true;
}

/*
 * Returns true if there is no note: the file is absent, or has a type or size
 * that the holder never writes.
 */
static bool
is_no_note(const struct diag *dg)
{
	return dg->class != DIAG_IO || dg->errnum == 0 ||
	    dg->errnum == ENOENT || dg->errnum == ENOTDIR ||
	    dg->errnum == ELOOP || dg->errnum == EXDEV || dg->errnum == ENXIO ||
	    dg->errnum == EISDIR;
}

/* Restores the user's rights on the note, which the agent may have removed. */
static int
read_note(int run_fd, struct strbuf *text, struct diag *dg)
{
	cleanup_close int fd =
	    openat(run_fd, WIRE_END_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd != -1 && fstat(fd, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return diag_set(dg, DIAG_DATA, "is not a regular file");
		if (st.st_uid == geteuid() && (st.st_mode & S_IRUSR) == 0)
			(void)fs_chmod_fd(fd, S_IRUSR | S_IWUSR);
	}
	return fs_read_file(run_fd, WIRE_END_NAME, NOTE_MAX, text, dg);
}

int
endnote_read(int session_fd, bool *ret_noted, int *ret_status, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int run_fd = -1;

	*ret_noted = false;
	*ret_status = 0;
	if (fs_open_own_dir(session_fd, mount_roles[MOUNT_RUN].below, &run_fd,
		&mine) == 0 &&
	    read_note(run_fd, &text, &mine) == 0) {
		*ret_noted = parse(&text, ret_status);
		return 0;
	}
	if (is_no_note(&mine))
		return 0;
	diag_move(dg, &mine);
	return diag_wrap(dg, "run");
}
