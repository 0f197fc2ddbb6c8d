/* SPDX-License-Identifier: MIT */
/*
 * token: the token's file.  It is replaced atomically, and read only if no
 * other user can read it.
 */
#include "host/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "host/paths.h"

/* *ret_fd is -1 when there is no directory. */
static int
open_tokens(const struct paths *paths, int *ret_fd, struct diag *dg)
{
	*ret_fd = -1;
	if (paths->state_fd < 0 ||
	    fs_open_nolinks(paths->state_fd, "tokens", O_RDONLY | O_DIRECTORY,
		0, ret_fd, dg) == 0)
		return 0;
	return diag_ignore(dg, ENOENT);
}

int
token_check(struct strbuf *text, struct diag *dg)
{
	size_t len = text->len;

	if (len > 0 && text->buf[len - 1] == '\n')
		len--;
	if (len > 0 && text->buf[len - 1] == '\r')
		len--;
	if (len == 0)
		return diag_set(dg, DIAG_USAGE, "the token is empty");
	if (len > TOKEN_MAX)
		return diag_set(dg, DIAG_USAGE,
		    "the token is longer than %d characters", TOKEN_MAX);
	for (size_t i = 0; i < len; i++) {
		if (text->buf[i] < '!' || text->buf[i] > '~')
			return diag_set(dg, DIAG_USAGE,
			    "the token is not one line of letters, digits and "
			    "signs");
	}
	strbuf_setlen(text, len);
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Works in place, so that no copy of the token stays in memory. */
static void
join_lines(struct strbuf *text)
{
	size_t kept = 0;
	size_t at = 0;

	while (at < text->len) {
		size_t end = at;
		size_t last;

		while (end < text->len && text->buf[end] != '\n')
			end++;
		last = end;
		while (at < last && is_blank(text->buf[at]))
			at++;
		while (last > at && is_blank(text->buf[last - 1]))
			last--;
		memmove(text->buf + kept, text->buf + at, last - at);
		kept += last - at;
		at = end + 1;
	}
	strbuf_setlen(text, kept);
}

static void
strip_quotes(struct strbuf *text)
{
	size_t len = text->len;

	if (len < 2 || (text->buf[0] != '"' && text->buf[0] != '\'') ||
	    text->buf[len - 1] != text->buf[0])
		return;
	memmove(text->buf, text->buf + 1, len - 2);
	strbuf_setlen(text, len - 2);
}

int
token_clean(struct strbuf *text, const char *prefix, struct diag *dg)
{
	size_t len = prefix != NULL ? strlen(prefix) : 0;

	join_lines(text);
	strip_quotes(text);
	if (token_check(text, dg) != 0)
		return -1;
	if (len == 0)
		return 0;
	if (strncmp(text->buf, prefix, len) != 0)
		return diag_set(dg, DIAG_USAGE,
		    "this is not a token of the agent: tokens start with %s",
		    prefix);
	if (strstr(text->buf + len, prefix) != NULL)
		return diag_set(
		    dg, DIAG_USAGE, "these are two tokens: enter one");
	return 0;
}

/* Opens and checks the file.  *ret_fd is -1 when there is none. */
static int
open_token(
    const struct paths *paths, const char *agent, int *ret_fd, struct diag *dg)
{
	cleanup_close int dirfd = -1;
	cleanup_close int fd = -1;
	struct stat st;

	*ret_fd = -1;
	if (open_tokens(paths, &dirfd, dg) != 0)
		return -1;
	if (dirfd < 0)
		return 0;
	if (fs_open_nolinks(dirfd, agent, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
		&fd, dg) != 0)
		return diag_ignore(dg, ENOENT) == 0 ? 0
						    : diag_wrap(dg, "tokens");
	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "tokens/%s", agent);
	if (!S_ISREG(st.st_mode) || st.st_uid != paths->uid ||
	    (st.st_mode & 077) != 0)
		return diag_set(dg, DIAG_DATA,
		    "%s/tokens/%s is not a file that you alone can read: "
		    "drydock token set makes it anew",
		    paths->state_dir, agent);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int
token_read(const struct paths *paths, const char *agent, struct strbuf *out,
    struct diag *dg)
{
	cleanup_token struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (open_token(paths, agent, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fs_read_fd(fd, agent, TOKEN_MAX + 2, &text, dg) != 0 ||
	    token_check(&text, dg) != 0) {
		dg->class = DIAG_DATA;
		return diag_wrap(dg, "%s/tokens/%s", paths->state_dir, agent);
	}
	strbuf_add(out, text.buf, text.len);
	return 0;
}

int
token_write(const struct paths *paths, const char *agent,
    const struct strbuf *text, struct diag *dg)
{
	cleanup_close int dirfd = -1;

	if (fs_make_dir(paths->state_fd, "tokens", 0700, &dirfd, dg) != 0)
		return diag_wrap(dg, "%s/tokens", paths->state_dir);
	fs_temp_clean(dirfd, agent);
	if (fs_replace_file(dirfd, agent, text->buf, text->len, 0600, dg) != 0)
		return diag_wrap(dg, "%s/tokens", paths->state_dir);
	return 0;
}

int
token_remove(const struct paths *paths, const char *agent, bool *ret_there,
    struct diag *dg)
{
	cleanup_close int dirfd = -1;

	*ret_there = false;
	if (open_tokens(paths, &dirfd, dg) != 0)
		return -1;
	if (dirfd < 0)
		return 0;
	fs_temp_clean(dirfd, agent);
	if (unlinkat(dirfd, agent, 0) < 0)
		return errno == ENOENT ? 0
				       : diag_set_errno(dg, DIAG_IO, errno,
					     "remove tokens/%s", agent);
	if (fsync(dirfd) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "flush tokens");
	*ret_there = true;
	return 0;
}

int
token_status(const struct paths *paths, const char *agent, bool *ret_there,
    time_t *ret_since, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct stat st;

	*ret_there = false;
	if (open_token(paths, agent, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "tokens/%s", agent);
	*ret_there = true;
	*ret_since = st.st_mtime;
	return 0;
}

void
token_wipe(struct strbuf *text)
{
	if (text->alloc > 0)
		explicit_bzero(text->buf, text->alloc);
	strbuf_release(text);
}
