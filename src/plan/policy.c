/* SPDX-License-Identifier: MIT */
/* policy: compiles and runs policy.jq and the programs in policy.d. */
#include "plan/policy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/jqprog.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/text.h"
#include "host/trusted.h"
#include "plan/plan.h"

#define MAX_PROGRAM (256UL * 1024)
/* Each program costs one compilation; thousands of files are a mistake. */
#define MAX_USER_PROGRAMS 64

struct program {
	struct jqprog *prog; /* owned */
	char *name; /* owned */
};

struct policy {
	struct program *v; /* owned; v[0] is drydock's */
	size_t nr;
};

/* The class depends on the owner of the program: drydock or the user. */
static enum diag_class
class_of(size_t i)
{
	return i == 0 ? DIAG_POLICY : DIAG_CONFIG;
}

static int
add_program(struct policy *policy, const char *name, const struct strbuf *text,
    struct diag *dg)
{
	struct jqprog *prog = NULL;

	/* The compiler would stop at the NUL byte and ignore the rest. */
	if (memchr(text->buf, '\0', text->len) != NULL)
		return diag_set(dg, class_of(policy->nr),
		    "%s: a NUL byte in a jq program", name);
	if (jqprog_compile(name, text->buf, &prog, dg) != 0) {
		dg->class = class_of(policy->nr);
		return -1;
	}
	policy->v =
	    xreallocarray(policy->v, policy->nr + 1, sizeof(*policy->v));
	policy->v[policy->nr++] = (struct program){ prog, xstrdup(name) };
	return 0;
}

static int
add_own(struct policy *policy, const struct paths *paths, enum policy_use use,
    struct diag *dg)
{
	static const char *const entries[] = {
		[POLICY_OWN] = "judge_own",
		[POLICY_ALL] = "judge",
		[POLICY_AGAIN] = "judge_again",
		[POLICY_RULES] = "table",
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (trusted_read_data(paths, "policy.jq", MAX_PROGRAM, &text, dg) != 0)
		return diag_reclass(dg, DIAG_POLICY);
	strbuf_addstr(&text, entries[use]);
	return add_program(policy, "policy.jq", &text, dg);
}

/* Adds the programs in policy.d; none if there is no such directory. */
static int
add_user_programs(
    struct policy *policy, const struct paths *paths, struct diag *dg)
{
	cleanup_free char *path = xasprintf("%s/policy.d", paths->config_dir);
	cleanup_strvec struct strvec entries = STRVEC_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int dir = -1;

	/*
	 * The directory must be trusted: write permission on it allows removal
	 * of a program, and so of a rule.
	 */
	if (paths_open_config(paths, "policy.d", TRUSTED_DIRECTORY, &dir, dg) !=
	    0)
		return -1;
	if (dir == -1)
		return 0;
	if (fs_list_names(dir, path, &entries, dg) != 0)
		return diag_reclass(dg, DIAG_CONFIG);
	for (size_t i = 0; i < entries.nr; i++)
		if (entries.v[i][0] != '.' &&
		    text_ends_with(entries.v[i], ".jq"))
			strvec_pushf(&names, "policy.d/%s", entries.v[i]);
	if (names.nr > MAX_USER_PROGRAMS)
		return diag_set(dg, DIAG_CONFIG, "%s: more than %d programs",
		    path, MAX_USER_PROGRAMS);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_close int fd = -1;

		if (paths_open_config(paths, names.v[i], 0, &fd, dg) != 0)
			return -1;
		if (fd == -1)
			return diag_set(
			    dg, DIAG_CONFIG, "%s leads nowhere", names.v[i]);
		if (trusted_read(fd, names.v[i], MAX_PROGRAM, &text, dg) != 0 ||
		    add_program(policy, names.v[i], &text, dg) != 0)
			return -1;
	}
	return 0;
}

int
policy_load(const struct paths *paths, enum policy_use use,
    struct policy **ret_policy, struct diag *dg)
{
	cleanup_policy struct policy *policy = xcalloc(1, sizeof(*policy));

	if (add_own(policy, paths, use, dg) != 0 ||
	    add_user_programs(policy, paths, dg) != 0)
		return -1;
	*ret_policy = steal_ptr(&policy);
	return 0;
}

