/* SPDX-License-Identifier: MIT */
/* The record of built images: what it holds, and which images it leads to. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/built.h"
#include "engine/engine.h"
#include "stub-bed.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define B16 "bbbbbbbbbbbbbbbb"
#define A64 A16 A16 A16 A16
#define B64 B16 B16 B16 B16

static const struct image_user me = { "me", 1000, 1000, "/home/me" };
static const struct built_facts no_facts = { .base = NULL };
static const struct built_key egress_key = { .kind = "egress", .context = "c" };

/* An engine that nobody asks. */
static struct engine
named(const char *id, const char *root)
{
	struct engine engine = ENGINE_INIT;

	engine.id = xstrdup(id);
	engine.data_root = xstrdup(root);
	return engine;
}

static bool
find(struct bed *bed, struct engine *engine)
{
	if (!bed_find(bed, engine))
		return false;
	free(engine->id);
	free(engine->data_root);
	engine->id = xstrdup("stub");
	engine->data_root = xstrdup("/stub");
	return true;
}

static int
add(const struct bed *bed, const struct engine *engine, const char *kind,
    const char *context, const char *image)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct built_key key = { .kind = kind,
		.user = strcmp(kind, "agent") == 0 ? &me : NULL,
		.recipe = strcmp(kind, "agent") == 0 ? "agent x" : NULL,
		.context = context };
	int rc = built_add(&bed->paths, engine, &key, &no_facts, image, &dg);

	if (rc != 0)
		CHECK_STR(dg.message, "");
	return rc;
}

#define ENTRY(kind, more)                                             \
	"{\"kind\":\"" kind "\",\"image\":\"sha256:" A64 "\","        \
	"\"context\":\"c\",\"engine_id\":\"e\",\"built_at\":\"now\"," \
	"\"engine_data_root\":\"/r\"" more "}"
#define ME(uid) ",\"user\":\"me\",\"home\":\"/home/me\",\"gid\":1,\"uid\":" uid
#define IMAGES(entries) "{\"version\":1,\"images\":[" entries "]}"

/* NULL: it is read, and has nr images. */
static void
a_damaged_record_is_an_error(void)
{
	static const struct {
		const char *text, *words;
		size_t nr;
	} rows[] = {
		{ IMAGES(""), NULL, 0 },
		{ IMAGES(ENTRY("egress", "") "," ENTRY("base", "") "," ENTRY(
		      "agent", ME("0"))),
		    NULL, 3 },
		{ IMAGES(ENTRY("egress", ",\"later\":[1]")), NULL, 1 },
		{ IMAGES(ENTRY("egress", ",\"seconds\":3,\"size\":4")), NULL,
		    1 },
		{ IMAGES(ENTRY("egress", ",\"seconds\":-1")), "seconds is not",
		    0 },
		{ IMAGES(ENTRY("egress", ",\"size\":\"4\"")), "size is not",
		    0 },
		{ IMAGES(ENTRY("egress", ",\"base\":\"\"")), "base is not", 0 },
		{ "", "", 0 },
		{ "{}", "no version", 0 },
		{ "{\"version\":\"1\",\"images\":[]}", "no version", 0 },
		{ "{\"version\":2,\"images\":[]}",
		    "version 2, this drydock reads 1", 0 },
		{ "{\"version\":1}", "images is not a list", 0 },
		{ "{\"version\":1,\"images\":{}}", "images is not a list", 0 },
		{ IMAGES("3"), "image 1: kind is not a kind of image", 0 },
		{ IMAGES(ENTRY("egress", "") "," ENTRY("other", "")),
		    "image 2: kind is not a kind of image", 0 },
		{ IMAGES(ENTRY("agent", "")), "image 1: user is not", 0 },
		{ IMAGES(ENTRY("agent", ME("-1"))), "uid is not an id", 0 },
		{ IMAGES(ENTRY("agent", ME("4294967295"))), "uid is not an id",
		    0 },
		{ IMAGES(ENTRY("agent", ME("1.5"))), "uid is not an id", 0 },
		{ IMAGES("{\"kind\":\"egress\",\"image\":\"drydock:latest\","
			 "\"context\":\"c\",\"engine_id\":\"e\","
			 "\"built_at\":\"n\",\"engine_data_root\":\"/\"}"),
		    "image is not an image's id", 0 },
		{ IMAGES("{\"kind\":\"egress\",\"image\":\"sha256:" A64 "\","
			 "\"context\":\"\",\"engine_id\":\"e\","
			 "\"built_at\":\"n\",\"engine_data_root\":\"/\"}"),
		    "context is not a text", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_built_list struct built_list list = BUILT_LIST_INIT;
		int rc =
		    built_parse(rows[i].text, strlen(rows[i].text), &list, &dg);

		CHECK_INT(rc, rows[i].words == NULL ? 0 : -1);
		CHECK_INT(list.nr, rows[i].nr);
		CHECK_INT(
		    dg.class, rows[i].words == NULL ? DIAG_NONE : DIAG_DATA);
		if (rows[i].words != NULL)
			CHECK(strstr(dg.message, rows[i].words) != NULL);
	}
}

/* Of the file itself: each is told with its name and the way out. */
static void
a_record_that_is_no_file_is_an_error(void)
{
	static const char *const kinds[] = { "text", "link", "fifo",
		"directory" };
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;

	if (!find(&bed, &engine))
		return;
	int dir = bed.paths.state_fd;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_diag struct diag ignored = DIAG_INIT;
		cleanup_built_list struct built_list list = BUILT_LIST_INIT;
		cleanup_free char *words =
		    xasprintf("%s/images.json cannot be used; move it away "
			      "and run \"drydock build\"",
			bed.paths.state_dir);

		CHECK_INT(fs_remove_tree(dir, BUILT_FILE, &ignored), 0);
		if (i == 0)
			CHECK_INT(
			    fs_replace_file(dir, BUILT_FILE, "{", 1, 0600, &dg),
			    0);
		else if (i == 1)
			CHECK_INT(symlinkat("/dev/null", dir, BUILT_FILE), 0);
		else if (i == 2)
			CHECK_INT(mkfifoat(dir, BUILT_FILE, 0600), 0);
		else
			CHECK_INT(mkdirat(dir, BUILT_FILE, 0700), 0);
		CHECK_INT(built_read(&bed.paths, &list, &dg), -1);
		CHECK(strstr(dg.message, words) != NULL);
		CHECK_INT(built_add(&bed.paths, &engine, &egress_key, &no_facts,
			      "sha256:" A64, &ignored),
		    -1);
	}
}

