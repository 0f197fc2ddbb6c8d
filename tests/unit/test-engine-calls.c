/* SPDX-License-Identifier: MIT */
/* Calls of a scripted docker and Compose: slow, failing, lying, cut short. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/compose.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "stub-bed.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define B16 "bbbbbbbbbbbbbbbb"
#define A64 A16 A16 A16 A16
#define B64 B16 B16 B16 B16

#define CONTAINER(id)                                                      \
	"{\"Id\":\"" id "\",\"Name\":\"/n\",\"Image\":\"sha256:" A64 "\"," \
	"\"State\":{\"Status\":\"exited\",\"Pid\":0,\"ExitCode\":3,"       \
	"\"StartedAt\":\"2026-11-22T14:55:44Z\","                          \
	"\"FinishedAt\":\"2026-11-22T14:55:44Z\"},\"Config\":{},"          \
	"\"HostConfig\":{\"NetworkMode\":\"none\"}}"
#define DENY(id) "Error response from daemon: No such container: " id "\n"

/* What a listing of containers comes to; NULL: it is refused. */
static void
a_listing_is_whole_or_refused(void)
{
	static const struct {
		const char *ps, *inspect, *denied, *fault;
		int count; /* -1: refused */
	} rows[] = {
		{ "", "[]", "", "none", 0 },
		{ A64 "\n", "[" CONTAINER(A64) "]", "", "none", 1 },
		{ A64 "\n" B64 "\n", "[" CONTAINER(A64) "," CONTAINER(B64) "]",
		    "", "none", 2 },
		/* Less, more or others than was asked for. */
		{ A64 "\n" B64 "\n", "[" CONTAINER(A64) "]", "", "none", -1 },
		{ A64 "\n", "[]", "", "none", -1 },
		{ A64 "\n", "[" CONTAINER(B64) "]", "", "none", -1 },
		{ A64 "\n", "[" CONTAINER(A64) "," CONTAINER(B64) "]", "",
		    "none", -1 },
		{ A64 "\n", "[" CONTAINER(A64) "]", DENY(A64), "none", -1 },
		{ A64 "\n", "[]", "unexpected EOF\n", "none", -1 },
		/* Always gone again: no listing is ever true. */
		{ A64 "\n", "[]", DENY(A64), "none", -1 },
		/* Cut in the middle, and a flood. */
		{ A64 "\n", "[" CONTAINER(A64) "]", "", "cut 90", -1 },
		{ A64 "\n", "[]", "", "spew", -1 },
		{ A64, "[" CONTAINER(A64) "]", "", "none", -1 },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_container_list struct container_list list =
		    CONTAINER_LIST_INIT;

		stub_script("ps.out", rows[i].ps);
		stub_script("inspect.out", rows[i].inspect);
		stub_script("inspect.err", rows[i].denied);
		stub_script("inspect.rc", *rows[i].denied == '\0' ? "0" : "1");
		stub_script("inspect.fault", rows[i].fault);
		CHECK_INT(containers_find(&engine, "x", &list, &dg),
		    rows[i].count == -1 ? -1 : 0);
		CHECK_INT(
		    dg.class, rows[i].count == -1 ? DIAG_ENGINE : DIAG_NONE);
		CHECK_INT(list.nr, rows[i].count == -1 ? 0 : rows[i].count);
	}
	cleanup_free char *argv = stub_recorded("ps.1");
	CHECK_STR(argv,
	    "docker\nps\n--all\n--no-trunc\n"
	    "--filter=label=io.drydock.state=x\n--format={{.ID}}\n");
}

static void
removing_what_is_gone_is_success(void)
{
	static const struct {
		const char *err, *rc;
		int want;
	} rows[] = {
		{ "", "0", 0 },
		{ DENY(A64), "0", 0 },
		{ DENY(A64), "1", 0 },
		{ "Error: No such container: " A64 "\n", "1", 0 },
		{ DENY(B64), "1", -1 },
		{ "", "1", -1 },
		{ "Error response from daemon: driver failed\n", "1", -1 },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag bad = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		stub_script("rm.err", rows[i].err);
		stub_script("rm.rc", rows[i].rc);
		CHECK_INT(container_remove(&engine, A64, &dg), rows[i].want);
	}
	/* Nothing but a full id reaches the command line. */
	CHECK_INT(container_remove(&engine, "--all", &bad), -1);
	CHECK_INT(bad.class, DIAG_DATA);
}

