/* SPDX-License-Identifier: MIT */
/* mountinfo: parses /proc/PID/mountinfo. */
#include "plan/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define OWN_MOUNTS_MAX ((size_t)4 << 20)

static bool
is_octal(const char *s, const char *end)
{
	return end - s >= 4 && s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
	    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7';
}

/* Returned: the text up to end; each \ooo of mountinfo is decoded. */
static char *
unescape(const char *s, const char *end)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	while (s < end) {
		if (is_octal(s, end)) {
			strbuf_addch(&sb,
			    (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				(s[3] - '0')));
			s += 4;
		} else {
			strbuf_addch(&sb, *s++);
		}
	}
	return strbuf_detach(&sb, NULL);
}

enum {
	MOUNT_FIELD_ID = 0,
	MOUNT_FIELD_DEVICE = 2,
	MOUNT_FIELD_ROOT = 3,
	MOUNT_FIELD_TARGET = 4,
	MOUNT_FIELD_OPTIONS = 5,
	MOUNT_FIELDS = 6, /* before the optional fields */
	MOUNT_TAIL = 3, /* after the "-" */
};

/* Returns the next field without its blank, or false at the end of the line. */
static bool
next_field(const char **at, const char *eol, const char **s, const char **end)
{
	if (*at >= eol)
		return false;
	*s = *at;
	*end = memchr(*s, ' ', (size_t)(eol - *s));
	if (*end == NULL)
		*end = eol;
	*at = *end < eol ? *end + 1 : eol;
	return true;
}

static bool
parse_mount(const char *line, const char *eol, struct mountinfo_row *m)
{
	const char *at = line;
	const char *s;
	const char *end;

	for (int i = 0; i < MOUNT_FIELDS; i++) {
		if (!next_field(&at, eol, &s, &end))
			return false;
		if (i == MOUNT_FIELD_ID)
			m->id = strtoull(s, NULL, 10);
		else if (i == MOUNT_FIELD_DEVICE)
			m->device = unescape(s, end);
		else if (i == MOUNT_FIELD_ROOT)
			m->root = unescape(s, end);
		else if (i == MOUNT_FIELD_TARGET)
			m->target = unescape(s, end);
		else if (i == MOUNT_FIELD_OPTIONS)
			m->options = unescape(s, end);
	}
	do {
		if (!next_field(&at, eol, &s, &end))
			return false;
	} while (end - s != 1 || *s != '-');
	for (int i = 0; i < MOUNT_TAIL; i++) {
		if (!next_field(&at, eol, &s, &end))
			return false;
		if (i == 0)
			m->fstype = unescape(s, end);
		else if (i == 2)
			m->super = unescape(s, end);
	}
	return true;
}

int
mountinfo_parse(const char *text, struct mountinfo *ret_mounts, struct diag *dg)
{
	cleanup_mountinfo struct mountinfo mounts = { NULL, 0 };
	size_t alloc = 0;

	for (const char *line = text; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");

		if (mounts.nr == MOUNTINFO_MAX)
			return diag_set(dg, DIAG_POLICY,
			    "/proc/PID/mountinfo: more than %d mounts",
			    MOUNTINFO_MAX);
		if (mounts.nr == alloc) {
			alloc = alloc * 2 + 32;
			mounts.v =
			    xreallocarray(mounts.v, alloc, sizeof(*mounts.v));
		}
		mounts.v[mounts.nr] = (struct mountinfo_row){ .root = NULL };
		if (!parse_mount(line, eol, &mounts.v[mounts.nr++]))
			return diag_set(dg, DIAG_POLICY,
			    "/proc/PID/mountinfo: line %zu cannot be read",
			    mounts.nr);
		line = *eol == '\n' ? eol + 1 : eol;
	}
	*ret_mounts = mounts;
	mounts = (struct mountinfo){ NULL, 0 };
	return 0;
}

int
mountinfo_read_own(struct mountinfo *ret_mounts, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "open /proc/self/mountinfo");
	if (fs_read_fd(fd, "/proc/self/mountinfo", OWN_MOUNTS_MAX, &text, dg) !=
	    0)
		return -1;
	return mountinfo_parse(text.buf, ret_mounts, dg);
}

bool
mountinfo_has_option(const char *options, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = options; *s != '\0';) {
		size_t n = strcspn(s, ",");

		if (n == len && strncmp(s, word, len) == 0)
			return true;
		s += n + (s[n] == ',' ? 1 : 0);
	}
	return false;
}

void
mountinfo_release(struct mountinfo *mounts)
{
	for (size_t i = 0; i < mounts->nr; i++) {
		free(mounts->v[i].device);
		free(mounts->v[i].root);
		free(mounts->v[i].target);
		free(mounts->v[i].options);
		free(mounts->v[i].fstype);
		free(mounts->v[i].super);
	}
	free(mounts->v);
	*mounts = (struct mountinfo){ NULL, 0 };
}
