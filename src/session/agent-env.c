/* SPDX-License-Identifier: MIT */
/* Builds the agent's environment from image, caller, agent and plan. */
#include "session/agent-env.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/token.h"
#include "host/toolchain.h"
#include "session/slot.h"
#include "session/sshagent.h"

enum {
	TERM_MAX = 64,
	ZONE_MAX = 64
};

/* row is NAME=VALUE; anything else is skipped. */
static void
set_row(struct strvec *env, const char *row)
{
	const char *eq = strchr(row, '=');

	if (eq != NULL) {
		cleanup_free char *name = xstrndup(row, (size_t)(eq - row));

		strvec_setenv(env, name, eq + 1);
	}
}

static void
set_all(struct strvec *env, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		set_row(env, *list);
}

const char *
agent_env_terminal(const char *const *environ_, const char *name)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._+-";
	const char *value = envp_get(environ_, name);

	if (value == NULL || value[0] == '\0' || value[0] == '.' ||
	    strlen(value) > TERM_MAX || value[strspn(value, plain)] != '\0')
		return NULL;
	return value;
}

static void
set_terminal(struct strvec *env, const char *const *environ_, const char *name)
{
	const char *value = agent_env_terminal(environ_, name);

	if (value != NULL)
		strvec_setenv(env, name, value);
}

/* Sets TZ to the caller's, or to the zone that localtime(5) links to. */
static void
set_zone(struct strvec *env, const char *const *environ_)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._+-/,<>";
	static const char database[] = "/zoneinfo/";
	const char *zone = envp_get(environ_, "TZ");
	char link[PATH_MAX];
	const char *at;

	if (zone == NULL || zone[0] == '\0') {
		ssize_t n = readlink("/etc/localtime", link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		zone = link;
	}
	at = strstr(zone, database);
	if (at != NULL)
		zone = at + strlen(database);
	if (zone[0] == ':')
		zone++;
	if (zone[0] != '\0' && zone[0] != '/' && strlen(zone) <= ZONE_MAX &&
	    strstr(zone, "..") == NULL && zone[strspn(zone, plain)] == '\0')
		strvec_setenv(env, "TZ", zone);
}

/* No name of a variable has a "$". */
static void
set_agent(struct strvec *env, const struct strvec *agent_env, const char *home)
{
	for (size_t i = 0; i < agent_env->nr; i++) {
		cleanup_strbuf struct strbuf row = STRBUF_INIT;

		strbuf_add_replaced(&row, agent_env->v[i], "${HOME}", home);
		set_row(env, row.buf);
	}
}

/* Package managers without a variable find their cache by a symlink. */
static void
set_caches(struct strvec *env, const struct toolchains *toolchains)
{
	for (size_t i = 0; toolchains != NULL && i < toolchains->nr; i++) {
		const struct toolchain *tc = &toolchains->v[i];

		for (size_t n = 0; n < tc->ncaches; n++) {
			cleanup_free char *dir =
			    xasprintf(SLOT_TARGET "/%s", tc->caches[n].path);

			if (tc->caches[n].variable != NULL)
				strvec_setenv(env, tc->caches[n].variable, dir);
		}
	}
}

static void
pass_named(
    struct strvec *env, const char *const *environ_, const struct strvec *names)
{
	for (size_t i = 0; i < names->nr; i++) {
		const char *value = envp_get(environ_, names->v[i]);

		if (value != NULL)
			strvec_setenv(env, names->v[i], value);
	}
}

/*
 * The signing keys stay on the host, so signing is off, unless an ssh agent
 * signs.  These variables override the repository's configuration
 * (git-config(1)); a .gitconfig would not.
 */
static void
set_git(struct strvec *env, bool signs)
{
	static const char *const all[] = { "commit.gpgSign", "tag.gpgSign",
		"push.gpgSign" };
	const char *const *keys = signs ? all + 2 : all;
	size_t n = signs ? 1 : ARRAY_SIZE(all);

	for (size_t i = 0; i < n; i++) {
		cleanup_free char *key = xasprintf("GIT_CONFIG_KEY_%zu", i);
		cleanup_free char *value = xasprintf("GIT_CONFIG_VALUE_%zu", i);

		strvec_setenv(env, key, keys[i]);
		strvec_setenv(env, value, "false");
	}
	cleanup_free char *count = xasprintf("%zu", n);
	strvec_setenv(env, "GIT_CONFIG_COUNT", count);
}

static bool
has_secret(const struct agent_env_spec *spec)
{
	const struct strvec *names = &spec->agent->secrets;

	for (size_t i = 0; i < names->nr; i++) {
		if (envp_get(spec->environ_, names->v[i]) != NULL)
			return true;
	}
	return false;
}

void
agent_env_read_token(struct agent_env_spec *spec, struct strbuf *token)
{
	const struct agent *agent = spec->agent;
	cleanup_diag struct diag mine = DIAG_INIT;

	if (!spec->secrets || agent->token_variable == NULL)
		return;
	if (token_read(spec->paths, agent->name, token, &mine) != 0)
		diag_warn("%s", mine.message);
	else if (token->len > 0)
		spec->token = token->buf;
	else if (!has_secret(spec)) {
		cleanup_free char *set = agent_command_line(agent, "token set");

		diag_note("%s has no token: get one with \"%s\", then \"%s\"",
		    agent->name, agent->token_advice, set);
	}
}

void
agent_env_build(const struct agent_env_spec *spec, struct strvec *env)
{
	mode_t caller = umask(077);
	cleanup_free char *mask = NULL;

	/* umask(2) returns the mask only when it sets one. */
	(void)umask(caller);
	/* drydock must be able to remove the files: clear the owner's bits. */
	mask = xasprintf("%03o", caller & 077U);
	set_all(env, spec->image_env);
	strvec_setenv(env, "USER", spec->paths->user);
	strvec_setenv(env, "LOGNAME", spec->paths->user);
	strvec_setenv(env, "SHELL", "/bin/bash");
	strvec_setenv(env, "LANG", "C.UTF-8");
	strvec_setenv(env, WIRE_UMASK_VARIABLE, mask);
	if (spec->tty) {
		set_terminal(env, spec->environ_, "TERM");
		set_terminal(env, spec->environ_, "COLORTERM");
	}
	set_zone(env, spec->environ_);
	/* node(1) has the switch since 22.21 and 24. */
	if (envp_get(spec->plan_env, "HTTPS_PROXY") != NULL)
		strvec_setenv(env, "NODE_USE_ENV_PROXY", "1");
	set_git(env, spec->git_signs);
	set_agent(env, &spec->agent->env, spec->paths->home);
	set_caches(env, spec->caches);
	pass_named(env, spec->environ_, &spec->settings->pass_env);
	if (spec->secrets && spec->token != NULL &&
	    spec->agent->token_variable != NULL)
		strvec_setenv(env, spec->agent->token_variable, spec->token);
	if (spec->secrets)
		pass_named(env, spec->environ_, &spec->agent->secrets);
	if (spec->ssh_agent)
		strvec_setenv(env, "SSH_AUTH_SOCK", SSHAGENT_PATH);
	set_all(env, spec->plan_env);
}
