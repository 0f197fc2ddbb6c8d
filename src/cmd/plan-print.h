/* SPDX-License-Identifier: MIT */
/*
 * plan-print: prints a judged plan and the table of rules, as text and as JSON.
 * The output is safe for a terminal.
 */
#ifndef DRYDOCK_CMD_PLAN_PRINT_H
#define DRYDOCK_CMD_PLAN_PRINT_H

#include <stdbool.h>

struct assembly;
struct diag;
struct plan;
struct policy;
struct project;
struct strbuf;

int plan_print_text(const struct project *project,
    const struct assembly *assembly, const struct plan *plan,
    struct strbuf *out, struct diag *dg);

/*
 * Appends {"project": {"path", "key"}, "overlays": [{"name", "why"}], "model",
 * "violations", "verdict"}.
 */
int plan_print_json(const struct project *project,
    const struct assembly *assembly, const struct plan *plan,
    struct strbuf *out, struct diag *dg);

/* Appends "RULE  TEXT" lines, or the policy's own JSON. */
int plan_print_rules(
    struct policy *policy, bool json, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_CMD_PLAN_PRINT_H */
