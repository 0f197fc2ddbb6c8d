/* SPDX-License-Identifier: MIT */
/* The policy on what stands on the disk: one source that is not as it was. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "plan-bed.h"
#include "plan/policy.h"
#include "policy-kit.h"

/* One thing on disk is not as it should be. */
static void
make_swapped(struct plan_bed *bed)
{
	cleanup_free char *other = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->project.path, other), 0);
	CHECK_INT(mkdir(bed->project.path, 0700), 0);
}

static void
make_linked(struct plan_bed *bed)
{
	cleanup_free char *other = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->project.path, other), 0);
	CHECK_INT(symlink(other, bed->project.path), 0);
}

static void
make_parent_link(struct plan_bed *bed)
{
	cleanup_free char *other = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->session_dir, other), 0);
	CHECK_INT(symlink(other, bed->session_dir), 0);
}

static void
make_file(struct plan_bed *bed)
{
	cleanup_free char *run = xasprintf("%s/run", bed->session_dir);
	cleanup_close int fd = -1;

	CHECK_INT(rmdir(run), 0);
	fd = open(run, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
}

static void
make_open(struct plan_bed *bed)
{
	cleanup_free char *run = xasprintf("%s/run", bed->session_dir);

	CHECK_INT(chmod(run, 0777), 0);
}

static void
make_absent(struct plan_bed *bed)
{
	CHECK_INT(rmdir(bed->project.path), 0);
}

static void
make_config_inside(struct plan_bed *bed)
{
	free(bed->paths.config_dir);
	bed->paths.config_dir = xasprintf("%s/config", bed->project.path);
	CHECK_INT(mkdir(bed->paths.config_dir, 0700), 0);
}

static void
make_config_absent(struct plan_bed *bed)
{
	free(bed->paths.config_dir);
	bed->paths.config_dir = xasprintf("%s/a/config", bed->project.path);
}

static void
make_socket_inside(struct plan_bed *bed)
{
	free(bed->engine.socket);
	bed->engine.socket = xasprintf("%s/a.sock", bed->project.path);
	close(open(bed->engine.socket, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
make_program_inside(struct plan_bed *bed)
{
	bed->paths.self = xasprintf("%s/drydock", bed->project.path);
	close(open(bed->paths.self, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
make_path_dir(struct plan_bed *bed)
{
	cleanup_free char *path = xasprintf("/nowhere:%s/", bed->project.path);

	CHECK_INT(setenv("PATH", path, 1), 0);
}

/* Another name for it, through a link. */
static void
make_home_project(struct plan_bed *bed)
{
	cleanup_free char *link = xasprintf("%s/other", bed->tmp);

	CHECK_INT(symlink(bed->project.path, link), 0);
	free(bed->paths.home);
	bed->paths.home = xstrdup(link);
}

static void
make_keys_inside(struct plan_bed *bed)
{
	cleanup_free char *link = xasprintf("%s/.ssh", bed->paths.home);
	cleanup_free char *keys = xasprintf("%s/keys", bed->project.path);

	CHECK_INT(mkdir(keys, 0700), 0);
	CHECK_INT(symlink(keys, link), 0);
}

static void
make_agent_inside(struct plan_bed *bed)
{
	cleanup_free char *link = xasprintf("%s/.claude", bed->paths.home);
	cleanup_free char *keys = xasprintf("%s/claude", bed->project.path);

	CHECK_INT(mkdir(keys, 0700), 0);
	CHECK_INT(symlink(keys, link), 0);
}

static void
make_home_guarded(struct plan_bed *bed)
{
	free(bed->paths.home);
	bed->paths.home = xstrdup("/etc");
}

static void
test_sources(void)
{
	static const struct {
		void (*change)(struct plan_bed *bed);
		const char *rule;
	} rows[] = {
		{ make_swapped, "source-swapped" },
		{ make_linked, "source-link" },
		{ make_parent_link, "source-link" },
		{ make_file, "source-kind" },
		{ make_open, "source-owner" },
		{ make_absent, "source-kind" },
		{ make_config_inside, "source-drydock" },
		{ make_config_absent, "source-drydock" },
		{ make_socket_inside, "source-engine" },
		{ make_program_inside, "source-program" },
		{ make_path_dir, "source-program" },
		{ make_home_project, "source-home" },
		{ make_keys_inside, "source-credentials" },
		{ make_agent_inside, "source-agent" },
		{ make_home_guarded, "bind-target" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_plan_bed struct plan_bed bed;
		cleanup_policy struct policy *policy = NULL;

		plan_bed_init(&bed, MODE_CONTAINED);
		policy = policy_of(&bed);
		rows[i].change(&bed);
		policy_expect(
		    &bed, policy, bed.model, rows[i].rule, rows[i].rule);
		plan_bed_clear(&bed);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a source that is not what it should be is refused",
		    test_sources },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
