/* SPDX-License-Identifier: MIT */
/* A number and a newline, from a directory that somebody hostile fills. */
#include "session/endnote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "guest/wire.h"

enum {
	NOTE_MAX = sizeof("255"), /* three digits and the newline */
	STATUS_MAX = 255,
};

static int
parse(const struct strbuf *text)
{
	int status = 0;

	if (text->len < 2 || text->buf[text->len - 1] != '\n')
		return 0;
	for (size_t i = 0; i + 1 < text->len; i++) {
		if (text->buf[i] < '0' || text->buf[i] > '9')
			return 0;
		status = status * 10 + (text->buf[i] - '0');
	}
	return status <= STATUS_MAX ? status : 0;
}

/* Nothing, or no file, link or size that the holder would have left. */
static bool
is_no_note(const struct diag *dg)
{
	return dg->class != DIAG_IO || dg->errnum == 0 ||
	    dg->errnum == ENOENT || dg->errnum == ENOTDIR ||
	    dg->errnum == ELOOP || dg->errnum == EXDEV || dg->errnum == ENXIO ||
	    dg->errnum == EISDIR;
}

int
endnote_read(int session_fd, int *ret_status, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int run_fd = -1;

	*ret_status = 0;
	if (fs_open_nolinks(session_fd, "run",
		O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, &run_fd, &mine) == 0 &&
	    fs_read_file(run_fd, WIRE_END_NAME, NOTE_MAX, &text, &mine) == 0) {
		*ret_status = parse(&text);
		return 0;
	}
	if (is_no_note(&mine))
		return 0;
	diag_move(dg, &mine);
	return diag_wrap(dg, "run");
}