static void
a_removal_under_way_is_waited_for(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	stub_script("rm.1.err",
	    "Error response from daemon: removal of container " A64
	    " is already in progress\n");
	stub_script("rm.1.rc", "1");
	CHECK_INT(container_remove(&engine, A64, &dg), 0);
	cleanup_free char *second = stub_recorded("rm.2");
	CHECK_STR(second, "docker\nrm\n--force\n--volumes\n" A64 "\n");
}

static void
compose_is_told_everything_that_it_could_look_up(void)
{
	static const struct strvec no_vars = STRVEC_INIT;
	static const char *const names[] = { "base.json", "mine.yml", NULL };
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_close int a = -1;
	cleanup_close int b = -1;
	struct proc *proc = NULL;

	if (!bed_find(&bed, &engine))
		return;
	CHECK_INT(fs_memfd("a", "{}", 2, &a, &dg), 0);
	CHECK_INT(fs_memfd("b", "{}", 2, &b, &dg), 0);
	const int fds[] = { a, b };
	struct compose_spec spec = { .project = "drydock-x",
		.project_dir = "/dir",
		.file_fds = fds,
		.file_names = names,
		.nfiles = 2,
		.vars = &no_vars };
	CHECK_INT(compose_config_start(&engine, &spec, &proc, &dg), 0);
	CHECK_INT(compose_config_finish(&engine, proc, &out, &dg), 0);
	CHECK_STR(out.buf, "{}");
	cleanup_free char *argv = stub_recorded("compose-config.1");
	CHECK_STR(argv,
	    "docker-compose\n--project-name=drydock-x\n"
	    "--project-directory=/dir\n--env-file=/dev/null\n--ansi=never\n"
	    "--progress=quiet\n--file=/proc/self/fd/3\n"
	    "--file=/proc/self/fd/4\nconfig\n--format=json\n");
	stub_script("compose-config.rc", "15");
	stub_script("compose-config.err",
	    "validating /proc/self/fd/4: bad (/proc/self/fd/9)\n");
	CHECK_INT(compose_config_start(&engine, &spec, &proc, &dg), 0);
	CHECK_INT(compose_config_finish(&engine, proc, &again, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	compose_name_files(&spec, &dg);
	CHECK_STR(dg.detail, "validating mine.yml: bad (/proc/self/fd/9)\n");
	CHECK_STR(again.buf, "");
}

static void
a_compose_that_dies_is_the_engines_failure(void)
{
	static const struct {
		const char *out, *err, *rc, *fault;
	} rows[] = {
		{ "", "", "0", "none" },
		{ "{\"a\":1", "", "0", "none" },
		{ "[]", "", "0", "none" },
		{ "{\"services\":{}}", "", "0", "cut 5" },
		{ "", "", "0", "spew" },
		{ "", "", "1", "none" },
		{ "", "panic: runtime error\n", "2", "none" },
		{ "", "words\n", "137", "none" },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		struct compose_spec spec = { .project = "p",
			.project_dir = "/" };
		struct proc *proc = NULL;

		stub_script("compose-config.out", rows[i].out);
		stub_script("compose-config.err", rows[i].err);
		stub_script("compose-config.rc", rows[i].rc);
		stub_script("compose-config.fault", rows[i].fault);
		CHECK_INT(compose_config_start(&engine, &spec, &proc, &dg), 0);
		CHECK_INT(compose_config_finish(&engine, proc, &out, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
		CHECK_STR(out.buf, "");
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a listing is whole or refused",
		    a_listing_is_whole_or_refused },
		{ "removing what is gone is success",
		    removing_what_is_gone_is_success },
		{ "a removal under way is waited for",
		    a_removal_under_way_is_waited_for },
		{ "Compose is told everything that it could look up",
		    compose_is_told_everything_that_it_could_look_up },
		{ "a Compose that dies is the engine's failure",
		    a_compose_that_dies_is_the_engines_failure },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
