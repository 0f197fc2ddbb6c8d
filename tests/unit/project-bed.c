/* SPDX-License-Identifier: MIT */
/* A project of watched files, whose changes are found and put back. */
#include "project-bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "check.h"
#include "data-kit.h"
#include "host/trusted.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "session/changes.h"
#include "session/restore.h"

void
bed_write(int fd, const char *name, const char *text, mode_t mode)
{
	cleanup_close int f =
	    openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (CHECK(f >= 0))
		CHECK(write(f, text, strlen(text)) == (ssize_t)strlen(text));
}

void
bed_dirs(int fd, const char *path)
{
	cleanup_free char *copy = xstrdup(path);

	for (char *at = copy; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdirat(fd, copy, 0755);
		*at = '/';
	}
	(void)mkdirat(fd, copy, 0755);
}

void
bed_git(int fd, const char *path)
{
	cleanup_free char *objects = xasprintf("%s/objects", path);
	cleanup_free char *refs = xasprintf("%s/refs", path);
	cleanup_free char *hooks = xasprintf("%s/hooks", path);
	cleanup_free char *head = xasprintf("%s/HEAD", path);
	cleanup_free char *config = xasprintf("%s/config", path);
	cleanup_free char *sample = xasprintf("%s/hooks/x.sample", path);

	bed_dirs(fd, objects);
	bed_dirs(fd, refs);
	bed_dirs(fd, hooks);
	bed_write(fd, head, "ref: refs/heads/main\n", 0644);
	bed_write(fd, config, "[core]\n\tbare = false\n", 0644);
	bed_write(fd, sample, "#!/bin/sh\n", 0755);
}

void
bed_init(struct bed *bed)
{
	cleanup_free char *dir = xasprintf("%s/session", check_tmpdir());
	cleanup_free char *state = xasprintf("%s/state", check_tmpdir());
	cleanup_diag struct diag dg = DIAG_INIT;

	data_kit_paths(&bed->paths);
	strbuf_init(&bed->list);
	CHECK_INT(trusted_read_data(&bed->paths, WATCHLIST_NAME, WATCHLIST_MAX,
		      &bed->list, &dg),
	    0);
	bed->project = xasprintf("%s/project", check_tmpdir());
	CHECK(mkdir(bed->project, 0755) == 0 && mkdir(dir, 0700) == 0 &&
	    mkdir(state, 0700) == 0);
	CHECK_INT(fs_open_dir(bed->project, &bed->project_fd, &dg), 0);
	CHECK_INT(fs_open_dir(dir, &bed->session_fd, &dg), 0);
	CHECK_INT(fs_open_dir(state, &bed->paths.state_fd, &dg), 0);
	bed->paths.state_dir = steal_ptr(&state);
}

void
bed_release(struct bed *bed)
{
	(void)close(bed->project_fd);
	(void)close(bed->session_fd);
	free(bed->project);
	strbuf_release(&bed->list);
	paths_release(&bed->paths);
}

static void
begin(struct bed *bed, char **ret_missed)
{
	struct plan_mount mount = {
		.role = &mount_roles[MOUNT_PROJECT],
		.source = bed->project,
		.target = bed->project,
		.fd = -1,
		.st = { .st_mode = S_IFDIR },
	};
	struct plan_service agent = { .mounts = &mount, .nmounts = 1 };
	struct plan plan = { .services = &agent, .nservices = 1 };
	cleanup_free char *name = xstrdup("agent");
	cleanup_diag struct diag dg = DIAG_INIT;

	agent.name = name;
	if (!CHECK_INT(changes_begin(&plan, bed->list.buf, bed->list.len,
			   bed->session_fd, ret_missed, &dg),
		0))
		(void)fprintf(stderr, "# %s\n", dg.message);
}

void
bed_begin_whole(struct bed *bed)
{
	cleanup_free char *missed = NULL;

	begin(bed, &missed);
	CHECK_STR(missed, NULL);
}

char *
bed_describe(const struct changes *c)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < c->nr; i++) {
		strbuf_addf(
		    &out, "%s%s ", i > 0 ? "|" : "", change_word(&c->v[i]));
		watched_describe(&c->start, change_file(&c->v[i]), &out);
	}
	return strbuf_detach(&out, NULL);
}

void
bed_expect(struct bed *bed, const char *what, const char *want)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *got = NULL;

	if (!CHECK_INT(changes_find(bed->session_fd, 5000, &c, &dg), 0)) {
		(void)fprintf(stderr, "# %s: %s\n", what, dg.message);
		return;
	}
	got = bed_describe(&c);
	if (!CHECK_STR(got, want))
		(void)fprintf(stderr, "# %s\n", what);
}

void
bed_put_back(struct bed *bed, const char *what)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!CHECK_INT(changes_find(bed->session_fd, 5000, &c, &dg), 0))
		return;
	for (size_t i = 0; i < c.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;
		cleanup_free char *kept = NULL;

		if (!CHECK_INT(restore_change(&bed->paths, "abcd1234", &c,
				   &c.v[i], &kept, &one),
			0))
			(void)fprintf(stderr, "# %s: %s\n", what, one.message);
	}
	bed_expect(bed, what, "");
}

void
bed_fill(struct bed *bed)
{
	int fd;

	bed_init(bed);
	fd = bed->project_fd;
	bed_git(fd, ".git");
	bed_git(fd, ".git/modules/sub");
	bed_dirs(fd, "sub");
	bed_write(fd, "sub/.git", "gitdir: ../.git/modules/sub\n", 0644);
	bed_write(fd, ".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n", 0755);
	bed_dirs(fd, ".vscode");
	bed_write(fd, ".vscode/tasks.json", "{}\n", 0644);
	bed_write(fd, "package.json",
	    "{\"name\": \"x\", \"scripts\": {\"test\": \"true\"}}\n", 0644);
	bed_dirs(fd, "scripts");
	bed_write(fd, "scripts/hook", "#!/bin/sh\n", 0755);
	CHECK(symlinkat("../../scripts/hook", fd, ".git/hooks/pre-push") == 0);
	bed_write(fd, "README", "x\n", 0644);
	bed_begin_whole(bed);
}

void
bed_fsmonitor(int fd)
{
	bed_write(fd, ".git/config", "[core]\n\tfsmonitor = /tmp/x\n", 0644);
}
