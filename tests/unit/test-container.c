/* SPDX-License-Identifier: MIT */
/* Containers and images: what is read of an answer, and what is refused. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/answer.h"
#include "engine/container.h"
#include "engine/image.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

/* One container with everything that is read; %s is put in its place. */
#define STATE                                                           \
	"{\"Status\":\"running\",\"Running\":true,\"OOMKilled\":false," \
	"\"Pid\":4321,\"ExitCode\":0,\"Error\":\"\","                   \
	"\"StartedAt\":\"2026-11-22T14:55:44Z\","                       \
	"\"FinishedAt\":\"0001-01-01T00:00:00Z\"}"
#define CONFIG                                                             \
	"{\"User\":\"1000:1000\",\"Env\":[\"A=b\",\"C=\"],"                \
	"\"Cmd\":[\"x\",\"y\"],\"Entrypoint\":[\"/holder\"],"              \
	"\"WorkingDir\":\"/p\",\"Labels\":{\"io.drydock.session\":\"s1\"," \
	"\"io.drydock.state\":\"t1\",\"io.drydock.role\":\"agent\","       \
	"\"other\":\"\"}}"
#define HOST "{\"NetworkMode\":\"none\",\"Memory\":9007199254740993}"

static void
add_container(struct strbuf *out, const char *id, const char *image,
    const char *state, const char *config, const char *host)
{
	strbuf_addf(out,
	    "{\"Id\":\"%s\",\"Name\":\"/n\",\"Image\":\"%s\",\"State\":%s,"
	    "\"Config\":%s,\"HostConfig\":%s}",
	    id, image, state, config, host);
}

static int
parse_container(const char *text, struct container *c, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	*c = (struct container){ .id = NULL };
	return answer_parse(text, strlen(text), "answer", &root, dg) != 0
	    ? -1
	    : container_read(root, c, dg);
}

static int
parse_image(const char *text, struct image *ret_image, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	return answer_parse(text, strlen(text), "answer", &root, dg) != 0
	    ? -1
	    : image_read(root, ret_image, dg);
}

static void
a_container_is_read_whole(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_container struct container container;
	const struct container *c = &container;
	const struct container_list list = { &container, 1 };

	add_container(&text, A64, "sha256:" A64, STATE, CONFIG, HOST);
	if (!CHECK_INT(parse_container(text.buf, &container, &dg), 0))
		return;
	CHECK_STR(dg.message, NULL);
	CHECK(container_list_find(&list, "x") == NULL);
	CHECK(container_list_find(&list, A64) == c);
	CHECK_STR(c->name, "/n");
	CHECK_STR(c->image_id, "sha256:" A64);
	CHECK_STR(c->session, "s1");
	CHECK_STR(c->state_id, "t1");
	CHECK_STR(c->role, "agent");
	CHECK_INT(c->state, CONTAINER_RUNNING);
	CHECK_INT(c->pid, 4321);
	CHECK_INT(c->exit_code, 0);
	CHECK_STR(c->finished_at, "0001-01-01T00:00:00Z");
	CHECK_STR(c->user, "1000:1000");
	CHECK_STR(c->working_dir, "/p");
	CHECK_STR(c->network_mode, "none");
	CHECK_INT(c->env.nr, 2);
	CHECK_STR(c->env.v[1], "C=");
	CHECK_INT(c->labels.nr, 4);
	CHECK_STR(c->labels.v[3], "other=");
	CHECK_INT(c->entrypoint.nr, 3);
	CHECK_STR(c->entrypoint.v[0], "/holder");
	CHECK_STR(c->entrypoint.v[2], "y");
	/* Digits that a double would lose are kept. */
	CHECK(strstr(c->inspect, "\"Memory\":9007199254740993") != NULL);
}

