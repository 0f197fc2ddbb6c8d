/* SPDX-License-Identifier: MIT */
/* judge: runs the policy on Compose's merged model and the facts. */
#include "plan/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/compose.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/trusted.h"
#include "plan/carried.h"
#include "plan/extra-service.h"
#include "plan/facts.h"
#include "plan/model.h"
#include "plan/plan.h"
#include "plan/policy.h"
#include "plan/role.h"
#include "plan/sockets.h"

static bool
has_user_overlay(const struct assembly *assembly)
{
	for (size_t i = 0; i < assembly->nr; i++)
		if (assembly->v[i].tree.len > 0)
			return true;
	return false;
}

/*
 * Reads the seccomp profile and compiles the policy.  Without user overlays
 * this happens while Compose runs.
 */
static int
load_rules(const struct plan_request *request, const struct assembly *assembly,
    struct policy **ret_policy, struct strbuf *seccomp, struct diag *dg)
{
	/* Already loaded by judge_raw() for user overlays. */
	if (*ret_policy != NULL)
		return 0;
	if (trusted_read_data(request->paths, PLAN_SECCOMP_FILE,
		PLAN_SECCOMP_MAX, seccomp, dg) != 0)
		return -1;
	return policy_load(request->paths,
	    has_user_overlay(assembly) ? POLICY_ALL : POLICY_OWN, ret_policy,
	    dg);
}

static void
write_raw(const struct assembly *assembly, const struct overlay *o,
    struct strbuf *out)
{
	struct jsonw *w = jsonw_new(false);
	cleanup_diag struct diag ignored = DIAG_INIT;

	jsonw_open_array(w);
	for (size_t i = 0; i < assembly->vars.nr; i++) {
		const char *var = assembly->vars.v[i];
		cleanup_free char *name = xstrndup(var, strcspn(var, "="));

		jsonw_str(w, name);
	}
	jsonw_close_array(w);
	strbuf_addstr(out, "{\"raw\":");
	(void)jsonw_finish(w, out, &ignored);
	strbuf_addstr(out, ",\"overlay\":");
	strbuf_addstr(out, o->tree.buf);
	strbuf_addstr(out, "}");
}

/*
 * Judges each user overlay before Compose reads it, for the rules that a merged
 * model cannot show.
 */
static int
judge_raw(const struct plan_request *request, const struct assembly *assembly,
    struct policy **ret_policy, struct plan *plan, struct diag *dg)
{
	for (size_t i = 0; i < assembly->nr; i++) {
		struct overlay *o = &assembly->v[i];
		const struct assembly only = { .v = o, .nr = 1 };
		cleanup_strbuf struct strbuf input = STRBUF_INIT;

		if (o->tree.len == 0)
			continue;
		write_raw(assembly, o, &input);
		if (load_rules(request, assembly, ret_policy, &plan->seccomp,
			dg) != 0 ||
		    policy_run_raw(*ret_policy, &only, &input, plan, dg) != 0)
			return -1;
	}
	return 0;
}

/* One run of Compose, which merges all overlays or only drydock's. */
struct resolving {
	struct compose_spec spec;
	int *fds; /* owned */
	const char **names; /* owned */
	struct proc *proc; /* owned; NULL: not started */
};

static void
resolving_release(struct resolving *r)
{
	proc_cancel(r->proc);
	free(r->fds);
	free(r->names);
}

#define cleanup_resolving __attribute__((cleanup(resolving_release)))

/*
 * Starts Compose with drydock's overlays only (own), or with all.  The caller
 * releases r, also after a failure.
 */
static int
resolve_start(const struct plan_request *request,
    const struct assembly *assembly, bool own, const char *project,
    struct resolving *r, struct diag *dg)
{
	r->fds = xcalloc(assembly->nr + 1, sizeof(*r->fds));
	r->names = xcalloc(assembly->nr + 1, sizeof(*r->names));
	r->spec = (struct compose_spec){
		.project = project,
		/* No effect: drydock's overlays have no relative path. */
		.project_dir = request->paths->data_dir,
		.file_fds = r->fds,
		.file_names = r->names,
		.vars = &assembly->vars,
	};
	for (size_t i = 0; i < assembly->nr; i++) {
		if (own && assembly->v[i].tree.len > 0)
			continue;
		r->fds[r->spec.nfiles] = assembly->v[i].fd;
		r->names[r->spec.nfiles++] = assembly->v[i].name;
	}
	return compose_config_start(request->engine, &r->spec, &r->proc, dg);
}

