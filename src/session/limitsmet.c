/* SPDX-License-Identifier: MIT */
/* Parses "NAME COUNT LIMIT" lines, which a hostile agent can forge. */
#include "session/limitsmet.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "plan/role.h"

enum {
	STATUS_KILLED = 128 + 9,
};

static const struct {
	const char *name; /* in the file */
	const char *setting;
} kinds[] = {
	[LIMIT_MEMORY] = { "memory", "memory" },
	[LIMIT_PIDS] = { "pids", "pids" },
	[LIMIT_TMP] = { "tmp", "tmp_size" },
};

const char *
limitsmet_name(enum limitsmet_kind kind)
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
write_limit(enum limitsmet_kind kind, int64_t limit)
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

static const char *
words_for(enum limitsmet_kind kind, int status)
{
	if (kind == LIMIT_MEMORY)
		return status == STATUS_KILLED
		    ? "killed: out of memory"
		    : "a process was killed: out of memory";
	return kind == LIMIT_PIDS ? "a process could not be started: too many "
				    "processes and threads"
				  : "/tmp is full";
}

void
limitsmet_describe(const struct limitsmet *met, int status, struct strbuf *out)
{
	for (size_t i = 0; i < LIMITS_NR; i++) {
		enum limitsmet_kind kind = (enum limitsmet_kind)i;
		cleanup_free char *limit = write_limit(kind, met->limit[i]);

		/* A full /tmp did not hurt a command that succeeded. */
		if (met->count[i] == 0 || (kind == LIMIT_TMP && status == 0))
			continue;
		if (out->len > 0)
			strbuf_addstr(out, "; ");
		strbuf_addstr(out, words_for(kind, status));
		if (met->limit[i] > 0)
			strbuf_addf(out, " (limit %s, setting %s)", limit,
			    kinds[i].setting);
		else
			strbuf_addf(out, " (setting %s)", kinds[i].setting);
	}
}
