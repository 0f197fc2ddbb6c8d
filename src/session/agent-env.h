/* SPDX-License-Identifier: MIT */
/*
 * agent-env: the environment of the agent's process, as the go message hands it
 * over: it stands neither in the plan nor in the container's configuration.
 */
#ifndef DRYDOCK_AGENT_ENV_H
#define DRYDOCK_AGENT_ENV_H

#include <stdbool.h>

struct agent;
struct paths;
struct settings;
struct strvec;

struct agent_env_spec {
	const struct paths *paths;
	const struct settings *settings;
	const struct agent *agent;
	const char *const *environ_; /* the caller's */
	const char *const *image_env; /* NAME=VALUE; brings PATH */
	const char *const *plan_env; /* NAME=VALUE; has the last word */
	bool tty; /* TERM and COLORTERM go along */
	bool secrets; /* the agent's, when they are set */
	const char *token; /* the kept one, or NULL; one of the caller's wins */
};

/* Whether the caller's environment has one of the agent's secrets. */
bool agent_env_has_secret(const struct agent_env_spec *spec);

/*
 * TERM or COLORTERM of the caller's, borrowed, if it is a plain word that leads
 * nowhere as a file's name; or NULL.
 */
const char *agent_env_terminal(const char *const *environ_, const char *name);

/* Appends it to env; every name once. */
void agent_env_build(const struct agent_env_spec *spec, struct strvec *env);

#endif /* DRYDOCK_AGENT_ENV_H */
