/* SPDX-License-Identifier: MIT */
/*
 * logs: prints the output of a session's containers and the log of its proxy,
 * escaped.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/sessions.h"
#include "engine/container.h"
#include "session/egress.h"

#define LINES "1000"

/*
 * Prints text, which an agent can write, with every line escaped for the
 * terminal.
 */
static void
print_lines(const char *head, const struct strbuf *text)
{
	const char *at = text->buf;
	const char *end = text->buf + text->len;

	if (at != end)
		(void)printf("== %s\n", head);
	while (at < end) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);

		strbuf_add_escaped(&line, at, len);
		(void)printf("%s\n", line.buf);
		at += len + (stop != NULL ? 1 : 0);
	}
}

/*
 * Prints the proxy's log.  It is absent in a session without a proxy, and
 * before the first request.
 */
static void
print_proxy(struct context *ctx, const char *id)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (session_open(ctx->paths, id, &session, &dg) != 0 ||
	    session_open_mount(&session, MOUNT_PROXY_LOG, &fd, &dg) != 0 ||
	    egress_read_requests(fd, &text, &dg) != 0) {
		if (dg.errnum == ENOENT)
			return;
		diag_warn("the proxy's log is left out: %s", dg.message);
		ctx->status = 1;
		return;
	}
	print_lines("proxy", &text);
}

static int
print_container(const struct engine *engine, const char *name,
    const char *container, struct diag *dg)
{
	cleanup_free char *out = xasprintf("%s, stdout", name);
	cleanup_free char *err = xasprintf("%s, stderr", name);
	cleanup_strbuf struct strbuf said = STRBUF_INIT;
	cleanup_strbuf struct strbuf complained = STRBUF_INIT;

	if (container_ask_log(
		engine, container, LINES, &said, &complained, dg) != 0)
		return -1;
	print_lines(out, &said);
	print_lines(err, &complained);
	return 0;
}

static int
logs_run(struct context *ctx, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	const struct container *agent;
	const struct record *record = &look.record;
	char id[SESSION_ID_SIZE];
	int status;

	if (ctx->argc > 1)
		return diag_set(dg, DIAG_USAGE, "logs takes one session");
	if (sessions_choose(ctx, ctx->argv[0], SESSIONS_OF_ANY, id, dg) != 0)
		return dg->errnum == ENOENT && ctx->argc > 0
		    ? sessions_show_ended(ctx, ctx->argv[0], &status, dg)
		    : -1;
	print_proxy(ctx, id);
	if (sessions_look(ctx, id, &session, &look, &agent, dg) != 0)
		return -1;
	if (session_runs(look.state) && session_proxy_gave_up(&look.facts))
		diag_warn("the proxy of session %s has ended and it cannot "
			  "reach any host: \"drydock attach %s\" starts the "
			  "proxy again",
		    id, id);
	for (size_t i = 0; i < record->ncontainers; i++) {
		const char *role = record->containers[i].role;
		const struct container *c =
		    session_container(&look.facts, role);

		if (c != NULL && c != agent && strcmp(role, "egress") != 0 &&
		    print_container(ctx->engine, role, c->id, dg) != 0)
			return -1;
	}
	return print_container(ctx->engine, "container", agent->id, dg);
}

const struct cmd cmd_logs = {
	.name = "logs",
	.args = "[SESSION|DIR]",
	.summary = "show what a session's proxy and holder wrote",
	.description =
	    "Prints the proxy's log, then the last " LINES
	    " lines that SESSION's container, and each extra service, wrote "
	    "outside its terminal, escaped. attach shows the terminal. For an "
	    "ended session that is named by its id, logs prints the last "
	    "screen and the outcome.",
	.needs = CMD_NEED_SETTINGS,
	.run = logs_run,
};
