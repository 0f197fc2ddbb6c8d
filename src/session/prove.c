/* SPDX-License-Identifier: MIT */
/* prove: tests promises on the host, and in a fresh container. */
#include "session/prove.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "guest/lease.h"
#include "host/paths.h"
#include "plan/plan.h"
#include "session/attach.h"
#include "session/collect.h"
#include "session/egress.h"
#include "session/look.h"
#include "session/resume.h"
#include "session/start.h"

#define PROBE_NAME ".drydock-prove"
#define SCRATCH_NAME "scratch"

enum {
	PROBE_MAX = 64 * 1024 * 1024, /* bytes of the program */
	PROBES_MS = 240000,
	PROXY_MS = 5000,
};

void
proof_release(struct proof *proof)
{
	for (size_t i = 0; i < proof->nr; i++) {
		free(proof->v[i].call);
		free(proof->v[i].target);
		free(proof->v[i].answer);
	}
	free(proof->v);
	*proof = (struct proof)PROOF_INIT;
}

enum verdict
proof_verdict(const struct proof *proof, enum promise_id id)
{
	enum verdict worst = VERDICT_HELD;
	bool tested = false;

	for (size_t i = 0; i < proof->nr; i++) {
		if (proof->v[i].promise != id)
			continue;
		tested = true;
		if (proof->v[i].verdict > worst)
			worst = proof->v[i].verdict;
	}
	return tested ? worst : VERDICT_UNKNOWN;
}

/* The strings are given. */
static void
add(struct proof *proof, struct attempt attempt)
{
	proof->v = xreallocarray(proof->v, proof->nr + 1, sizeof(*proof->v));
	proof->v[proof->nr++] = attempt;
}

/* The result of a test by drydock itself; why is NULL if the promise held. */
static void
add_own(struct proof *proof, enum promise_id promise, const char *call,
    const char *target, const struct diag *why, const char *held)
{
	add(proof,
	    (struct attempt){ promise,
		why == NULL ? VERDICT_HELD : VERDICT_BROKEN, xstrdup(call),
		xstrdup(target), xstrdup(why == NULL ? held : why->message) });
}

static bool
find_promise(const char *name, enum promise_id *ret_id)
{
	for (unsigned i = 0; i < PROMISES; i++) {
		if (promise_is_inside((enum promise_id)i) &&
		    strcmp(promises[i].name, name) == 0) {
			*ret_id = (enum promise_id)i;
			return true;
		}
	}
	return false;
}

static bool
find_verdict(const char *name, enum verdict *ret_verdict)
{
	for (unsigned i = VERDICT_HELD; i <= VERDICT_BROKEN; i++) {
		if (strcmp(verdict_name((enum verdict)i), name) == 0) {
			*ret_verdict = (enum verdict)i;
			return true;
		}
	}
	return false;
}

static char *
escape(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_add_escaped(&out, text, strlen(text));
	return strbuf_detach(&out, NULL);
}

static void
read_line(struct proof *proof, char *line)
{
	char *fields[PROVE_FIELDS];
	enum promise_id id;
	enum verdict verdict;
	size_t n = 0;

	for (char *at = line; at != NULL; n++) {
		if (n == PROVE_FIELDS)
			return;
		fields[n] = strsep(&at, "\t");
	}
	if (n == PROVE_FIELDS && find_promise(fields[0], &id) &&
	    find_verdict(fields[PROVE_FIELDS - 1], &verdict))
		add(proof,
		    (struct attempt){ id, verdict, escape(fields[1]),
			escape(fields[2]), escape(fields[3]) });
}

void
proof_read(struct proof *proof, const char *text, size_t len)
{
	cleanup_free char *copy = xstrndup(text, len);
	char *at = copy;

	/* A last line without a line end is incomplete. */
	for (char *eol; (eol = strchr(at, '\n')) != NULL; at = eol + 1) {
		*eol = '\0';
		read_line(proof, at);
	}
}

/* Collects the results of one service. */
struct service_proof {
	struct proof *proof;
	const char *service;
};

static void
add_part(void *arg, enum verify_part part, const struct diag *why)
{
	static const struct {
		enum promise_id promise;
		const char *call;
	} of[VERIFY_PARTS] = {
		[VERIFY_PROCESS] = { PROMISE_PROCESS, "read /proc/PID/cgroup" },
		[VERIFY_IDENTITY] = { PROMISE_IDENTITY,
		    "read /proc/PID/status" },
		[VERIFY_NAMESPACES] = { PROMISE_NAMESPACES,
		    "stat /proc/PID/ns" },
		[VERIFY_DEVICES] = { PROMISE_DEVICES, "read /proc/PID/net" },
		[VERIFY_LIMITS] = { PROMISE_LIMITS, "read its control group" },
		[VERIFY_MOUNTS] = { PROMISE_MOUNTS,
		    "read /proc/PID/mountinfo" },
		[VERIFY_SOURCES] = { PROMISE_SOURCES,
		    "stat each mount's target" },
		[VERIFY_CONFIGURATION] = { PROMISE_CONFIGURATION,
		    "inspect the container" },
	};
	const struct service_proof *s = arg;

	add_own(s->proof, of[part].promise, of[part].call, s->service, why,
	    "as planned");
}

