/* SPDX-License-Identifier: MIT */
/* Who an engine is, and which are refused, with a scripted one. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "stub-bed.h"

static void
calls_get_an_environment_of_ours_alone(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	CHECK_INT(engine_probe(&engine, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_STR(engine.id, "stub");
	CHECK(strstr(engine.data_root, "/bin/stub.d") != NULL);
	CHECK_STR(engine.version, "26.1.5");
	CHECK_STR(engine.compose_version, "2.26.1");
	cleanup_free char *env = stub_recorded("compose-version.1.env");
	CHECK(strstr(env, "HOME=") != NULL);
	CHECK(strstr(env, "DOCKER_HOST=unix:///") != NULL);
	CHECK(strstr(env, "hostile") == NULL);
	CHECK(strstr(env, "relative") == NULL);
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	CHECK_INT(fs_read_file(bed.paths.state_fd, "docker/config.json", 100,
		      &config, &dg),
	    0);
	CHECK_STR(config.buf, "{}\n");
}

static int
read_info(struct engine *engine, const char *text, struct diag *dg)
{
	cleanup_json struct json *info = NULL;

	CHECK_INT(answer_parse(text, strlen(text), "info", &info, dg), 0);
	return engine_read_info(engine, info, dg);
}

static void
engines_of_the_wrong_kind_are_refused(void)
{
	static const struct {
		const char *more; /* keys of the answer */
		const char *message;
	} rows[] = {
		{ "\"OSType\":\"windows\",\"SecurityOptions\":[]",
		    "this is an engine for other than Linux containers, "
		    "which drydock does not support for now: use a Docker "
		    "Engine that runs as root on this host" },
		{ "\"OSType\":\"linux\",\"SecurityOptions\":[],"
		  "\"OperatingSystem\":\"Docker Desktop\"",
		    "this is Docker Desktop, which drydock does not support "
		    "for now: use a Docker Engine that runs as root on this "
		    "host" },
		{ "\"OSType\":\"linux\",\"SecurityOptions\":"
		  "[\"name=seccomp,profile=x\",\"name=rootless\"]",
		    "this is a rootless engine, which drydock does not "
		    "support for now: use a Docker Engine that runs as root "
		    "on this host" },
		{ "\"OSType\":\"linux\",\"SecurityOptions\":[\"name=userns\"]",
		    "this is an engine with userns-remap, which drydock does "
		    "not support for now: use a Docker Engine that runs as "
		    "root on this host" },
		{ "\"OSType\":\"linux\"",
		    "the engine's answer to GET /info has no "
		    "SecurityOptions" },
		{ "\"SecurityOptions\":[]",
		    "the engine's answer to GET /info has no OSType" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_engine struct engine engine = ENGINE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addf(&text,
		    "{\"ID\":\"x\",\"DockerRootDir\":\"/\","
		    "\"ServerVersion\":\"26.1\",%s}",
		    rows[i].more);
		CHECK_INT(read_info(&engine, text.buf, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
		CHECK_STR(dg.message, rows[i].message);
	}
}

static void
old_engines_and_ones_of_another_host_are_refused(void)
{
	static const struct {
		const char *root, *version, *message;
	} rows[] = {
		{ "/", "19.03.1",
		    "the engine has version 19.03.1, and drydock needs Docker "
		    "Engine 20.10 or newer" },
		{ "/nowhere/docker", "26.1",
		    "the engine keeps its data in /nowhere/docker, which is "
		    "not on this host: run drydock on the engine's own host" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_engine struct engine engine = ENGINE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addf(&text,
		    "{\"ID\":\"x\",\"DockerRootDir\":\"%s\","
		    "\"ServerVersion\":\"%s\",\"OSType\":\"linux\","
		    "\"SecurityOptions\":[]}",
		    rows[i].root, rows[i].version);
		CHECK_INT(read_info(&engine, text.buf, &dg), -1);
		CHECK_STR(dg.message, rows[i].message);
	}
}

static void
an_engine_that_hangs_is_named_when_the_deadline_has_passed(void)
{
	static const struct {
		const char *fault, *message;
	} rows[] = {
		{ "info.fault",
		    "the engine did not answer GET /info within 300ms "
		    "(setting engine_timeout)" },
		{ "compose-version.fault",
		    "docker-compose version did not answer within 300ms "
		    "(setting engine_timeout)" },
	};

	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		stub_script("info.fault", "none\n");
		stub_script(rows[i].fault, "hang\n");
		/* The other one has time enough on any machine. */
		engine.timeout_ms = 300;
		CHECK_INT(engine_probe(&engine, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
		if (i == 0)
			CHECK_STR(dg.message, rows[i].message);
	}
}

static void
compose_v1_gives_way_to_the_plugin(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	stub_forget();
	/* The stub is asked twice: as docker-compose, then as the plugin. */
	strvec_push(&engine.composes, engine.docker);
	stub_script("compose-version.1.out", "1.29.2\n");
	stub_script("compose-version.2.out", "v2.27.0\n");
	CHECK_INT(engine_probe(&engine, &dg), 0);
	CHECK_STR(engine.compose_version, "v2.27.0");
	CHECK_INT(engine.compose.nr, 2);
	CHECK_STR(engine.compose.v[0], engine.docker);
}

static void
compose_v1_alone_is_refused_by_name(void)
{
	static const struct {
		const char *answer, *status, *message;
	} rows[] = {
		{ "1.29.2\n", "0",
		    " is Docker Compose 1.29.2 (Compose v1), and drydock "
		    "needs 2.20 or newer: install docker-compose of Debian "
		    "13, or docker-compose-plugin of docker.com" },
		{ "docker-compose version 1.25.0, build unknown\n", "0",
		    " is Docker Compose 1.25.0, build unknown (Compose v1), "
		    "and drydock needs 2.20 or newer: install docker-compose "
		    "of Debian 13, or docker-compose-plugin of docker.com" },
		{ "v2.3.3\n", "0",
		    " is Docker Compose v2.3.3, and drydock needs 2.20 or "
		    "newer: install docker-compose of Debian 13, or "
		    "docker-compose-plugin of docker.com" },
		{ "Python 3\n", "0",
		    " answers 'Python 3' when asked for its version: install "
		    "docker-compose of Debian 13, or docker-compose-plugin of "
		    "docker.com" },
		{ "", "3", NULL },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;

	if (!bed_find(&bed, &engine))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_engine struct engine again = ENGINE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		stub_script("compose-version.out", rows[i].answer);
		stub_script("compose-version.rc", rows[i].status);
		CHECK_INT(engine_find(&again, &bed.settings, &bed.paths, NULL,
			      (const char *const *)bed.env.v, &dg),
		    0);
		CHECK_INT(engine_probe(&again, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
		if (rows[i].message == NULL)
			CHECK_STR(dg.message,
			    "docker-compose version failed with status 3");
		else
			CHECK_STR(strstr(dg.message, " is D") != NULL
				? strstr(dg.message, " is D")
				: strstr(dg.message, " answers"),
			    rows[i].message);
	}
}

/* What began without Compose may need it after all. */
static void
compose_is_asked_once_it_is_needed(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_engine struct engine reached = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *const *env;

	if (!bed_find(&bed, &engine))
		return;
	env = (const char *const *)bed.env.v;
	stub_forget();
	CHECK_INT(
	    engine_reach(&reached, &bed.settings, &bed.paths, NULL, env, &dg),
	    0);
	CHECK_STR(reached.id, "stub");
	CHECK_STR(reached.compose_version, "");
	cleanup_free char *asked = stub_recorded("compose-version.1");
	CHECK_STR(asked, "");
	CHECK_INT(
	    engine_ready(&reached, &bed.settings, &bed.paths, NULL, env, &dg),
	    0);
	CHECK_STR(reached.compose_version, "2.26.1");
	stub_script("compose-version.out", "1.29.2\n");
	CHECK_INT(
	    engine_ready(&reached, &bed.settings, &bed.paths, NULL, env, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	engine_release(&reached);
	CHECK_INT(
	    engine_reach(&reached, &bed.settings, &bed.paths, NULL, env, &dg),
	    0);
	CHECK_INT(
	    engine_ready(&reached, &bed.settings, &bed.paths, NULL, env, &dg),
	    -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK(reached.socket == NULL);
}

static void
a_setting_may_ask_for_dockers_plugin(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_engine struct engine plugin = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	CHECK_INT(engine.compose.nr, 1);
	CHECK_STR(engine.compose.v[0], bed.settings.compose);
	free(bed.settings.compose);
	bed.settings.compose = xstrdup(bed.settings.docker);
	CHECK_INT(engine_find(&plugin, &bed.settings, &bed.paths, NULL,
		      (const char *const *)bed.env.v, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(plugin.compose.nr, 2);
	CHECK_STR(plugin.compose.v[0], bed.settings.docker);
	CHECK_STR(plugin.compose.v[1], "compose");
}

static void
a_compose_that_is_not_run_is_named(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!bed_find(&bed, &engine))
		return;
	stub_script("compose-version.rc", "1");
	engine.passed_over = xstrdup("/home/me/bin/docker-compose");
	CHECK_INT(engine_probe(&engine, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK_STR(dg.message,
	    "docker-compose version failed with status 1; "
	    "/home/me/bin/docker-compose is not run, because a session or "
	    "a user other than root could replace it: name a program by the setting "
	    "compose");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "calls get an environment of ours alone",
		    calls_get_an_environment_of_ours_alone },
		{ "engines of the wrong kind are refused by name",
		    engines_of_the_wrong_kind_are_refused },
		{ "old engines and ones of another host are refused",
		    old_engines_and_ones_of_another_host_are_refused },
		{ "an engine that hangs is named when the deadline has passed",
		    an_engine_that_hangs_is_named_when_the_deadline_has_passed },
		{ "Compose v1 gives way to the plugin",
		    compose_v1_gives_way_to_the_plugin },
		{ "Compose is asked once it is needed",
		    compose_is_asked_once_it_is_needed },
		{ "a setting may ask for docker's plugin",
		    a_setting_may_ask_for_dockers_plugin },
		{ "a Compose that is not run is named",
		    a_compose_that_is_not_run_is_named },
		{ "Compose v1 alone is refused by name",
		    compose_v1_alone_is_refused_by_name },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