static void
answers_that_are_not_complete_are_refused(void)
{
	static const struct {
		const char *id, *image, *state, *config, *host;
	} rows[] = {
		{ "aaaa", "sha256:" A64, STATE, CONFIG, HOST },
		{ A64, A64, STATE, CONFIG, HOST },
		{ A64, "", STATE, CONFIG, HOST },
		{ A64, "sha256:" A64, "null", CONFIG, HOST },
		{ A64, "sha256:" A64, "{}", CONFIG, HOST },
		{ A64, "sha256:" A64,
		    "{\"Status\":\"floating\",\"Pid\":1,\"ExitCode\":0,"
		    "\"StartedAt\":\"x\",\"FinishedAt\":\"x\"}",
		    CONFIG, HOST },
		{ A64, "sha256:" A64,
		    "{\"Status\":\"running\",\"Pid\":-1,\"ExitCode\":0,"
		    "\"StartedAt\":\"x\",\"FinishedAt\":\"x\"}",
		    CONFIG, HOST },
		{ A64, "sha256:" A64,
		    "{\"Status\":\"running\",\"Pid\":1,\"ExitCode\":1e9,"
		    "\"StartedAt\":\"x\",\"FinishedAt\":\"x\"}",
		    CONFIG, HOST },
		{ A64, "sha256:" A64, STATE, "null", HOST },
		{ A64, "sha256:" A64, STATE, "{\"Env\":{}}", HOST },
		{ A64, "sha256:" A64, STATE, "{\"Env\":[1]}", HOST },
		{ A64, "sha256:" A64, STATE, "{\"Labels\":[]}", HOST },
		{ A64, "sha256:" A64, STATE, "{\"Labels\":{\"a\":1}}", HOST },
		{ A64, "sha256:" A64, STATE, CONFIG, "{}" },
		{ A64, "sha256:" A64, STATE, CONFIG, "null" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_container struct container c;

		add_container(&text, rows[i].id, rows[i].image, rows[i].state,
		    rows[i].config, rows[i].host);
		CHECK_INT(parse_container(text.buf, &c, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
	}
}

static void
what_is_no_object_is_refused(void)
{
	static const char *const rows[] = { "", "[]", "1", "null", "{}", "{}x",
		"{\"Id\":\"a\"", "{\"message\":\"no\"}" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag a = DIAG_INIT;
		cleanup_diag struct diag b = DIAG_INIT;
		cleanup_container struct container c;
		struct image image = IMAGE_INIT;

		CHECK_INT(parse_container(rows[i], &c, &a), -1);
		CHECK_INT(a.class, DIAG_ENGINE);
		CHECK_INT(parse_image(rows[i], &image, &b), -1);
		CHECK_INT(b.class, DIAG_ENGINE);
	}
}

/* Parses the answer about an image with this configuration. */
static int
parse_config(const char *config, struct image *ret_image, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text,
	    "{\"Id\":\"sha256:" A64 "\",\"Created\":"
	    "\"2026-11-22T14:55:44Z\",\"Config\":%s}",
	    config);
	return parse_image(text.buf, ret_image, dg);
}

/* Docker Engine API v1.44, ImageInspect: the types of these members. */
static void
an_image_with_wrong_types_is_refused(void)
{
	static const char *const rows[] = { "{\"OnBuild\":{}}",
		"{\"OnBuild\":\"RUN x\"}", "{\"OnBuild\":[1]}",
		"{\"OnBuild\":false}", "{\"Healthcheck\":[]}",
		"{\"Healthcheck\":\"CMD x\"}", "{\"Healthcheck\":1}",
		"{\"Healthcheck\":{\"Test\":\"CMD x\"}}",
		"{\"Healthcheck\":{\"Test\":[1]}}",
		"{\"Healthcheck\":{\"Test\":{}}}", "{\"Volumes\":[]}",
		"{\"Volumes\":[\"/v\"]}", "{\"Volumes\":\"/v\"}",
		"{\"Volumes\":1}", "{\"Volumes\":true}", "[]" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_image struct image image = IMAGE_INIT;

		check_true(__FILE__, __LINE__, rows[i],
		    parse_config(rows[i], &image, &dg) == -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
	}
}

static void
what_an_image_brings_with_it_is_seen(void)
{
	static const struct {
		const char *config;
		bool volumes, healthcheck, onbuild;
	} rows[] = {
		{ "{}", false, false, false },
		{ "null", false, false, false },
		{ "{\"Volumes\":null,\"OnBuild\":null,\"Healthcheck\":null}",
		    false, false, false },
		{ "{\"Volumes\":{},\"OnBuild\":[]}", false, false, false },
		{ "{\"Volumes\":{\"/v\":{}}}", true, false, false },
		{ "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"]}}", false, true,
		    false },
		{ "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}", false, false,
		    false },
		{ "{\"OnBuild\":[\"RUN x\"]}", false, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_image struct image image = IMAGE_INIT;

		CHECK_INT(parse_config(rows[i].config, &image, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(image.id, "sha256:" A64);
		CHECK_STR(image.context, "");
		CHECK_INT(image.volumes.nr > 0, rows[i].volumes);
		CHECK_INT(image.has_healthcheck, rows[i].healthcheck);
		CHECK_INT(image.has_onbuild, rows[i].onbuild);
		if (!rows[i].volumes)
			continue;
		CHECK_INT(image_judge(&image, &dg), -1);
		CHECK_INT(dg.class, DIAG_POLICY);
		CHECK_STR(dg.message,
		    "image sha256:" A64 " has VOLUME, which would change a "
		    "session without being in its plan: run \"drydock build\"");
	}
}

static void
an_images_tags_are_read(void)
{
	static const char text[] = "{\"Id\":\"sha256:" A64 "\",\"Created\":"
				   "\"2026-11-22T14:55:44Z\",\"Config\":{},"
				   "\"RepoTags\":[\"a:1\",\"b:2\"]}";
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_image struct image image = IMAGE_INIT;

	CHECK_INT(parse_image(text, &image, &dg), 0);
	CHECK_INT(image.tags.nr, 2);
	CHECK_STR(image.tags.v[1], "b:2");
}

static void
images_that_are_not_complete_are_refused(void)
{
	static const char *const rows[] = {
		"{}",
		"{\"Id\":\"" A64 "\",\"Created\":\"2026-11-22T14:55:44Z\","
		"\"Config\":{}}",
		"{\"Id\":\"sha256:" A64 "\",\"Config\":{}}",
		"{\"Id\":\"sha256:" A64 "\",\"Created\":\"now\",\"Config\":{}}",
		"{\"Id\":\"sha256:" A64
		"\",\"Created\":\"2026-11-22T14:55:44Z\"}",
		"{\"Id\":\"sha256:" A64
		"\",\"Created\":\"2026-11-22T14:55:44Z\","
		"\"Config\":{\"Env\":1}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct image image = IMAGE_INIT;

		CHECK_INT(parse_image(rows[i], &image, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
		CHECK_STR(image.id, NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a container is read whole", a_container_is_read_whole },
		{ "answers that are not complete are refused",
		    answers_that_are_not_complete_are_refused },
		{ "what is no object is refused",
		    what_is_no_object_is_refused },
		{ "an image's wrong types are refused",
		    an_image_with_wrong_types_is_refused },
		{ "what an image brings with it is seen",
		    what_an_image_brings_with_it_is_seen },
		{ "an image's tags are read", an_images_tags_are_read },
		{ "images that are not complete are refused",
		    images_that_are_not_complete_are_refused },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
