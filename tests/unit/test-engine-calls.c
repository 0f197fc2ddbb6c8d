/* SPDX-License-Identifier: MIT */
/* A scripted engine and Compose: slow, failing, lying, cut short. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/answer.h"
#include "engine/api.h"
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
#define LISTED(id) "{\"Id\":\"" id "\"}"
#define DENY(id) "{\"message\":\"No such container: " id "\"}"

/* What a listing of containers comes to. */
static void
a_listing_is_whole_or_refused(void)
{
	static const struct {
		const char *ps, *inspect, *status, *fault;
		int count; /* -1: refused */
	} rows[] = {
		{ "[]", "[]", "0", "none", 0 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0", "none", 1 },
		{ "[" LISTED(A64) "," LISTED(B64) "]",
		    "[" CONTAINER(A64) "," CONTAINER(B64) "]", "0", "none", 2 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0", "slow", 1 },
		/* Always gone again: no listing is ever true. */
		{ "[" LISTED(A64) "," LISTED(B64) "]", "[" CONTAINER(A64) "]",
		    "0", "none", -1 },
		/* Another than was asked for, and none at all. */
		{ "[" LISTED(A64) "]", CONTAINER(B64), "0", "none", -1 },
		{ "[" LISTED(A64) "]", "{}", "0", "none", -1 },
		{ "[" LISTED(A64) "]", "null", "0", "none", -1 },
		{ "[" LISTED(A64) "]", "", "0", "none", -1 },
		/* 404 that denies something else. */
		{ "[" LISTED(A64) "]", DENY(B64), "404", "none", -1 },
		{ "[" LISTED(A64) "]", "404 page not found", "404", "none",
		    -1 },
		{ "[" LISTED(A64) "]", DENY(A64), "500", "none", -1 },
		/* An error's body, as if all were well. */
		{ "[" LISTED(A64) "]", DENY(A64), "200", "none", -1 },
		{ "{\"message\":\"no\"}", "[]", "0", "none", -1 },
		{ "[" LISTED(A64) "," LISTED(A64) "]", "[" CONTAINER(A64) "]",
		    "0", "none", -1 },
		{ "[" LISTED("aaaa") "]", "[]", "0", "none", -1 },
		{ "[{}]", "[]", "0", "none", -1 },
		{ "[1]", "[]", "0", "none", -1 },
		{ "[", "[]", "0", "none", -1 },
		/* Cut in each way, said otherwise, moved, and a flood. */
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0", "cut 90",
		    -1 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0",
		    "cut-head 30", -1 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0",
		    "cut-chunk 90", -1 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0", "length 90",
		    -1 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0",
		    "redirect /v1.41/info", -1 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0",
		    "message no", -1 },
		{ "[" LISTED(A64) "]", "[" CONTAINER(A64) "]", "0", "die", -1 },
		{ "[" LISTED(A64) "]", "[]", "0", "spew", -1 },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_container_list struct container_list list =
		    CONTAINER_LIST_INIT;
		bool ok;

		stub_script("ps.out", rows[i].ps);
		stub_script("inspect.out", rows[i].inspect);
		stub_script("inspect.rc", rows[i].status);
		stub_script("inspect.fault", rows[i].fault);
		ok = CHECK_INT(containers_find(&engine, "x", &list, &dg),
		    rows[i].count == -1 ? -1 : 0);
		ok &= CHECK_INT(
		    dg.class, rows[i].count == -1 ? DIAG_ENGINE : DIAG_NONE);
		ok &=
		    CHECK_INT(list.nr, rows[i].count == -1 ? 0 : rows[i].count);
		if (!ok)
			(void)printf("# row %zu: %s\n", i, dg.message);
	}
	cleanup_free char *asked = stub_recorded("ps.1");
	CHECK_STR(asked,
	    "GET\n/v1.41/containers/json?all=1&filters=%7B%22label%22%3A%5B"
	    "%22io.drydock.state%3Dx%22%5D%7D\n");
}

static void
removing_what_is_gone_is_success(void)
{
	static const struct {
		const char *out, *status;
		int want;
	} rows[] = {
		{ "", "204", 0 },
		{ DENY(A64), "404", 0 },
		{ DENY(B64), "404", -1 },
		{ "", "404", -1 },
		{ "404 page not found", "404", -1 },
		{ DENY(A64), "200", -1 },
		{ "{\"message\":\"driver failed\"}", "500", -1 },
		{ "", "301", -1 },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag bad = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		stub_script("rm.out", rows[i].out);
		stub_script("rm.rc", rows[i].status);
		CHECK_INT(container_remove(&engine, A64, &dg), rows[i].want);
	}
	/* Nothing but a full id reaches the engine. */
	CHECK_INT(container_remove(&engine, "../images/x", &bad), -1);
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
	    "removal of container " A64 " is already in progress\n");
	stub_script("rm.1.rc", "409");
	CHECK_INT(container_remove(&engine, A64, &dg), 0);
	cleanup_free char *second = stub_recorded("rm.2");
	CHECK_STR(second, "DELETE\n/v1.41/containers/" A64 "?force=1&v=1\n");
}

