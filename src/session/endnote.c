/* SPDX-License-Identifier: MIT */
/* Reads numbers from files in a directory that a hostile agent writes. */
#include "session/endnote.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "host/text.h"
#include "plan/role.h"

enum {
	NOTE_MAX = sizeof("255"), /* three digits and the newline */
	STATUS_MAX = 255,
	STATUS_KILLED = 128 + 9,
};

static bool
parse(struct strbuf *text, int *ret_status)
{
	int64_t status;

	if (text->len == 0 || text->buf[text->len - 1] != '\n')
		return false;
	strbuf_setlen(text, text->len - 1);
	if (strlen(text->buf) != text->len ||
	    !text_decimal(text->buf, 0, STATUS_MAX, &status))
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

static const struct {
	const char *name; /* in the file */
	const char *setting;
	const char *words;
} kinds[] = {
	[LIMIT_MEMORY] = { "memory", "memory",
	    "a process was killed: out of memory" },
	[LIMIT_PIDS] = { "pids", "pids",
	    "a process could not be started: too many processes and threads" },
	[LIMIT_TMP] = { "tmp", "tmp_size", "/tmp is full" },
};

const char *
limitsmet_name(size_t kind)
{
	return kinds[kind].name;
}

/* Reads a number of at most 15 digits and the stop character after it. */
static bool
read_number(const char **at, const char *end, char stop, int64_t *ret)
{
	const char *from = *at;

	for (*ret = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		if (*at - from == 15)
			return false;
		*ret = *ret * 10 + (**at - '0');
	}
	return *at > from && *at < end && *(*at)++ == stop;
}

void
limitsmet_parse(struct limitsmet *met, const char *text, size_t len)
{
	const char *end = text + len;

	*met = (struct limitsmet){ .count = { 0 } };
	for (const char *at = text; at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		int64_t count;
		int64_t limit;

		if (eol == NULL)
			return;
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			size_t n = strlen(kinds[i].name);
			const char *number = at + n + 1;

			if ((size_t)(eol - at) <= n || at[n] != ' ' ||
			    memcmp(at, kinds[i].name, n) != 0 ||
			    !read_number(&number, eol + 1, ' ', &count) ||
			    !read_number(&number, eol + 1, '\n', &limit))
				continue;
			met->count[i] = count;
			met->limit[i] = limit;
		}
		at = eol + 1;
	}
}

void
limitsmet_read(struct limitsmet *met, int session_fd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	*met = (struct limitsmet){ .count = { 0 } };
	if (fs_open_own_dir(
		session_fd, mount_roles[MOUNT_RUN].below, &fd, &ignored) == 0 &&
	    fs_read_file(
		fd, WIRE_LIMITS_NAME, WIRE_LIMITS_MAX, &text, &ignored) == 0)
		limitsmet_parse(met, text.buf, text.len);
}

/* Formats a limit as in drydock.conf: 8g, 512m, 2048. */
static char *
write_limit(size_t kind, int64_t limit)
{
	static const char units[] = "kmgt";
	size_t unit = 0;

	if (kind == LIMIT_PIDS || limit % 1024 != 0)
		return xasprintf("%" PRId64, limit);
	for (limit /= 1024; limit % 1024 == 0 && unit < sizeof(units) - 2;
	     unit++)
		limit /= 1024;
	return xasprintf("%" PRId64 "%c", limit, units[unit]);
}

void
limitsmet_describe(const struct limitsmet *met, int status, struct strbuf *out)
{
	for (size_t i = 0; i < LIMITS_NR; i++) {
		cleanup_free char *limit = write_limit(i, met->limit[i]);
		bool killed = i == LIMIT_MEMORY && status == STATUS_KILLED;

		/* A full /tmp did not hurt a command that succeeded. */
		if (met->count[i] == 0 || (i == LIMIT_TMP && status == 0))
			continue;
		if (out->len > 0)
			strbuf_addstr(out, "; ");
		strbuf_addstr(
		    out, killed ? "killed: out of memory" : kinds[i].words);
		if (met->limit[i] > 0)
			strbuf_addf(out, " (limit %s, setting %s)", limit,
			    kinds[i].setting);
		else
			strbuf_addf(out, " (setting %s)", kinds[i].setting);
	}
}