static void
check_processes(const struct plan_service *s, const struct container *c,
    struct proof *proof)
{
	cleanup_diag struct diag why = DIAG_INIT;
	cleanup_free char *held = NULL;
	size_t n = 0;
	int rc = plan_verify_processes(s, c, &n, &why);

	held = xasprintf("%zu processes", n);
	add_own(proof, PROMISE_EVERY_PROCESS, "read each /proc/PID/status",
	    s->name, rc == 0 ? NULL : &why, held);
}

static void
check_proxy(const struct session *session, struct proof *proof)
{
	cleanup_diag struct diag why = DIAG_INIT;
	cleanup_close int fd = -1;
	atomic_bool stop = false;
	bool held = session_open_mount(session, MOUNT_EGRESS, &fd, &why) == 0 &&
	    egress_wait_ready(fd, PROXY_MS, &stop, &why) == 0;

	add_own(proof, PROMISE_PROXY_ANSWERS, "CONNECT",
	    "a reserved name, at the session's own socket", held ? NULL : &why,
	    "refused");
}

/* Returns true if a process holds the lock that the sidecar requires. */
static bool
lease_is_held(const struct session *session, struct diag *dg)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	cleanup_close int dir_fd = -1;
	cleanup_close int fd = -1;

	return session_open_mount(session, MOUNT_EGRESS, &dir_fd, dg) == 0 &&
	    fs_open_nolinks(dir_fd, LEASE_NAME,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, dg) == 0 &&
	    fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* The agent can remove the file, which is not the promise's end. */
static void
check_lease(const struct session *session, const struct plan_service *egress,
    struct proof *proof)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	bool asked = strvec_has(&egress->entrypoint, "--lease");
	bool held = asked && lease_is_held(session, &ignored);

	add(proof,
	    (struct attempt){ PROMISE_LEASE,
		held        ? VERDICT_HELD
		    : asked ? VERDICT_UNKNOWN
			    : VERDICT_BROKEN,
		xstrdup("F_GETLK"),
		xstrdup("the file that both containers share"),
		xstrdup(held    ? "locked"
			: asked ? "no lock is seen"
				: "the images of this session have no lease: "
				  "run \"drydock build\", then start another "
				  "one") });
}

/* Compares what kernel and engine report of the session's containers. */
static int
check_live(struct start *l, const struct session_look *look,
    struct proof *proof, struct diag *dg)
{
	start_fill_request(l);
	if (plan_unseal(&l->plan_request, l->session.dir_fd,
		l->record.plan_digest, &l->plan, dg) != 0 ||
	    resume_find_images(l, dg) != 0)
		return -1;
	for (size_t i = 0; i < l->plan.nservices; i++) {
		const struct plan_service *s = &l->plan.services[i];
		const struct container *c =
		    session_container(&look->facts, s->name);
		struct service_proof of = { proof, s->name };
		cleanup_diag struct diag none = DIAG_INIT;

		if (c == NULL) {
			(void)diag_set(
			    &none, DIAG_ENGINE, "the engine has none");
			add_own(proof, PROMISE_PROCESS, "find the container",
			    s->name, &none, "");
			continue;
		}
		plan_verify_parts(
		    &l->plan_request, &l->plan, s, c, add_part, &of);
		check_processes(s, c, proof);
	}
	check_proxy(&l->session, proof);
	if (plan_find(&l->plan, "egress") != NULL)
		check_lease(&l->session, plan_find(&l->plan, "egress"), proof);
	return 0;
}

/* Copies the probes' program into the fresh session's home. */
static int
put_probes(const struct start *l, struct diag *dg)
{
	cleanup_close int libexec_fd = -1;
	cleanup_close int home_fd = -1;
	cleanup_strbuf struct strbuf program = STRBUF_INIT;

	if (fs_open_dir(l->paths->libexec_dir, &libexec_fd, dg) != 0 ||
	    fs_read_file(libexec_fd, "holder", PROBE_MAX, &program, dg) != 0 ||
	    session_open_mount(&l->session, MOUNT_HOME, &home_fd, dg) != 0)
		return -1;
	return fs_replace_file(
	    home_fd, PROBE_NAME, program.buf, program.len, 0755, dg);
}

static int
make_plan(struct start *l, const struct session *of, const char *of_digest,
    struct diag *dg)
{
	cleanup_close int scratch_fd = -1;
	cleanup_free char *scratch =
	    xasprintf("%s/" SCRATCH_NAME, l->session.dir);
	struct plan_copy copy = { of->id, scratch, -1 };

	if (fs_make_dir(
		l->session.dir_fd, SCRATCH_NAME, 0700, &scratch_fd, dg) != 0)
		return -1;
	copy.scratch_fd = scratch_fd;
	start_fill_request(l);
	if (plan_unseal_copy(&l->plan_request, of->dir_fd, of_digest, &copy,
		&l->plan, dg) != 0 ||
	    plan_prepare(&l->plan_request, &l->plan, dg) != 0 ||
	    start_write_proxy(l, dg) != 0)
		return -1;
	return start_seal(l, dg);
}

