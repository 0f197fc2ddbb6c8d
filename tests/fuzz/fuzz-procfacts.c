/* SPDX-License-Identifier: MIT */
/* proc(5): what is read of it is what stands there, or it is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "plan/procfacts.h"

/* As the kernel writes a field: blanks and backslashes in octal. */
static void
add_field(struct strbuf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr(" \t\n\\", *s) != NULL)
			strbuf_addf(out, "\\%03o", (unsigned char)*s);
		else
			strbuf_addch(out, *s);
	}
}

static void
check_mounts(const char *text)
{
	cleanup_mountinfo struct mountinfo mounts = { NULL, 0 };
	cleanup_mountinfo struct mountinfo again = { NULL, 0 };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	bool empty = false;

	int rc = mountinfo_parse(text, &mounts, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY && mounts.nr == 0);
	fuzz_outcome(rc, &dg);
	size_t want = 0;
	for (const char *p = text; rc == 0 && *p != '\0'; want++) {
		size_t len = strcspn(p, "\n");
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	/* One that is left out is one that is not verified. */
	FUZZ_CHECK(mounts.nr == want);
	for (size_t i = 0; i < mounts.nr; i++) {
		const struct mountinfo_row *m = &mounts.v[i];
		empty = empty || m->super[0] == '\0';
		strbuf_addstr(&lines, "1 2 0:3 ");
		add_field(&lines, m->root);
		strbuf_addch(&lines, ' ');
		add_field(&lines, m->target);
		strbuf_addch(&lines, ' ');
		add_field(&lines, m->options);
		strbuf_addstr(&lines, " shared:1 - ");
		add_field(&lines, m->fstype);
		strbuf_addstr(&lines, " source ");
		add_field(&lines, m->super);
		strbuf_addch(&lines, '\n');
	}
	/* The line's end says nothing of a field that is not there. */
	if (empty)
		return;
	FUZZ_CHECK(mountinfo_parse(lines.buf, &again, &dg) == 0);
	FUZZ_CHECK(again.nr == mounts.nr);
	for (size_t i = 0; i < mounts.nr; i++) {
		const struct mountinfo_row *a = &mounts.v[i];
		const struct mountinfo_row *b = &again.v[i];
		FUZZ_CHECK(strcmp(a->root, b->root) == 0);
		FUZZ_CHECK(strcmp(a->target, b->target) == 0);
		FUZZ_CHECK(strcmp(a->options, b->options) == 0);
		FUZZ_CHECK(strcmp(a->fstype, b->fstype) == 0);
		FUZZ_CHECK(strcmp(a->super, b->super) == 0);
	}
}

static void
check_status(const char *text)
{
	struct proc_status status;
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = proc_parse_status(text, &status, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return;
	FUZZ_CHECK(status.ngroups <= PROC_MAX_GROUPS);
	FUZZ_CHECK(status.no_new_privs >= -1 && status.seccomp >= -1 &&
	    status.seccomp_filters >= -1);
	/* No fact without its line. */
	static const char *const lines[] = { "Uid:", "Gid:", "Groups:",
		"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:" };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		FUZZ_CHECK(strstr(text, lines[i]) != NULL);
}

static void
check_devices(const char *text)
{
	cleanup_strvec struct strvec devices = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = proc_parse_devices(text, &devices, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY);
	fuzz_outcome(rc, &dg);
	for (size_t i = 0; i < devices.nr; i++)
		FUZZ_CHECK(strpbrk(devices.v[i], ":\n") == NULL);
	size_t lines = 0;
	for (const char *p = text; *p != '\0'; lines++) {
		size_t len = strcspn(p, "\n");
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	if (rc == 0)
		FUZZ_CHECK(devices.nr + 2 == lines);
}

static void
check_cgroup(const char *text)
{
	static const char *const controllers[] = { NULL, "memory", "pids" };
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		if (!cgroup_find(text, controllers[i], &path)) {
			FUZZ_CHECK(path.len == 0);
			continue;
		}
		FUZZ_CHECK(strchr(path.buf, '\n') == NULL);
		FUZZ_CHECK(strstr(text, path.buf) != NULL);
		if (controllers[i] != NULL)
			FUZZ_CHECK(strstr(text, controllers[i]) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);

	if (kind == 'm')
		check_mounts(text);
	else if (kind == 's')
		check_status(text);
	else if (kind == 'd')
		check_devices(text);
	else
		check_cgroup(text);
	return 0;
}