static void
a_stop_says_how_long_and_what_failed(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag full = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	stub_script("stop.1.rc", "304");
	CHECK_INT(container_stop(&engine, A64, 7, &dg), 0);
	cleanup_free char *asked = stub_recorded("stop.1");
	CHECK_STR(asked, "POST\n/v1.41/containers/" A64 "/stop?t=7\n");
	stub_script("start.1.err", "driver failed \033]0;x\n");
	stub_script("start.1.rc", "500");
	CHECK_INT(container_start(&engine, A64, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK_STR(dg.message,
	    "the engine failed at POST /containers/" A64
	    "/start with status 500");
	CHECK_STR(dg.detail, "driver failed \033]0;x");
	stub_script("start.2.err", "write /x: no space left on device\n");
	stub_script("start.2.rc", "500");
	CHECK_INT(container_start(&engine, A64, &full), -1);
	CHECK(strstr(full.message, "free space on the disk") != NULL);
}

/* Which version of the API is spoken, and which engines are refused for it. */
static void
the_version_of_the_api_is_the_engines_least(void)
{
	static const struct {
		const char *text, *version, *message;
	} rows[] = {
		{ "{\"Version\":\"26.1.5\",\"ApiVersion\":\"1.45\","
		  "\"MinAPIVersion\":\"1.24\"}",
		    "1.41", NULL },
		{ "{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\","
		  "\"MinAPIVersion\":\"1.12\"}",
		    "1.41", NULL },
		{ "{\"Version\":\"29.0.0\",\"ApiVersion\":\"1.52\","
		  "\"MinAPIVersion\":\"1.44\"}",
		    "1.44", NULL },
		{ "{\"Version\":\"40.1\",\"ApiVersion\":\"1.90\","
		  "\"MinAPIVersion\":\"1.60\"}",
		    NULL,
		    "the engine (version 40.1) speaks its API from version "
		    "1.60 on, and this drydock speaks it up to " API_TESTED
		    ": install a newer drydock" },
		{ "{\"Version\":\"19.03.1\",\"ApiVersion\":\"1.40\","
		  "\"MinAPIVersion\":\"1.12\"}",
		    NULL,
		    "the engine has version 19.03.1, and drydock needs "
		    "Docker Engine 20.10 or newer" },
		{ "{\"message\":\"no\"}", NULL,
		    "the engine's answer to GET /version names no versions "
		    "of its API" },
		{ "{\"ApiVersion\":\"1.45\",\"MinAPIVersion\":\"x\"}", NULL,
		    "the engine's answer to GET /version names no versions "
		    "of its API" },
		{ "[]", NULL,
		    "the engine's answer to GET /version names no versions "
		    "of its API" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_engine struct engine engine = ENGINE_INIT;
		cleanup_json struct json *answer = NULL;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(answer_parse(rows[i].text, strlen(rows[i].text),
			      "version", &answer, &dg),
		    0);
		CHECK_INT(api_read_version(&engine, answer, &dg),
		    rows[i].version == NULL ? -1 : 0);
		CHECK_STR(engine.api_version, rows[i].version);
		CHECK_STR(dg.message, rows[i].message);
	}
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
		{ "a stop says how long, and what failed",
		    a_stop_says_how_long_and_what_failed },
		{ "the version of the API is the engine's least",
		    the_version_of_the_api_is_the_engines_least },
		{ "Compose is told everything that it could look up",
		    compose_is_told_everything_that_it_could_look_up },
		{ "a Compose that dies is the engine's failure",
		    a_compose_that_dies_is_the_engines_failure },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
