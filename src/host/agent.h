/* SPDX-License-Identifier: MIT */
/*
 * agent: the description of one AI agent, read from agents/NAME.json.
 *
 * The file (host/catalog.h) is a JSON object.  An unknown key is an error.
 *
 *	npm		list: npm packages to install, each with its exact
 *			version; if empty, the base image or the packages
 *			setting provides the agent
 *	command		list: the program and its fixed arguments; required
 *	resume_args	list: arguments that continue a conversation
 *	env		object of strings; ${HOME} is the session's home
 *	hosts		list of allowlist lines (host/allowlist.h)
 *	secrets		list: variables of the caller that are passed on
 *	reserved_env	list: variables that neither overlays nor pass_env may
 *			set, as patterns (host/reserved.h)
 *	history_link	path below the home of the symlink to the
 *			conversations
 *	sync		the part of the host's configuration that a session
 *			gets (host/agent-sync.h)
 *	token		object: "variable" that carries the stored token;
 *			"advice", the command that creates a token; optional
 *			"prefix", the fixed start of each token; optional
 *			"document", a path below the home, and "defaults", an
 *			object: if a session gets a token, members that are
 *			added to that JSON file unless it has them already
 *	limits		list of text: actions that the guardrails cannot refuse,
 *			because the agent has no managed setting for them
 *	guardrails	object: "dir", a directory below /etc from which the
 *			agent reads its managed settings, and "files", an
 *			object of paths below that directory; each value is
 *			text, or an object that is written as JSON; in text,
 *			${NETWORK_TEXT} is what drydock tells an agent about
 *			the network of a contained session
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
struct settings;

#define AGENT_LATEST "latest"

/* A file that no process in a session can change. */
struct agent_guardrail {
	char *path; /* owned; below the directory */
	struct strbuf data;
};

struct agent_guardrails {
	char *dir; /* owned; NULL: the agent has none */
	struct agent_guardrail *v; /* owned; not empty unless dir is NULL */
	size_t nr;
};

struct agent {
	char *name;
	bool is_default; /* agents/default names it */
	/* owned; the user's file if it replaces a shipped one, else NULL */
	char *replacement;
	struct strvec npm; /* NAME@VERSION */
	char *version; /* what agent_version requests; NULL: the file's */
	struct strvec command; /* program and fixed arguments */
	struct strvec resume_args;
	struct strvec env; /* NAME=VALUE; ${HOME} is the session's home */
	struct strvec hosts; /* allowlist lines */
	struct strvec secrets; /* names of variables; passed when set */
	struct strvec reserved_env; /* patterns */
	/*
	 * path below the home of the symlink to the conversations,
	 * ".tool/history"; NULL: none
	 */
	char *history_link;
	struct agent_sync sync;
	char *token_variable; /* NULL: this agent takes no token */
	char *token_advice; /* NULL: none */
	char *token_prefix; /* NULL: not specified */
	char *token_document; /* path below the home; NULL: none */
	struct strbuf token_defaults; /* JSON object for token_document */
	struct strvec limits; /* of the guardrails */
	struct agent_guardrails guardrails;
	char digest[DIGEST_HEX_SIZE]; /* of the file that was read */
};

/*
 * Loads the agent of that name; "" is the one that the installed file
 * agents/default names.  ret_agent is AGENT_INIT before.  An invalid or unknown
 * name is DIAG_USAGE, and the message lists the known agents.  A bad file is
 * DIAG_CONFIG.
 */
int agent_load(struct agent *ret_agent, const char *name,
    const struct paths *paths, struct diag *dg);
/*
 * Parses the text of a file.  label is the file's name in messages.  ret_agent
 * is AGENT_INIT before.
 */
int agent_parse(struct agent *ret_agent, const char *name, const char *label,
    const char *text, size_t len, struct diag *dg);
void agent_release(struct agent *agent);

/*
 * Loads the agent that the settings select, with the version that they request
 * for its first npm package.  A version for an agent without a package is
 * DIAG_CONFIG.
 */
int agent_choose(struct agent *ret_agent, const struct settings *settings,
    const struct paths *paths, struct diag *dg);

/* Returns true for one version such as 1.2.3, of at most 64 bytes. */
bool agent_is_exact_version(const char *word);

/*
 * Checks a word of the setting agent_version: VERSION, or NAME@VERSION for one
 * agent.  VERSION is exact, or AGENT_LATEST.  Returns NULL when it is valid,
 * else static text that describes the error.
 */
const char *agent_check_version(const char *word);

/*
 * Returned: the name of the agent's first npm package, or NULL; and its version
 * or AGENT_LATEST.
 */
char *agent_package(const struct agent *agent);
const char *agent_package_version(const struct agent *agent);

/*
 * Returned: the command line to type for this agent, "drydock WORDS", with
 * --agent unless it is the default.
 */
char *agent_command_line(const struct agent *agent, const char *words);

#define cleanup_agent __attribute__((cleanup(agent_release)))
#define AGENT_INIT                                                     \
	{                                                              \
		.npm = STRVEC_INIT, .command = STRVEC_INIT,            \
		.resume_args = STRVEC_INIT, .env = STRVEC_INIT,        \
		.hosts = STRVEC_INIT, .secrets = STRVEC_INIT,          \
		.reserved_env = STRVEC_INIT, .limits = STRVEC_INIT,    \
		.token_defaults = STRBUF_INIT, .sync = AGENT_SYNC_INIT \
	}

#endif /* DRYDOCK_AGENT_H */
