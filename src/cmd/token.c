/* SPDX-License-Identifier: MIT */
/*
 * token: stores, reports and removes the agent's long-lived token; never prints
 * it.
 */
#include "host/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "host/agent.h"
#include "host/statedir.h"
#include "terminal/prompt.h"

/* Reads the token from the terminal without echo. */
static int
ask(const struct agent *agent, struct strbuf *text, struct diag *dg)
{
	cleanup_strbuf struct strbuf question = STRBUF_INIT;

	strbuf_addf(&question,
	    "paste the token of %s (from %s), then Enter: ", agent->name,
	    agent->token_advice);
	return prompt_secret(question.buf, TOKEN_MAX + 2, text, dg);
}

/*
 * Reserves the whole buffer first: a reallocation would leave a copy of the
 * token in freed memory.
 */
static int
read_input(struct strbuf *text, struct diag *dg)
{
	strbuf_reserve(text, TOKEN_MAX + 4);
	while (text->len < TOKEN_MAX + 3) {
		ssize_t n = read(STDIN_FILENO, text->buf + text->len,
		    TOKEN_MAX + 3 - text->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "read standard input");
		if (n == 0)
			break;
		text->len += (size_t)n;
		text->buf[text->len] = '\0';
	}
	return 0;
}

static int
token_set(struct context *ctx, const struct agent *agent, struct diag *dg)
{
	cleanup_token struct strbuf text = STRBUF_INIT;

	if ((isatty(STDIN_FILENO) ? ask(agent, &text, dg)
				  : read_input(&text, dg)) < 0 ||
	    token_clean(&text, agent->token_prefix, dg) != 0 ||
	    statedir_open(ctx->paths, dg) != 0 ||
	    token_write(ctx->paths, agent->name, &text, dg) != 0)
		return -1;
	(void)printf("%s: token kept, %zu characters\n", agent->name, text.len);
	return 0;
}

static int
token_tell(struct context *ctx, const struct agent *agent, struct diag *dg)
{
	bool there = false;
	time_t since = 0;
	struct tm tm;
	char date[32];
	int state;

	if (statedir_open_readonly(ctx->paths, &state, dg) != 0 ||
	    token_status(ctx->paths, agent->name, &there, &since, dg) != 0)
		return -1;
	if (!there) {
		cleanup_free char *set = agent_command_line(agent, "token set");

		(void)printf("%s: no token: get one with \"%s\", then \"%s\"\n",
		    agent->name, agent->token_advice, set);
		ctx->status = 1;
		return 0;
	}
	if (localtime_r(&since, &tm) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0)
		date[0] = '\0';
	(void)printf("%s: token kept since %s\n", agent->name, date);
	return 0;
}

static int
token_drop(struct context *ctx, const struct agent *agent, struct diag *dg)
{
	bool there = false;

	if (statedir_open(ctx->paths, dg) != 0 ||
	    token_remove(ctx->paths, agent->name, &there, dg) != 0)
		return -1;
	(void)printf("%s: %s\n", agent->name,
	    there ? "token removed" : "there is no token");
	ctx->status = there ? 0 : 1;
	return 0;
}

static int
token_run(struct context *ctx, struct diag *dg)
{
	static const struct {
		const char *name;
		int (*run)(struct context *ctx, const struct agent *agent,
		    struct diag *dg);
	} verbs[] = {
		{ "set", token_set },
		{ "status", token_tell },
		{ "remove", token_drop },
	};
	cleanup_agent struct agent agent = AGENT_INIT;

	if (ctx->argc != 1)
		return diag_set(
		    dg, DIAG_USAGE, "token needs set, status or remove");
	if (agent_load(&agent, ctx->settings->agent, ctx->paths, dg) != 0)
		return -1;
	if (agent.token_variable == NULL)
		return diag_set(dg, DIAG_USAGE,
		    "token: agent %s takes no token", agent.name);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, ctx->argv[0]) == 0)
			return verbs[i].run(ctx, &agent, dg);
	}
	/*
	 * The operand may be the token itself; the message does not contain it.
	 */
	return diag_set(dg, DIAG_USAGE,
	    "token needs set, status or remove; set reads the token from the "
	    "terminal or standard input");
}

static const struct optdef token_optdefs[] = {
	{ "agent", 0, OPT_SETTING, 0, "NAME", "the agent" },
	{ .name = NULL },
};

const struct cmd cmd_token = {
	.name = "token",
	.args = "set|status|remove",
	.summary = "keep the agent's long-lived token",
	.description =
	    "set reads a token from the terminal, without echo, or from standard "
	    "input, and keeps it where only you can read it; sessions of the "
	    "agent get it when they start. Lines that a terminal wrapped it "
	    "into are joined. status prints whether there is one, "
	    "remove deletes it. The token is never shown.",
	.needs = CMD_NEED_SETTINGS,
	.options = token_optdefs,
	.run = token_run,
};
