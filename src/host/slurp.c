/* SPDX-License-Identifier: MIT */
/* slurp: reads optional files. */
#include "host/slurp.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"

bool
slurp_bytes(const char *path, size_t max, struct strbuf *out)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd != -1 && fs_read_fd(fd, path, max, out, &ignored) == 0;
}

bool
slurp_text(const char *path, size_t max, struct strbuf *out)
{
	size_t start = out->len;

	if (!slurp_bytes(path, max, out))
		return false;
	if (memchr(out->buf + start, '\0', out->len - start) == NULL)
		return true;
	strbuf_setlen(out, start);
	return false;
}