/* Appends the probes' command: program, mode, facts. */
static void
fill_command(
    const struct start *l, const struct session *of, struct strvec *argv)
{
	const struct plan_service *agent = plan_find(&l->plan, "agent");
	const char *home = "";
	int64_t tmp = -1;

	for (size_t i = 0; i < agent->ntmpfs; i++)
		if (strcmp(agent->tmpfs[i].target, "/tmp") == 0)
			tmp = agent->tmpfs[i].size;
	for (size_t i = 0; i < agent->nmounts; i++)
		if (agent->mounts[i].role == &mount_roles[MOUNT_HOME])
			home = agent->mounts[i].target;
	strvec_pushf(argv, "%s/" PROBE_NAME, home);
	strvec_push(argv, "prove");
	strvec_push(argv, "--");
	strvec_pushf(
	    argv, "%s=%s", prove_fact_names[PROVE_PROJECT], l->project.path);
	strvec_pushf(argv, "%s=%s", prove_fact_names[PROVE_ELSEWHERE], of->dir);
	strvec_pushf(
	    argv, "%s=%s", prove_fact_names[PROVE_ENGINE], l->engine->socket);
	strvec_pushf(argv, "%s=%jd", prove_fact_names[PROVE_HOST_PID],
	    (intmax_t)getpid());
	strvec_pushf(argv, "%s=%" PRId64, prove_fact_names[PROVE_MEMORY],
	    agent->limits.memory);
	strvec_pushf(argv, "%s=%" PRId64, prove_fact_names[PROVE_PIDS],
	    agent->limits.pids);
	strvec_pushf(argv, "%s=%" PRId64, prove_fact_names[PROVE_TMP], tmp);
}

static int
run_probes(struct start *l, const struct session *of, struct proof *proof,
    struct diag *dg)
{
	static start_stage *const stages[] = {
		start_compose,
		start_check,
		start_go,
	};
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag difference = DIAG_INIT;
	struct launch_request request = { .kind = LAUNCH_SHELL };
	int status;
	int rc;

	fill_command(l, of, &argv);
	request.args = argv.v;
	request.nargs = (int)argv.nr;
	l->request = &request;
	l->difference = &difference;
	rc = start_run(l, stages, ARRAY_SIZE(stages), dg);
	l->difference = NULL;
	l->request = NULL;
	if (rc != 0)
		return -1;
	add_own(proof, PROMISE_SAME_PLAN, "compare it with the plan",
	    "a fresh container",
	    difference.message != NULL ? &difference : NULL, "as planned");
	if (holder_collect(l->holder_fd, PROBES_MS, PROVE_REPORT_MAX, &text,
		&status, dg) != 0)
		return -1;
	proof_read(proof, text.buf, text.len);
	if (status != 0)
		diag_warn("the probes ended with status %d", status);
	return 0;
}

/* Runs the probes in a fresh session of the same sealed plan. */
static int
check_fresh(struct start *l, struct proof *proof, struct diag *dg)
{
	cleanup_session struct session of = l->session;
	cleanup_record struct record of_record = l->record;
	struct record *r = &l->record;
	int rc;

	l->session = (struct session)SESSION_INIT;
	*r = (struct record)RECORD_INIT;
	plan_release(&l->plan);
	l->plan = (struct plan)PLAN_INIT;
	if (session_claim(l->paths, &l->session, dg) != 0)
		return -1;
	start_fill_record(l);
	r->mode_reason = xasprintf("a test of session %s", of.id);
	r->history = xasprintf("%s/" SCRATCH_NAME "/history", l->session.dir);
	r->kind = xstrdup("shell");
	r->ends_with_client = true;
	interrupt_hold(&l->interrupt);
	rc = record_write(l->session.dir_fd, r, dg);
	if (rc == 0)
		rc = make_plan(l, &of, of_record.plan_digest, dg);
	if (rc == 0)
		rc = put_probes(l, dg);
	if (rc == 0)
		rc = run_probes(l, &of, proof, dg);
	collect_launch(l);
	interrupt_restore(&l->interrupt);
	return rc;
}

int
prove_session(const struct join_spec *spec, const char *id,
    const struct session_look *look, struct proof *proof, struct diag *dg)
{
	cleanup_start struct start l = START_INIT;
	int rc;

	l.paths = spec->paths;
	l.settings = spec->settings;
	l.environ_ = spec->environ_;
	l.engine = spec->engine;
	rc = session_open(spec->paths, id, &l.session, dg);
	if (rc == 0)
		rc = record_read(l.session.dir_fd, &l.record, dg);
	if (rc == 0)
		rc = resume_find_parts(&l, dg);
	if (rc == 0 && l.mode.mode != MODE_CONTAINED)
		rc = diag_set(dg, DIAG_POLICY,
		    "session %s is in mode %s, which contains nothing: there "
		    "is nothing to prove",
		    id, mode_name(l.mode.mode));
	if (rc == 0)
		rc = check_live(&l, look, proof, dg);
	if (rc == 0)
		rc = check_fresh(&l, proof, dg);
	return rc;
}
