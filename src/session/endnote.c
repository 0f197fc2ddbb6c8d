/* SPDX-License-Identifier: MIT */
/* A number and a newline, from a directory that somebody hostile fills. */
#include "session/endnote.h"

#include <fcntl.h>
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

int
endnote_read(int session_fd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int run_fd = -1;

	if (fs_open_nolinks(session_fd, "run",
		O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, &run_fd,
		&ignored) != 0 ||
	    fs_read_file(run_fd, WIRE_END_NAME, NOTE_MAX, &text, &ignored) != 0)
		return 0;
	return parse(&text);
}
