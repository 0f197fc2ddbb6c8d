/* SPDX-License-Identifier: MIT */
/* Sealing: the file that is launched says all that Compose leaves out. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan-bed.h"
#include "plan/model.h"
#include "plan/role.h"

struct sealed {
	struct plan_bed bed;
	struct strbuf text; /* of plan.json */
	char digest[DIGEST_HEX_SIZE];
};

static void
seal(struct sealed *s, enum mode mode)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;
	cleanup_close int fd = -1;

	plan_bed_init(&s->bed, mode);
	strbuf_init(&s->text);
	CHECK_INT(model_read(&s->bed.request, s->bed.model,
		      strlen(s->bed.model), "model", &plan, &dg),
	    0);
	strbuf_addstr(&plan.seccomp, "{}\n");
	CHECK_INT(fs_open_dir(s->bed.session_dir, &dir, &dg), 0);
	CHECK_INT(plan_seal(&plan, dir, s->digest, &fd, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(fs_read_fd(fd, "plan.json", 65536, &s->text, &dg), 0);
}

static void
sealed_release(struct sealed *s)
{
	plan_bed_release(&s->bed);
	strbuf_release(&s->text);
}

static void
test_spelled_out(void)
{
	struct sealed s __attribute__((cleanup(sealed_release)));
	cleanup_strbuf struct strbuf single = STRBUF_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct json *services;

	seal(&s, MODE_CONTAINED);
	CHECK_INT(dollars_unescape(s.text.buf, s.text.len, &single, &dg), 0);
	CHECK_INT(json_parse(single.buf, single.len, "plan", &root, &dg), 0);
	services = json_get(root, "services");
	CHECK_INT(json_len(services), 2);
	for (size_t i = 0; i < json_len(services); i++) {
		const struct json *service = json_value_at(services, i);
		const struct json *volumes = json_get(service, "volumes");

		CHECK(json_is_array(json_get(service, "command")));
		CHECK_INT(json_len(json_get(service, "command")), 0);
		CHECK_STR(
		    json_string(json_get(service, "pull_policy")), "never");
		CHECK(json_len(volumes) > 0);
		for (size_t n = 0; n < json_len(volumes); n++) {
			const struct json *made =
			    json_get(json_get(json_at(volumes, n), "bind"),
				"create_host_path");

			CHECK(made != NULL);
			CHECK(!json_bool(made, true));
		}
	}
}

static void
test_dollars(void)
{
	struct sealed s __attribute__((cleanup(sealed_release)));

	seal(&s, MODE_DOOD);
	CHECK(strstr(s.text.buf, "/home/pro$$ject\"") != NULL);
	CHECK(strstr(s.text.buf, "pro$ject") == NULL);
}

static void
test_digest(void)
{
	struct sealed s __attribute__((cleanup(sealed_release)));
	char digest[DIGEST_HEX_SIZE];

	seal(&s, MODE_CONTAINED);
	digest_bytes(s.text.buf, s.text.len, digest);
	CHECK_STR(s.digest, digest);
}

static void
test_files(void)
{
	static const char *const names[] = { "plan.json", "seccomp.json" };
	struct sealed s __attribute__((cleanup(sealed_release)));

	seal(&s, MODE_CONTAINED);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path =
		    xasprintf("%s/%s", s.bed.session_dir, names[i]);
		struct stat st = { 0 };

		CHECK_INT(lstat(path, &st), 0);
		CHECK_INT(st.st_mode & 07777, 0600);
	}
}

