/* SPDX-License-Identifier: MIT */
/* prove: tests what a running session promises. */
#include "session/prove.h"

#include <stddef.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cmd/sessions.h"

struct prove_options {
	bool json;
};

static void
print_attempt(const struct attempt *a, struct strbuf *out)
{
	strbuf_addf(out, "         %s, %s: %s", a->call, a->target, a->answer);
	if (a->verdict != VERDICT_HELD)
		strbuf_addf(out, " (%s)", verdict_name(a->verdict));
	strbuf_addch(out, '\n');
}

static void
print_text(const struct proof *proof)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (unsigned i = 0; i < PROMISES; i++) {
		enum promise_id id = (enum promise_id)i;

		strbuf_addf(&out, "%-8s %s: %s\n",
		    verdict_name(proof_verdict(proof, id)), promises[i].name,
		    promises[i].words);
		for (size_t n = 0; n < proof->nr; n++)
			if (proof->v[n].promise == id)
				print_attempt(&proof->v[n], &out);
	}
	(void)fputs(out.buf, stdout);
}

static void
write_attempt(const struct attempt *a, struct jsonw *w)
{
	jsonw_open_object(w);
	jsonw_key_str(w, "call", a->call);
	jsonw_key_str(w, "target", a->target);
	jsonw_key_str(w, "answer", a->answer);
	jsonw_key_str(w, "verdict", verdict_name(a->verdict));
	jsonw_close_object(w);
}

static int
print_json(const struct proof *proof, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_array(w);
	for (unsigned i = 0; i < PROMISES; i++) {
		enum promise_id id = (enum promise_id)i;

		jsonw_open_object(w);
		jsonw_key_str(w, "promise", promises[i].name);
		jsonw_key_str(w, "words", promises[i].words);
		jsonw_key_str(
		    w, "verdict", verdict_name(proof_verdict(proof, id)));
		jsonw_key_array(w, "attempts");
		for (size_t n = 0; n < proof->nr; n++)
			if (proof->v[n].promise == id)
				write_attempt(&proof->v[n], w);
		jsonw_close_array(w);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	return jsonw_print(w, dg);
}

/* Fails, and names the promises that were not held. */
static int
check_all_held(const struct proof *proof, const char *id, struct diag *dg)
{
	cleanup_strbuf struct strbuf names = STRBUF_INIT;

	for (unsigned i = 0; i < PROMISES; i++)
		if (proof_verdict(proof, (enum promise_id)i) != VERDICT_HELD)
			strbuf_addf(&names, " %s", promises[i].name);
	if (names.len == 0)
		return 0;
	return diag_set(dg, DIAG_POLICY,
	    "session %s: promises that are broken or unknown:%s", id,
	    names.buf);
}

static int
prove_run(struct context *ctx, struct diag *dg)
{
	const struct prove_options *o = ctx->options;
	const struct join_spec spec = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	cleanup_proof struct proof proof = PROOF_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;
	const struct container *agent;
	char id[SESSION_ID_SIZE];

	if (ctx->argc > 1 || ctx->dashdash < ctx->argc)
		return diag_set(dg, DIAG_USAGE, "prove takes one session");
	if (sessions_choose(ctx, ctx->argv[0], SESSIONS_OF_ANY, id, dg) != 0 ||
	    sessions_look(ctx, id, &session, &look, &agent, dg) != 0 ||
	    sessions_find_compose(ctx, dg) != 0)
		return -1;
	if (!session_runs(look.state))
		return session_refuse(&look.facts, look.state, dg);
	if (prove_session(&spec, id, &look, &proof, &failure) != 0) {
		if (proof.nr == 0)
			return diag_move(dg, &failure);
		diag_warn("not everything was tested: %s", failure.message);
	}
	if (o->json) {
		if (print_json(&proof, dg) != 0)
			return -1;
	} else {
		print_text(&proof);
	}
	return check_all_held(&proof, id, dg);
}

static const struct optdef prove_optdefs[] = {
	{ "json", 'j', OPT_FLAG, offsetof(struct prove_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_prove = {
	.name = "prove",
	.args = "[SESSION|DIR]",
	.summary = "test what a running session promises",
	.description =
	    "Compares SESSION's processes, mounts and limits with its sealed "
	    "plan, and attacks from inside of a fresh container of the same "
	    "plan, in which empty directories stand in place of the project "
	    "and the home. Prints for each promise what was tried, the answer, "
	    "and held, BROKEN or unknown. The status is 0 when every promise "
	    "was held, else 77.",
	.needs = CMD_NEED_SETTINGS,
	.options = prove_optdefs,
	.options_size = sizeof(struct prove_options),
	.run = prove_run,
};
