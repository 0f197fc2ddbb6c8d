/* SPDX-License-Identifier: MIT */
/*
 * agent-env: the environment of the agent's process.
 *
 * The go message carries this environment.  Neither the plan nor the
 * container's configuration contains it.
 */
#ifndef DRYDOCK_AGENT_ENV_H
#define DRYDOCK_AGENT_ENV_H

#include <stdbool.h>

struct agent;
struct paths;
struct settings;
struct strbuf;
struct strvec;
struct toolchains;

struct agent_env_spec {
	const struct paths *paths;
	const struct settings *settings;
	const struct agent *agent;
	const char *const *environ_; /* the caller's environment */
	const char *const *image_env; /* NAME=VALUE; sets PATH */
	const char *const *plan_env; /* NAME=VALUE; overrides all others */
	bool tty; /* pass TERM and COLORTERM */
	bool ssh_agent; /* the session has an ssh agent (session/sshagent.h) */
	bool git_signs; /* git signs by that agent, see ~/.gitconfig */
	/* toolchains whose caches are in the slot; NULL: no slot */
	const struct toolchains *caches;
	bool secrets; /* pass the agent's secrets that the caller has */
	/* the stored token, or NULL; the caller's overrides it */
	const char *token;
};

/*
 * Reads the agent's stored token into token, to which spec->token then points.
 * A token that cannot be read is a warning.  Prints a note if neither the store
 * nor the caller's environment has one.  Without spec->secrets does nothing.
 */
void agent_env_read_token(struct agent_env_spec *spec, struct strbuf *token);

/*
 * Returns the caller's TERM or COLORTERM, borrowed.  Returns NULL if the
 * variable is unset or if its value is not safe as a file name (letters, digits
 * and "._+-", no leading dot, at most 64 bytes).
 */
const char *agent_env_terminal(const char *const *environ_, const char *name);

/* Appends the environment to env.  Each name appears once. */
void agent_env_build(const struct agent_env_spec *spec, struct strvec *env);

#endif /* DRYDOCK_AGENT_ENV_H */