static void
test_single_dollar(void)
{
	static const char *const texts[] = { "$", "a$b", "$$$", "$$ $" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(
		    dollars_unescape(texts[i], strlen(texts[i]), &out, &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
	}
}

static void
test_there_and_back(void)
{
	static const char text[] = "$ $$ ${X} a$";
	cleanup_strbuf struct strbuf twice = STRBUF_INIT;
	cleanup_strbuf struct strbuf once = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	dollars_escape(text, strlen(text), &twice);
	CHECK_STR(twice.buf, "$$ $$$$ $${X} a$$");
	CHECK_INT(dollars_unescape(twice.buf, twice.len, &once, &dg), 0);
	CHECK_STR(once.buf, text);
}

/* What is read back is what was sealed, and every mount has its role. */
static void
check_same(const struct plan *a, const struct plan *b)
{
	CHECK_INT(a->nservices, b->nservices);
	for (size_t i = 0; i < a->nservices; i++) {
		const struct plan_service *x = &a->services[i];
		const struct plan_service *y = &b->services[i];

		CHECK_STR(x->name, y->name);
		CHECK_STR(x->image, y->image);
		CHECK_STR(x->user, y->user);
		CHECK_STR(x->unreadable_key, NULL);
		CHECK_INT(x->env.nr, y->env.nr);
		CHECK_INT(x->nmounts, y->nmounts);
		for (size_t n = 0; n < x->nmounts; n++) {
			CHECK_STR(x->mounts[n].source, y->mounts[n].source);
			CHECK_STR(x->mounts[n].target, y->mounts[n].target);
			CHECK(x->mounts[n].role == y->mounts[n].role);
			CHECK(x->mounts[n].role != &mount_roles[MOUNT_USER]);
		}
	}
}

static void
test_read_back(void)
{
	static const enum mode modes[] = { MODE_CONTAINED, MODE_DOOD };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct sealed s __attribute__((cleanup(sealed_release)));
		cleanup_plan struct plan judged = PLAN_INIT;
		cleanup_plan struct plan back = PLAN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		seal(&s, modes[i]);
		CHECK_INT(fs_open_dir(s.bed.session_dir, &dir, &dg), 0);
		CHECK_INT(
		    plan_unseal(&s.bed.request, dir, s.digest, &back, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK_INT(model_read(&s.bed.request, s.bed.model,
			      strlen(s.bed.model), "model", &judged, &dg),
		    0);
		check_same(&judged, &back);
		CHECK(strvec_has(&plan_find(&back, "agent")->env,
		    "DRYDOCK_SESSION=abcdefgh"));
		s.digest[0] ^= 1;
		CHECK_INT(
		    plan_unseal(&s.bed.request, dir, s.digest, &back, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		plan_bed_clear(&s.bed);
	}
}

/* The source of the agent's mount at target; NULL: none. */
static const char *
source_of(const struct plan *plan, const char *target)
{
	const struct plan_service *agent = plan_find(plan, "agent");

	for (size_t i = 0; i < agent->nmounts; i++)
		if (strcmp(agent->mounts[i].target, target) == 0)
			return agent->mounts[i].source;
	return NULL;
}

static void
test_copy(void)
{
	struct sealed s __attribute__((cleanup(sealed_release)));
	cleanup_plan struct plan back = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;
	cleanup_close int scratch_fd = -1;

	seal(&s, MODE_CONTAINED);
	cleanup_free char *scratch = xasprintf("%s/state/scratch", s.bed.tmp);
	const char *project = s.bed.project.path;
	struct plan_request request = s.bed.request;
	struct plan_copy copy = { "abcdefgh", scratch, -1 };

	CHECK_INT(mkdir(s.bed.history_dir, 0700), 0);
	CHECK_INT(mkdir(scratch, 0700), 0);
	CHECK_INT(fs_open_dir(scratch, &scratch_fd, &dg), 0);
	CHECK_INT(fs_open_dir(s.bed.session_dir, &dir, &dg), 0);
	request.session_id = "ijklmnop";
	copy.scratch_fd = scratch_fd;
	CHECK_INT(
	    plan_unseal_copy(&request, dir, s.digest, &copy, &back, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(back.nservices, 2);
	CHECK(strvec_has(
	    &plan_find(&back, "agent")->env, "DRYDOCK_SESSION=ijklmnop"));
	CHECK(strvec_has(&plan_find(&back, "egress")->labels,
	    "io.drydock.session=ijklmnop"));
	/* What the session's own directory holds is the new session's. */
	CHECK(strncmp(source_of(&back, "/run/drydock"), s.bed.session_dir,
		  strlen(s.bed.session_dir)) == 0);
	/* Project and conversations are not there, but empty directories. */
	CHECK_STR(source_of(&back, project) != NULL &&
		    strncmp(source_of(&back, project), scratch,
			strlen(scratch)) == 0
		? "scratch"
		: source_of(&back, project),
	    "scratch");
	CHECK(strncmp(source_of(&back, "/var/lib/drydock/history"), scratch,
		  strlen(scratch)) == 0);
	CHECK(strcmp(source_of(&back, project),
		  source_of(&back, "/var/lib/drydock/history")) != 0);
	s.digest[0] ^= 1;
	plan_release(&back);
	back = (struct plan)PLAN_INIT;
	CHECK_INT(
	    plan_unseal_copy(&request, dir, s.digest, &copy, &back, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	plan_bed_clear(&s.bed);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "every bind says that the engine makes no source",
		    test_spelled_out },
		{ "dollars are doubled again", test_dollars },
		{ "the digest is that of the file", test_digest },
		{ "plan and profile are the caller's alone", test_files },
		{ "a dollar that stands alone was not printed by Compose",
		    test_single_dollar },
		{ "doubling and undoubling are inverse", test_there_and_back },
		{ "a sealed plan is read back as it was judged",
		    test_read_back },
		{ "a copy for another session has none of the user's places",
		    test_copy },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
