/* SPDX-License-Identifier: MIT */
/* plan-print: the output of `drydock plan`. */
#include "cmd/plan-print.h"

#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "host/project.h"
#include "plan/extra-service.h"
#include "plan/plan.h"
#include "plan/policy.h"

static const char *
verdict(const struct plan *plan)
{
	return plan->nviolations == 0 ? "allowed" : "refused";
}

/* JSON permits DEL and C1 controls unescaped; a terminal interprets them. */
static void
add_terminal_safe(struct strbuf *out, const char *json)
{
	for (const unsigned char *p = (const unsigned char *)json; *p != 0;
	     p++) {
		if (*p == 0x7f) {
			strbuf_addstr(out, "\\u007f");
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			p++;
			strbuf_addf(out, "\\u%04x", *p);
		} else {
			strbuf_addch(out, (char)*p);
		}
	}
}

/*
 * plan->tree is NULL when an overlay was refused before the merge; the model is
 * then {}.
 */
static void
write_model(struct jsonw *w, const struct plan *plan)
{
	if (plan->tree != NULL) {
		jsonw_node(w, plan->tree);
		return;
	}
	jsonw_open_object(w);
	jsonw_close_object(w);
}

static void
write_violations(struct jsonw *w, const struct plan *plan)
{
	jsonw_key_array(w, "violations");
	for (size_t i = 0; i < plan->nviolations; i++) {
		const struct violation *v = &plan->violations[i];

		jsonw_open_object(w);
		jsonw_key_str(w, "rule", v->rule);
		jsonw_key_str(w, "service", v->service);
		jsonw_key_str(w, "what", v->what);
		jsonw_key_str(w, "overlay", v->overlay);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key_str(w, "verdict", verdict(plan));
}

int
plan_print_json(const struct project *project, const struct assembly *assembly,
    const struct plan *plan, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_object(w, "project");
	jsonw_key_str(w, "path", project->path);
	jsonw_key_str(w, "key", project->key);
	jsonw_close_object(w);
	jsonw_key_array(w, "overlays");
	for (size_t i = 0; i < assembly->nr; i++) {
		jsonw_open_object(w);
		jsonw_key_str(w, "name", assembly->v[i].name);
		jsonw_key_str(w, "why", assembly->v[i].why);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key(w, "model");
	write_model(w, plan);
	write_violations(w, plan);
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, dg) != 0)
		return -1;
	add_terminal_safe(out, text.buf);
	return 0;
}

static int
add_model(const struct plan *plan, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *w = jsonw_new(true);

	write_model(w, plan);
	if (jsonw_finish(w, &text, dg) != 0)
		return -1;
	add_terminal_safe(out, text.buf);
	return 0;
}

/* Lists VOLUMEs that images declare and no overlay mounts. */
static void
add_volumes(const struct assembly *assembly, struct strbuf *out)
{
	for (size_t i = 0; i < assembly->nextra_services; i++) {
		const struct extra_service *extra =
		    &assembly->extra_services[i];

		for (size_t n = 0; n < extra->tmpfs.nr; n++) {
			strbuf_addf(out,
			    "service %s: its image declares a VOLUME, which "
			    "is memory and is empty after each start: ",
			    extra->name);
			strbuf_add_escaped(
			    out, extra->tmpfs.v[n], strlen(extra->tmpfs.v[n]));
			strbuf_addch(out, '\n');
		}
	}
}

int
plan_print_text(const struct project *project, const struct assembly *assembly,
    const struct plan *plan, struct strbuf *out, struct diag *dg)
{
	strbuf_addstr(out, "overlays:\n");
	for (size_t i = 0; i < assembly->nr; i++) {
		const struct overlay *o = &assembly->v[i];

		strbuf_addstr(out, "  ");
		strbuf_add_escaped(out, o->name, strlen(o->name));
		strbuf_addf(out, "%*s",
		    o->name[0] == '\0' || strlen(o->name) >= 12
			? 1
			: (int)(12 - strlen(o->name)),
		    "");
		strbuf_add_escaped(out, o->why, strlen(o->why));
		strbuf_addch(out, '\n');
	}
	strbuf_addstr(out, "\nproject: ");
	strbuf_add_escaped(out, project->path, strlen(project->path));
	strbuf_addf(out, "\nkey: %s\n", project->key);
	add_volumes(assembly, out);
	strbuf_addstr(out, "\nmodel:\n");
	if (add_model(plan, out, dg) != 0)
		return -1;
	for (size_t i = 0; i < plan->nviolations; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		violation_describe(&plan->violations[i], &line);
		strbuf_addstr(out, i == 0 ? "\nviolations:\n  " : "  ");
		strbuf_add_escaped(out, line.buf, line.len);
		strbuf_addch(out, '\n');
	}
	strbuf_addf(out, "\nverdict: %s\n", verdict(plan));
	return 0;
}

int
plan_print_rules(
    struct policy *policy, bool json, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf table = STRBUF_INIT;
	cleanup_json struct json *rows = NULL;

	if (policy_rules(policy, &table, dg) != 0 ||
	    json_parse(table.buf, table.len, "the table of rules", &rows, dg) !=
		0)
		return -1;
	if (json) {
		strbuf_addstr(out, table.buf);
		strbuf_addch(out, '\n');
		return 0;
	}
	for (size_t i = 0; i < json_len(rows); i++)
		strbuf_addf(out, "%-20s%s\n",
		    json_string_or(json_get(json_at(rows, i), "rule"), ""),
		    json_string_or(json_get(json_at(rows, i), "text"), ""));
	return 0;
}
