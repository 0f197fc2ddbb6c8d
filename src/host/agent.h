/* SPDX-License-Identifier: MIT */
/*
 * agent: what drydock knows of one AI agent, read from agents/NAME.json.
 *
 * The file (host/catalog.h) is a JSON object; a key that is not listed here is
 * refused.
 *
 *	npm		list: npm packages that bring it, each with its exact
 *			version; without any, the base image or the setting
 *			packages bring it
 *	command		list: the program and its fixed arguments; required
 *	resume_args	list: arguments that continue a conversation
 *	env		object of strings; ${HOME} is the session's home
 *	hosts		list of allowlist lines (host/allowlist.h)
 *	secrets		list: variables of the caller that are handed over
 *	reserved_env	list: variables that neither overlays nor pass_env may
 *			set, as patterns (host/reserved.h)
 *	history_link	path below the home that leads to the conversations
 *	sync		what of the host's configuration a session gets, see
 *			host/agent-sync.h
 *	token		object: "variable" that hands the kept token over,
 *			"advice", the command that makes one, and optionally
 *			"prefix", what each token starts with
 *	guardrails	object: "dir", a directory below /etc that the agent
 *			reads its managed settings from, and "files", an object
 *			of paths below it; each is text, or JSON that is written
 *			as such
 */
#ifndef DRYDOCK_AGENT_H
#define DRYDOCK_AGENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "host/agent-sync.h"

struct diag;
struct paths;

/* A file that nobody in a session can change. */
struct agent_guardrail {
	char *path; /* owned; below the directory */
	struct strbuf data;
};

struct agent_guardrails {
	char *dir; /* owned; NULL: the agent has none */
	struct agent_guardrail *v; /* owned; at least one, unless dir is NULL */
	size_t nr;
};

struct agent {
	char *name;
	char *replacement; /* the user's file, when it replaces a shipped one */
	struct strvec npm; /* NAME@VERSION */
	struct strvec command; /* program and fixed arguments */
	struct strvec resume_args;
	struct strvec env; /* NAME=VALUE; ${HOME} is the session's home */
	struct strvec hosts; /* allowlist lines that it needs */
	struct strvec secrets; /* names of variables, passed when set */
	struct strvec reserved_env; /* patterns */
	char *history_link; /* path in the home that leads to the history,
			     * ".claude/projects"; NULL: none */
	struct agent_sync sync;
	char *token_variable; /* NULL: this agent takes no token */
	char *token_advice; /* NULL: none */
	char *token_prefix; /* NULL: not known */
	struct agent_guardrails guardrails;
	char digest[DIGEST_HEX_SIZE]; /* of the file that was read */
};

/*
 * A name that is none, or is without a file, is DIAG_USAGE and lists the agents
 * there are; a bad file is DIAG_CONFIG.  ret_agent is AGENT_INIT before.
 */
int agent_load(struct agent *ret_agent, const char *name,
    const struct paths *paths, struct diag *dg);
/* label: the file, for messages. */
int agent_parse(struct agent *ret_agent, const char *name, const char *label,
    const char *text, size_t len, struct diag *dg);
void agent_release(struct agent *agent);

#define cleanup_agent __attribute__((cleanup(agent_release)))
#define AGENT_INIT                                                   \
	{                                                            \
		.npm = STRVEC_INIT, .command = STRVEC_INIT,          \
		.resume_args = STRVEC_INIT, .env = STRVEC_INIT,      \
		.hosts = STRVEC_INIT, .secrets = STRVEC_INIT,        \
		.reserved_env = STRVEC_INIT, .sync = AGENT_SYNC_INIT \
	}

#endif /* DRYDOCK_AGENT_H */
