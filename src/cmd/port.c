/* SPDX-License-Identifier: MIT */
/* port: makes servers of a session reachable on the host's loopback. */
#include <stdio.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cmd/sessions.h"
#include "session/forward.h"

struct port_options {
	bool json;
	const char *remove;
};

static int
print_list(
    const struct join_spec *spec, const char *id, bool json, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct portlist list;
	bool companion;

	if (forward_list(spec, id, &list, &companion, dg) != 0)
		return -1;
	if (json) {
		struct jsonw *w = jsonw_new(true);

		portlist_add_json(&list, companion, w);
		return jsonw_print(w, dg);
	}
	for (size_t i = 0; i < list.nr; i++) {
		port_describe(&list.v[i], companion, &out);
		strbuf_addch(&out, '\n');
	}
	(void)fputs(out.buf, stdout);
	return 0;
}

static int
parse(int n, char **words, struct portlist *ret, struct diag *dg)
{
	ret->nr = 0;
	if (n > PORTLIST_MAX)
		return diag_set(
		    dg, DIAG_USAGE, "port: more than %d ports", PORTLIST_MAX);
	for (int i = 0; i < n; i++)
		if (port_parse(words[i], &ret->v[ret->nr++], dg) != 0)
			return -1;
	return 0;
}

static int
add(const struct join_spec *spec, const char *id, struct portlist *ports,
    struct diag *dg)
{
	for (size_t i = 0; i < ports->nr; i++) {
		if (forward_add(spec, id, &ports->v[i], dg) != 0)
			return -1;
		(void)printf("127.0.0.1:%u\n", ports->v[i].outer);
	}
	return 0;
}

static int
port_run(struct context *ctx, struct diag *dg)
{
	const struct port_options *o = ctx->options;
	const struct join_spec spec = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	char id[SESSION_ID_SIZE];
	struct portlist ports;
	struct port taken;

	if (o->remove != NULL && (ctx->argc > 1 || o->json))
		return diag_set(dg, DIAG_USAGE,
		    "port: --remove takes one port and a session");
	if (o->json && ctx->argc > 1)
		return diag_set(dg, DIAG_USAGE,
		    "port: --json prints the list and accepts no PORT");
	if ((o->remove != NULL && port_parse(o->remove, &taken, dg) != 0) ||
	    parse(ctx->argc > 1 ? ctx->argc - 1 : 0, ctx->argv + 1, &ports,
		dg) != 0)
		return -1;
	if (sessions_choose(ctx, ctx->argv[0], SESSIONS_OF_ANY, id, dg) != 0)
		return -1;
	if (o->remove != NULL)
		return forward_remove(&spec, id, taken.inner, dg);
	if (ports.nr > 0)
		return add(&spec, id, &ports, dg);
	return print_list(&spec, id, o->json, dg);
}

static const struct optdef port_optdefs[] = {
	{ "remove", 'r', OPT_STRING, offsetof(struct port_options, remove),
	    "PORT", "stop serving a port, and close its connections" },
	{ "json", 'j', OPT_FLAG, offsetof(struct port_options, json), NULL,
	    "print the list as JSON" },
	{ .name = NULL },
};

const struct cmd cmd_port = {
	.name = "port",
	.args = "[SESSION|DIR] [PORT[:HOSTPORT]...]",
	.summary = "reach a server of a session on the host's 127.0.0.1",
	.description =
	    "Makes a server that listens on PORT of the session's loopback "
	    "reachable on the host, at 127.0.0.1:HOSTPORT and at no other "
	    "address, and prints that address. HOSTPORT is PORT by default; 0 "
	    "lets the kernel choose. The container gets no network by this. "
	    "The port stays until --remove, or until the session ends, "
	    "whoever is attached. Without PORT, the ports of the session are "
	    "listed. Every user of the host can connect to 127.0.0.1.",
	.needs = CMD_NEED_SETTINGS,
	.options = port_optdefs,
	.options_size = sizeof(struct port_options),
	.run = port_run,
};