/* Waits for Compose and appends the merged model, with single dollars. */
static int
resolve_finish(const struct engine *engine, struct resolving *r,
    struct strbuf *model, struct diag *dg)
{
	cleanup_strbuf struct strbuf printed = STRBUF_INIT;

	if (compose_config_finish(engine, steal_ptr(&r->proc), &printed, dg) !=
	    0) {
		compose_name_files(&r->spec, dg);
		return -1;
	}
	if (printed.len > MODEL_MAX_SIZE)
		return diag_set(dg, DIAG_CONFIG,
		    "the merged model has more than %lu bytes", MODEL_MAX_SIZE);
	return dollars_unescape(printed.buf, printed.len, model, dg);
}

/*
 * Appends the merged model.  If the user has overlays, also appends the
 * reference: the model without them.  Both runs of Compose are parallel.
 */
static int
resolve(const struct plan_request *request, const struct assembly *assembly,
    struct policy **ret_policy, struct plan *plan, struct strbuf *reference,
    struct strbuf *model, struct diag *dg)
{
	cleanup_free char *project =
	    xasprintf("drydock-%s", request->session_id);
	cleanup_resolving struct resolving all = { .proc = NULL };
	cleanup_resolving struct resolving own = { .proc = NULL };
	bool two = has_user_overlay(assembly);

	if (resolve_start(request, assembly, false, project, &all, dg) != 0 ||
	    (two &&
		resolve_start(request, assembly, true, project, &own, dg) !=
		    0) ||
	    load_rules(request, assembly, ret_policy, &plan->seccomp, dg) !=
		0 ||
	    resolve_finish(request->engine, &all, model, dg) != 0)
		return -1;
	return !two ? 0 : resolve_finish(request->engine, &own, reference, dg);
}

int
plan_judge_model(const struct plan_request *request,
    const struct assembly *assembly, struct policy *policy,
    const struct strbuf *reference, const struct strbuf *model,
    struct plan *plan, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf input = STRBUF_INIT;

	if (model_read(request, model->buf, model->len, "the merged model",
		plan, dg) != 0 ||
	    (reference->len > 0 &&
		json_parse(reference->buf, reference->len, "the reference",
		    &root, dg) != 0))
		return -1;
	carried_set_roles(&assembly->carried, plan);
	/*
	 * trusted_check() covers the files that were read before the call.  By
	 * now every file that decides the launch has been read.
	 */
	if (trusted_check(request->paths, request->project->path, dg) != 0 ||
	    facts_open_mounts(plan, dg) != 0 ||
	    (request->mode.mode == MODE_CONTAINED &&
		sockets_find(request, plan, &plan->sockets,
		    &plan->sockets_whole, dg) != 0) ||
	    facts_write(request, assembly, root, plan, &input, dg) != 0)
		return -1;
	if (policy_run(policy, assembly, &input, plan, dg) != 0)
		return -1;
	if (plan->nviolations > 0)
		return 0;
	return carried_check(plan, dg) != 0 ? -1
					    : model_check_readable(plan, dg);
}

int
plan_judge(const struct plan_request *request, const struct assembly *assembly,
    struct plan *ret_plan, struct diag *dg)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_policy struct policy *policy = NULL;
	cleanup_strbuf struct strbuf reference = STRBUF_INIT;
	cleanup_strbuf struct strbuf model = STRBUF_INIT;

	if (judge_raw(request, assembly, &policy, &plan, dg) != 0)
		return -1;
	if (plan.nviolations == 0 &&
	    (resolve(request, assembly, &policy, &plan, &reference, &model,
		 dg) != 0 ||
		plan_judge_model(request, assembly, policy, &reference, &model,
		    &plan, dg) != 0))
		return -1;
	*ret_plan = plan;
	plan = (struct plan)PLAN_INIT;
	return 0;
}

static bool
has_role(const struct plan *plan, enum mount_id id)
{
	for (size_t i = 0; i < plan->nservices; i++)
		for (size_t n = 0; n < plan->services[i].nmounts; n++)
			if (plan->services[i].mounts[n].role ==
			    &mount_roles[id])
				return true;
	return false;
}