static void
each_engine_and_user_has_images_of_its_own(void)
{
	static const struct image_user others[] = {
		{ "you", 1000, 1000, "/home/me" },
		{ "me", 1001, 1000, "/home/me" },
		{ "me", 1000, 1001, "/home/me" },
		{ "me", 1000, 1000, "/home/you" },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine real = ENGINE_INIT;
	cleanup_engine struct engine one = named("e", "/one");
	cleanup_engine struct engine two = named("e", "/two");
	cleanup_engine struct engine three = named("f", "/one");
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;

	if (!bed_find(&bed, &real))
		return;
	CHECK_INT(built_read(&bed.paths, &list, &dg), 0);
	CHECK(!list.recorded);
	CHECK_INT(add(&bed, &one, "agent", "c", "sha256:" A64), 0);
	CHECK_INT(add(&bed, &two, "egress", "c", "sha256:" B64), 0);
	CHECK_INT(built_read(&bed.paths, &list, &dg), 0);
	CHECK(list.recorded);
	CHECK_INT(fstatat(bed.paths.state_fd, BUILT_FILE, &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK(built_find(&list, &one, "sha256:" A64) != NULL);
	CHECK(built_find(&list, &two, "sha256:" A64) == NULL);
	CHECK(built_find(&list, &three, "sha256:" A64) == NULL);
	CHECK(built_find(&list, &two, "sha256:" B64) != NULL);
	/* None of these asks the engine, which does not exist. */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		cleanup_image struct image image = IMAGE_INIT;

		const struct built_key other = { .kind = "agent",
			.user = &others[i] };
		const struct built_key mine = { .kind = "agent", .user = &me };

		CHECK_INT(
		    built_find_image(&list, &one, &other, &image, &dg), 0);
		CHECK_STR(image.id, NULL);
		CHECK_INT(built_find_image(&list, &two, &mine, &image, &dg), 0);
		CHECK_STR(image.id, NULL);
	}
}

#define INSPECTED(id, labels)                                             \
	"{\"Id\":\"sha256:" id "\",\"Created\":\"2026-11-22T14:55:44Z\"," \
	"\"Config\":{\"Labels\":{" labels "}}}"
#define OF(context)                        \
	"\"io.drydock.image\":\"egress\"," \
	"\"io.drydock.context\":\"" context "\""
#define NO_IMAGE(id) "No such image: sha256:" id "\n"

/* Recorded in this order: A of c1, B of c2. */
static void
only_what_is_recorded_is_found(void)
{
	static const struct {
		const char *context; /* asked for */
		const char *first, *second; /* answers; a word: unknown */
		const char *id;
		enum diag_class class;
	} rows[] = {
		{ NULL, INSPECTED(B64, OF("c2")), "", "sha256:" B64,
		    DIAG_NONE },
		{ "c1", INSPECTED(A64, OF("c1")), "", "sha256:" A64,
		    DIAG_NONE },
		{ "c3", "", "", NULL, DIAG_NONE },
		/* The engine has lost the last one, or both. */
		{ NULL, "B", INSPECTED(A64, OF("c1")), "sha256:" A64,
		    DIAG_NONE },
		{ NULL, "B", "A", NULL, DIAG_NONE },
		/* Another one than was asked for, or with other labels. */
		{ NULL, INSPECTED(A64, OF("c2")), "", NULL, DIAG_ENGINE },
		{ NULL, INSPECTED(B64, OF("c1")), "", NULL, DIAG_DATA },
		{ NULL, INSPECTED(B64, ""), "", NULL, DIAG_DATA },
		{ NULL, INSPECTED(B64, OF("c2") ",\"io.drydock.role\":\"x\""),
		    "", NULL, DIAG_POLICY },
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (!find(&bed, &engine))
		return;
	CHECK_INT(add(&bed, &engine, "egress", "c1", "sha256:" A64), 0);
	CHECK_INT(add(&bed, &engine, "egress", "c2", "sha256:" B64), 0);
	CHECK_INT(built_read(&bed.paths, &list, &ignored), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_image struct image image = IMAGE_INIT;
		const char *const answers[] = { rows[i].first, rows[i].second };
		const struct built_key key = { .kind = "egress",
			.context = rows[i].context };

		stub_forget();
		for (size_t n = 0; n < ARRAY_SIZE(answers); n++) {
			const char *const names[] = { "image-inspect.1.",
				"image-inspect.2." };
			cleanup_free char *out = xasprintf("%sout", names[n]);
			cleanup_free char *err = xasprintf("%serr", names[n]);
			cleanup_free char *rc = xasprintf("%src", names[n]);
			bool gone = strlen(answers[n]) == 1;

			stub_script(out, gone ? "" : answers[n]);
			stub_script(err,
			    !gone                    ? ""
				: *answers[n] == 'A' ? NO_IMAGE(A64)
						     : NO_IMAGE(B64));
			stub_script(rc, gone ? "404" : "0");
		}

		CHECK_INT(built_find_image(&list, &engine, &key, &image, &dg),
		    rows[i].class == DIAG_NONE ? 0 : -1);
		CHECK_INT(dg.class, rows[i].class);
		CHECK_STR(image.id, rows[i].id);
	}
}

/*
 * Without an image of just this context, one that was asked to have the same
 * will do; one of an older drydock only for what those had.
 */
#define AGENT(id, context)                                            \
	INSPECTED(id,                                                 \
	    "\"io.drydock.image\":\"agent\","                         \
	    "\"io.drydock.context\":\"" context "\","                 \
	    "\"io.drydock.user\":\"me\",\"io.drydock.uid\":\"1000\"," \
	    "\"io.drydock.gid\":\"1000\","                            \
	    "\"io.drydock.home\":\"/home/me\"")

static void
an_image_of_another_recipe_will_not_do(void)
{
	static const struct {
		const char *context, *recipe;
		bool plain;
		const char *id;
	} rows[] = {
		{ "new", NULL, false, "sha256:" B64 },
		{ NULL, "agent x; toolchains c", false, "sha256:" B64 },
		{ NULL, "agent x", true, "sha256:" A64 },
		{ NULL, "agent x", false, NULL },
		{ NULL, "agent x; toolchains go", false, NULL },
		{ "newer", NULL, false, NULL },
	};
	static const char text[] = IMAGES(
	    "{\"kind\":\"agent\",\"image\":\"sha256:" A64 "\","
	    "\"context\":\"old\",\"engine_id\":\"stub\",\"built_at\":\"n\","
	    "\"engine_data_root\":\"/stub\",\"user\":\"me\","
	    "\"home\":\"/home/me\",\"uid\":1000,\"gid\":1000},"
	    "{\"kind\":\"agent\",\"image\":\"sha256:" B64 "\","
	    "\"recipe\":\"agent x; toolchains c\","
	    "\"context\":\"new\",\"engine_id\":\"stub\",\"built_at\":\"n\","
	    "\"engine_data_root\":\"/stub\",\"user\":\"me\","
	    "\"home\":\"/home/me\",\"uid\":1000,\"gid\":1000}");
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!find(&bed, &engine))
		return;
	CHECK_INT(built_parse(text, strlen(text), &list, &dg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct built_key key = { "agent", &me, rows[i].recipe,
			rows[i].context, rows[i].plain };
		cleanup_image struct image image = IMAGE_INIT;
		const char *letter =
		    rows[i].id != NULL && rows[i].id[7] == 'a' ? "a" : "b";

		stub_forget();
		stub_script("image-inspect.out",
		    *letter == 'a' ? AGENT(A64, "old") : AGENT(B64, "new"));
		if (!CHECK_INT(
			built_find_image(&list, &engine, &key, &image, &dg), 0))
			CHECK_STR(dg.message, "");
		CHECK_STR(image.id, rows[i].id);
	}
}

static void
the_oldest_entries_go_and_the_same_image_stands_once(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_engine struct engine other = named("e", "/r");
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!find(&bed, &engine))
		return;
	CHECK_INT(add(&bed, &other, "egress", "c", "sha256:" A64), 0);
	CHECK_INT(add(&bed, &engine, "agent", "c", "sha256:" A64), 0);
	for (int i = 0; i < 70; i++) {
		cleanup_free char *id = xasprintf("sha256:%064d", i);

		if (add(&bed, &engine, "egress", "c", id) != 0)
			return;
	}
	CHECK_INT(add(&bed, &engine, "egress", "d", "sha256:" A64), 0);
	CHECK_INT(add(&bed, &engine, "egress", "e", "sha256:" A64), 0);
	CHECK_INT(built_read(&bed.paths, &list, &dg), 0);
	CHECK_INT(list.nr, 2 + 64);
	CHECK_STR(list.v[0].engine_id, "e");
	CHECK_STR(list.v[1].kind, "agent");
	CHECK_STR(list.v[list.nr - 1].context, "e");
	CHECK_STR(list.v[list.nr - 2].context, "c");
}

/* A build from the cache is quick, and tells nothing of the next one. */
static void
facts_of_a_build_are_kept(void)
{
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct built_facts facts = { BUILT_BOOTSTRAP, "files=a base=b",
		200, 5000000000, 0 };
	const struct built_facts again = { "debian:12", "files=c base=d", 3,
		5000000001, BUILT_HOLDER };
	const struct built *b;

	if (!find(&bed, &engine))
		return;
	CHECK_INT(built_add(&bed.paths, &engine, &egress_key, &facts,
		      "sha256:" A64, &dg),
	    0);
	CHECK_INT(built_add(&bed.paths, &engine, &egress_key, &again,
		      "sha256:" A64, &dg),
	    0);
	CHECK_INT(add(&bed, &engine, "agent", "c", "sha256:" B64), 0);
	CHECK_INT(built_read(&bed.paths, &list, &dg), 0);
	CHECK_INT(list.nr, 2);
	b = built_find_last(&list, &engine, "egress");
	CHECK(b != NULL && b == built_find(&list, &engine, "sha256:" A64));
	if (b == NULL)
		return;
	CHECK_STR(b->base, "debian:12");
	CHECK_STR(b->parts, "files=c base=d");
	CHECK_INT(b->seconds, 200);
	CHECK_INT(b->size, 5000000001);
	CHECK_INT(b->holder, BUILT_HOLDER);
	CHECK(built_find_last(&list, &engine, BUILT_BASE) == NULL);
}

/* Each process adds images of its own, at the same time as the others. */
static void
builds_at_once_lose_nothing(void)
{
	enum {
		PROCESSES = 8,
		EACH = 5
	};
	cleanup_bed struct bed bed;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	pid_t pids[PROCESSES];

	if (!find(&bed, &engine))
		return;
	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		if (pids[p] != 0)
			continue;
		for (int i = 0; i < EACH; i++) {
			cleanup_close int lock = -1;
			cleanup_free char *id =
			    xasprintf("sha256:%064d", p * EACH + i);

			if (built_lock(&bed.paths, 30000, &lock, &dg) != 0 ||
			    built_add(&bed.paths, &engine, &egress_key,
				&no_facts, id, &dg) != 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status = -1;

		CHECK_INT(waitpid(pids[p], &status, 0), pids[p]);
		CHECK_INT(status, 0);
	}
	CHECK_INT(built_read(&bed.paths, &list, &dg), 0);
	CHECK_INT(list.nr, PROCESSES * EACH);
	for (int i = 0; i < PROCESSES * EACH; i++) {
		cleanup_free char *id = xasprintf("sha256:%064d", i);

		CHECK(built_find(&list, &engine, id) != NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an image of another recipe will not do",
		    an_image_of_another_recipe_will_not_do },
		{ "a damaged record is an error",
		    a_damaged_record_is_an_error },
		{ "a record that is no file is an error",
		    a_record_that_is_no_file_is_an_error },
		{ "each engine and user has images of its own",
		    each_engine_and_user_has_images_of_its_own },
		{ "only what is recorded is found",
		    only_what_is_recorded_is_found },
		{ "the oldest entries go, and the same image stands once",
		    the_oldest_entries_go_and_the_same_image_stands_once },
		{ "facts of a build are kept", facts_of_a_build_are_kept },
		{ "builds at once lose nothing", builds_at_once_lose_nothing },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