void
policy_freep(struct policy **policy)
{
	struct policy *p = steal_ptr(policy);

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nr; i++) {
		jqprog_free(p->v[i].prog);
		free(p->v[i].name);
	}
	free(p->v);
	free(p);
}

/*
 * Returns the name of the user overlay that caused a violation, or "".  This is
 * the last overlay whose text contains the violation's word.  If a value was
 * removed, no overlay contains the word.  Then this is the overlay with
 * !override or !reset, if there is exactly one.
 */
static const char *
find_overlay(const struct assembly *assembly, const struct json *n)
{
	const char *word = json_string_or(json_get(n, "word"), "");
	const char *taking = "";
	size_t count = 0;

	for (size_t i = assembly->nr; i-- > 0 && word[0] != '\0';) {
		const struct overlay *o = &assembly->v[i];

		if (o->tree.len == 0)
			continue;
		if (strstr(o->text.buf, word) != NULL)
			return o->name;
		if (strstr(o->text.buf, "!override") == NULL &&
		    strstr(o->text.buf, "!reset") == NULL)
			continue;
		taking = o->name;
		count++;
	}
	return count == 1 && json_bool(json_get(n, "changed"), false) ? taking
								      : "";
}

static bool
are_same(const struct json *a, const struct json *b, const char *key)
{
	return strcmp(json_string_or(json_get(a, key), ""),
		   json_string_or(json_get(b, key), "")) == 0;
}

/*
 * Returns true if an earlier violation has the same rule, service and word.  If
 * the word is empty, the texts are compared instead.
 */
static bool
is_repeated(const struct json *answer, size_t i)
{
	const struct json *n = json_at(answer, i);
	const char *word = json_string(json_get(n, "word"));

	for (size_t k = 0; word != NULL && k < i; k++) {
		const struct json *m = json_at(answer, k);

		if (are_same(m, n, "rule") && are_same(m, n, "service") &&
		    (word[0] == '\0' ? are_same(m, n, "what")
				     : are_same(m, n, "word")))
			return true;
	}
	return false;
}

static int
add_violation(
    const struct json *n, const struct assembly *assembly, struct plan *plan)
{
	const char *rule = json_string(json_get(n, "rule"));
	const char *what = json_string(json_get(n, "what"));
	struct violation *v;

	if (rule == NULL || what == NULL)
		return -1;
	plan->violations = xreallocarray(
	    plan->violations, plan->nviolations + 1, sizeof(*plan->violations));
	v = &plan->violations[plan->nviolations++];
	v->rule = xstrdup(rule);
	v->what = xstrdup(what);
	v->service = xstrdup(json_string_or(json_get(n, "service"), ""));
	v->overlay = xstrdup(
	    json_string_or(json_get(n, "overlay"), find_overlay(assembly, n)));
	return 0;
}

static int
run_program(const struct program *program, enum diag_class class,
    const struct assembly *assembly, const struct strbuf *input,
    struct plan *plan, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *answer = NULL;

	if (jqprog_run(program->prog, input->buf, input->len, &out, dg) != 0 ||
	    json_parse(out.buf, out.len, program->name, &answer, dg) != 0) {
		dg->class = class;
		return -1;
	}
	if (!json_is_array(answer))
		return diag_set(dg, class,
		    "%s: its answer is not an array of violations",
		    program->name);
	for (size_t n = 0; n < json_len(answer); n++)
		if (!is_repeated(answer, n) &&
		    add_violation(json_at(answer, n), assembly, plan) != 0)
			return diag_set(dg, class,
			    "%s: a violation needs the strings rule and what",
			    program->name);
	return 0;
}

int
policy_run(struct policy *policy, const struct assembly *assembly,
    const struct strbuf *input, struct plan *plan, struct diag *dg)
{
	for (size_t i = 0; i < policy->nr; i++)
		if (run_program(&policy->v[i], class_of(i), assembly, input,
			plan, dg) != 0)
			return -1;
	return 0;
}

int
policy_run_raw(struct policy *policy, const struct assembly *assembly,
    const struct strbuf *input, struct plan *plan, struct diag *dg)
{
	return run_program(
	    &policy->v[0], class_of(0), assembly, input, plan, dg);
}

int
policy_rules(struct policy *policy, struct strbuf *out, struct diag *dg)
{
	return jqprog_run(policy->v[0].prog, "{}", 2, out, dg);
}