/* The policy judges the sources only where there are some. */
int
plan_judge_again(
    const struct plan_request *request, struct plan *plan, struct diag *dg)
{
	const struct assembly none = ASSEMBLY_INIT;
	cleanup_policy struct policy *policy = NULL;
	cleanup_strbuf struct strbuf input = STRBUF_INIT;

	if (carried_check(plan, dg) != 0)
		return -1;
	if (!has_role(plan, MOUNT_USER))
		return 0;
	if (facts_write_sources(request, plan, &input, dg) != 0 ||
	    policy_load(request->paths, POLICY_AGAIN, &policy, dg) != 0 ||
	    policy_run_raw(policy, &none, &input, plan, dg) != 0)
		return -1;
	return plan_check_verdict(plan, dg);
}

/* The services of the plan that are not drydock's, with their images. */
static int
find_extra(const struct plan_request *request, const struct plan *plan,
    struct assembly *assembly, struct diag *dg)
{
	assembly->extra_services =
	    xcalloc(plan->nservices + 1, sizeof(*assembly->extra_services));
	for (size_t i = 0; i < plan->nservices; i++) {
		const struct plan_service *s = &plan->services[i];
		struct extra_service *extra =
		    &assembly->extra_services[assembly->nextra_services];

		if (s->role != SERVICE_EXTRA)
			continue;
		assembly->nextra_services++;
		*extra = (struct extra_service){
			.name = xstrdup(s->name),
			.reference = xstrdup(s->image),
			.image = IMAGE_INIT,
			.mounted = STRVEC_INIT,
			.tmpfs = STRVEC_INIT,
		};
		if (image_inspect(
			request->engine, s->image, &extra->image, dg) != 0)
			return -1;
	}
	return 0;
}

/* The plan is its own reference, so that the difference is empty. */
int
plan_judge_sealed(
    const struct plan_request *request, struct plan *plan, struct diag *dg)
{
	cleanup_assembly struct assembly assembly = ASSEMBLY_INIT;
	cleanup_policy struct policy *policy = NULL;
	cleanup_strbuf struct strbuf input = STRBUF_INIT;

	if (plan_assemble_own(request, &assembly, dg) != 0 ||
	    find_extra(request, plan, &assembly, dg) != 0)
		return -1;
	carried_set_roles(&assembly.carried, plan);
	if (facts_write(request, &assembly, plan->tree, plan, &input, dg) !=
		0 ||
	    policy_load(request->paths, POLICY_ALL, &policy, dg) != 0 ||
	    policy_run(policy, &assembly, &input, plan, dg) != 0 ||
	    plan_check_verdict(plan, dg) != 0)
		return -1;
	return carried_check(plan, dg);
}

void
violation_describe(const struct violation *v, struct strbuf *out)
{
	size_t start = out->len;

	strbuf_addf(out, "%s: ", v->rule);
	if (v->service[0] != '\0')
		strbuf_addf(out, "%s: ", v->service);
	strbuf_addstr(out, v->what);
	if (v->overlay[0] != '\0')
		strbuf_addf(out, " (overlay %s)", v->overlay);
	/* An answer of a user's policy may have several lines. */
	for (size_t i = start; i < out->len; i++)
		if (out->buf[i] == '\n')
			out->buf[i] = ' ';
}

/*
 * The maximum of printed violations per rule.  A bind of "/", for example,
 * holds every protected path.
 */
#define EACH_RULE 8

/*
 * Appends up to EACH_RULE of the consecutive violations of one rule, from index
 * i on.  Returns the number of these violations.
 */
static size_t
describe_rule(const struct plan *plan, size_t i, struct strbuf *lines)
{
	const char *rule = plan->violations[i].rule;
	size_t n = 0;

	for (; i < plan->nviolations &&
	     strcmp(plan->violations[i].rule, rule) == 0;
	     i++, n++) {
		if (n >= EACH_RULE)
			continue;
		violation_describe(&plan->violations[i], lines);
		strbuf_addch(lines, '\n');
	}
	if (n > EACH_RULE)
		strbuf_addf(lines,
		    "%s: and %zu more, which \"drydock plan\" shows\n", rule,
		    n - EACH_RULE);
	return n;
}

int
plan_check_verdict(const struct plan *plan, struct diag *dg)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;

	if (plan->nviolations == 0)
		return 0;
	for (size_t i = 0; i < plan->nviolations;)
		i += describe_rule(plan, i, &lines);
	(void)diag_set(dg, DIAG_POLICY, "refused by policy: %s%s",
	    plan->violations[0].rule, plan->nviolations > 1 ? " and more" : "");
	return diag_add_detail(dg, lines.buf, lines.len);
}
