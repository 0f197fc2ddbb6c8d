/* SPDX-License-Identifier: MIT */
/* Preparing: what is made, with which mode, and what is never made. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan-bed.h"
#include "plan/facts.h"
#include "plan/model.h"

/* A plan without violations, as the judge leaves it. */
static void
judge(const struct plan_bed *bed, struct plan *plan)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(model_read(&bed->request, bed->model, strlen(bed->model),
		      "model", plan, &dg),
	    0);
	CHECK_INT(facts_open_mounts(plan, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

static void
check_dir(const struct plan_bed *bed, const char *name, mode_t mode)
{
	cleanup_free char *path = xasprintf("%s/%s", bed->tmp, name);
	struct stat st = { 0 };

	CHECK_INT(lstat(path, &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_INT(st.st_mode & 07777, mode);
}

static void
test_makes(void)
{
	static const mode_t umasks[] = { 0, 022, 077 };

	for (size_t i = 0; i < ARRAY_SIZE(umasks); i++) {
		cleanup_plan_bed struct plan_bed bed;
		cleanup_plan struct plan plan = PLAN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		mode_t before;

		plan_bed_init(&bed, MODE_CONTAINED);
		judge(&bed, &plan);
		before = umask(umasks[i]);
		CHECK_INT(plan_prepare(&bed.request, &plan, &dg), 0);
		(void)umask(before);
		CHECK_STR(dg.message, NULL);
		check_dir(&bed, "state/history", 0700);
		check_dir(&bed, "state/s/sidecar/conf", 0755);
		check_dir(&bed, "state/s/sidecar/log", 0700);
		check_dir(&bed, "state/s/egress", 0711);
		check_dir(&bed, "state/s/home/pro$ject", 0700);
		for (size_t n = 0; n < plan.nservices; n++)
			for (size_t k = 0; k < plan.services[n].nmounts; k++)
				CHECK(plan.services[n].mounts[k].fd != -1);
		plan_bed_clear(&bed);
	}
}

static void
test_again(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	plan_bed_init(&bed, MODE_DOOD);
	judge(&bed, &plan);
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), 0);
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

struct spoiled {
	/* A link is put where nothing or an empty directory is, or: */
	const char *link; /* below the bed's directory */
	const char *to;
	void (*spoil)(const struct plan_bed *bed);
	const char *words; /* of the message */
};

static void
put_link(const struct plan_bed *bed, const char *name, const char *to)
{
	cleanup_free char *path = xasprintf("%s/%s", bed->tmp, name);

	(void)rmdir(path);
	CHECK_INT(symlink(to, path), 0);
}

static void
file_mount_point(const struct plan_bed *bed)
{
	cleanup_free char *path =
	    xasprintf("%s/state/s/home/pro$ject", bed->tmp);
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd != -1);
}

static void
swap_project(const struct plan_bed *bed)
{
	cleanup_free char *other = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->project.path, other), 0);
	CHECK_INT(mkdir(bed->project.path, 0700), 0);
}

static void
lose_project(const struct plan_bed *bed)
{
	CHECK_INT(rmdir(bed->project.path), 0);
}

static void
file_run(const struct plan_bed *bed)
{
	cleanup_free char *path = xasprintf("%s/run", bed->session_dir);
	cleanup_close int fd = -1;

	CHECK_INT(rmdir(path), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
}

static void
test_spoiled(void)
{
	static const struct spoiled rows[] = {
		{ "state/history", "/nowhere", NULL, "state/history" },
		{ "state/s/run", "/etc", NULL, "state/s/run" },
		{ "state/s/sidecar", "/tmp", NULL, "state/s/sidecar" },
		{ "state/s/home/pro$ject", "/etc", NULL, "mount point" },
		{ NULL, NULL, file_mount_point, "mount point" },
		{ NULL, NULL, swap_project, "was replaced" },
		{ NULL, NULL, lose_project, "pro$ject" },
		{ NULL, NULL, file_run, "state/s/run" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_plan_bed struct plan_bed bed;
		cleanup_plan struct plan plan = PLAN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		plan_bed_init(&bed, MODE_CONTAINED);
		judge(&bed, &plan);
		/* After the judge: prepare looks again. */
		if (rows[i].link != NULL)
			put_link(&bed, rows[i].link, rows[i].to);
		else
			rows[i].spoil(&bed);
		CHECK_INT(plan_prepare(&bed.request, &plan, &dg), -1);
		if (!CHECK(dg.message != NULL &&
			strstr(dg.message, rows[i].words) != NULL))
			CHECK_STR(dg.message, rows[i].words);
		diag_clear(&dg);
		plan_bed_clear(&bed);
	}
}

/* What an agent can do between two starts: its home is its own. */
static void
test_walk_after_rename(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *point = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	judge(&bed, &plan);
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), 0);
	point = xasprintf("%s/state/s/home/pro$ject", bed.tmp);
	CHECK_INT(rmdir(point), 0);
	CHECK_INT(symlink("/etc/claude-code/managed-settings.d", point), 0);
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
	CHECK(dg.message != NULL &&
	    strstr(dg.message, "not a real directory") != NULL);
}

static void
test_unreadable_mount_point(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *point = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	judge(&bed, &plan);
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), 0);
	point = xasprintf("%s/state/s/home/pro$ject", bed.tmp);
	CHECK_INT(chmod(point, 0), 0);
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

static void
test_refused(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *history = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	judge(&bed, &plan);
	plan.violations = xcalloc(1, sizeof(*plan.violations));
	plan.violations[0].rule = xstrdup("r");
	plan.violations[0].service = xstrdup("");
	plan.violations[0].what = xstrdup("w");
	plan.violations[0].overlay = xstrdup("o");
	plan.nviolations = 1;
	CHECK_INT(plan_prepare(&bed.request, &plan, &dg), -1);
	history = xasprintf("%s/state/history", bed.tmp);
	CHECK_INT(access(history, F_OK), -1);
	diag_clear(&dg);
	CHECK_INT(plan_check_verdict(&plan, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
	CHECK_STR(dg.detail, "r: w (overlay o)\n");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "missing sources are made as declared, whatever the umask",
		    test_makes },
		{ "preparing twice changes nothing", test_again },
		{ "a source or mount point of another kind is named",
		    test_spoiled },
		{ "a mount point that became a link is caught before a start",
		    test_walk_after_rename },
		{ "a mount point without permissions is still a directory",
		    test_unreadable_mount_point },
		{ "a refused plan is not prepared", test_refused },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
