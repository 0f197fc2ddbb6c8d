/* SPDX-License-Identifier: MIT */
/* Assembling: the order of the overlays, their reasons, and what stops it. */
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
#include "plan/values.h"

static void
check_names(enum mode mode, const char *second)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *why = NULL;

	plan_bed_init(&bed, mode);
	CHECK_INT(plan_assemble(&bed.request, &a, &dg), 0);
	CHECK_STR(dg.message, NULL);
	if (!CHECK_INT(a.nr, 3))
		return;
	CHECK_STR(a.v[0].name, "base");
	CHECK_STR(a.v[0].why, "always");
	CHECK_STR(a.v[1].name, second);
	why = xasprintf("mode %s (a test)", second);
	CHECK_STR(a.v[1].why, why);
	CHECK_STR(a.v[2].name, "hardening");
}

static void
test_contained(void)
{
	check_names(MODE_CONTAINED, "contained");
}

/* Only a session with a slot has the layer, and the variable in it. */
static void
test_cache(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct plan_request request;

	plan_bed_init(&bed, MODE_CONTAINED);
	request = bed.request;
	request.cache_dir = "/s/caches/k-contained/0/data";
	CHECK_INT(plan_assemble(&request, &a, &dg), 0);
	if (!CHECK_INT(a.nr, 4))
		return;
	CHECK_STR(a.v[3].name, "cache");
	CHECK(strvec_has(
	    &a.vars, "DRYDOCK_SOURCE_CACHE=/s/caches/k-contained/0/data"));
}

static void
test_dood(void)
{
	check_names(MODE_DOOD, "dood");
}

static void
test_sealed(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	CHECK_INT(plan_assemble(&bed.request, &a, &dg), 0);
	for (size_t i = 0; i < a.nr; i++) {
		char start[16] = "";

		CHECK_INT(pread(a.v[i].fd, start, 6, 0), 6);
		CHECK(strncmp(a.v[i].text.buf, start, 6) == 0);
		CHECK_INT(pwrite(a.v[i].fd, "x", 1, 0), -1);
	}
}

static void
test_variables(void)
{
	static const char *const names[] = { "DRYDOCK_PROJECT=",
		"DRYDOCK_HOME=", "DRYDOCK_SESSION=abcdefgh", "DRYDOCK_CPUS=1.5",
		"DRYDOCK_MEMORY=1073741824" };
	cleanup_plan_bed struct plan_bed bed;
	cleanup_strvec struct strvec vars = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	CHECK_INT(plan_variables(&bed.request, &vars, &dg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool found = false;

		for (size_t n = 0; n < vars.nr; n++)
			if (strncmp(vars.v[n], names[i], strlen(names[i])) == 0)
				found = true;
		CHECK(found);
	}
	for (size_t n = 0; n < vars.nr; n++)
		CHECK(strncmp(vars.v[n], "DRYDOCK_", 8) == 0);
}

static void
test_cpus(void)
{
	static const struct {
		int64_t milli;
		const char *text;
	} rows[] = { { 0, "0" }, { 1000, "1" }, { 1500, "1.5" }, { 10, "0.01" },
		{ 10000, "10" }, { 1001, "1.001" } };
	cleanup_plan_bed struct plan_bed bed;

	plan_bed_init(&bed, MODE_CONTAINED);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *text = NULL;

		bed.settings.cpus_milli = rows[i].milli;
		text = plan_cpus(&bed.request);
		CHECK_STR(text, rows[i].text);
	}
}

static void
test_bad_path(void)
{
	static const char *const paths[] = { "/a\nb", "/a\xff", "/a\033[m" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct plan_request request;
		cleanup_plan_bed struct plan_bed bed;
		cleanup_assembly struct assembly a = ASSEMBLY_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;

		plan_bed_init(&bed, MODE_CONTAINED);
		request = bed.request;
		request.history_dir = paths[i];
		CHECK_INT(plan_assemble(&request, &a, &dg), -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_INT(a.nr, 0);
		CHECK_INT(fs_open_dir(bed.tmp, &fd, &dg), 0);
		CHECK_INT(fs_remove_tree(fd, "home", &dg), 0);
		CHECK_INT(fs_remove_tree(fd, "state", &dg), 0);
		CHECK_INT(fs_remove_tree(fd, "config", &dg), 0);
		CHECK_INT(fs_remove_tree(fd, "engine.sock", &dg), 0);
	}
}

/* A data directory of the test's own, with base.yml alone. */
static char *
make_data(struct plan_bed *bed)
{
	char *dir = xasprintf("%s/compose", bed->tmp);
	cleanup_close int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(mkdir(dir, 0755), 0);
	CHECK_INT(fs_open_dir(dir, &fd, &dg), 0);
	CHECK_INT(fs_replace_file(fd, "base.yml", "{}\n", 3, 0644, &dg), 0);
	free(bed->paths.data_dir);
	bed->paths.data_dir = xstrdup(bed->tmp);
	return dir;
}

static void
test_missing(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *dir = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	dir = make_data(&bed);
	CHECK_INT(plan_assemble(&bed.request, &a, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK(strstr(dg.message, "overlay contained") != NULL);
	CHECK_INT(a.nr, 0);
}

static void
test_writable(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *dir = NULL;
	cleanup_free char *file = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	dir = make_data(&bed);
	file = xasprintf("%s/base.yml", dir);
	CHECK_INT(chmod(file, 0666), 0);
	CHECK_INT(plan_assemble(&bed.request, &a, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
	CHECK(strstr(dg.message, "can be written by others") != NULL);
	diag_clear(&dg);
	CHECK_INT(chmod(file, 0644), 0);
	CHECK_INT(chmod(dir, 0777), 0);
	CHECK_INT(plan_assemble(&bed.request, &a, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
}

static void
test_binds(void)
{
	static const struct {
		const char *path;
		bool listed, read_only;
	} rows[] = {
		{ "/a", true, false },
		{ "/a/b", true, true },
		{ "/a/b:ro", false, false },
		{ "/a/", false, false },
		{ "/a/bc", false, false },
		{ "/", false, false },
	};
	struct settings settings = { .binds = STRVEC_INIT };
	const struct plan_request request = { .settings = &settings };

	strvec_push(&settings.binds, "/a/b:ro");
	strvec_push(&settings.binds, "/a");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool read_only = true;

		check_int(__FILE__, __LINE__, rows[i].path,
		    plan_lists_bind(&request, rows[i].path, &read_only),
		    rows[i].listed);
		check_int(__FILE__, __LINE__, rows[i].path, read_only,
		    rows[i].read_only);
	}
	strvec_release(&settings.binds);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "contained is base, contained, hardening", test_contained },
		{ "a slot of caches has a layer of its own", test_cache },
		{ "dood is base, dood, hardening", test_dood },
		{ "Compose gets the bytes that were read, sealed",
		    test_sealed },
		{ "every variable is one of ours", test_variables },
		{ "cpus are written without needless digits", test_cpus },
		{ "a bind is listed by its whole path", test_binds },
		{ "a path that no model can hold is refused", test_bad_path },
		{ "an overlay that is missing is named", test_missing },
		{ "an overlay that others can write is refused",
		    test_writable },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
