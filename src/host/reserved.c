/* SPDX-License-Identifier: MIT */
/*
 * reserved: the table of reserved variables, grouped by the program that reads
 * them.
 */
#include "host/reserved.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/catalog.h"
#include "host/text.h"
#include "host/toolchain.h"

/* source: the documentation of the variable's effect. */
static const struct row {
	const char *pattern;
	const char *source;
	bool passed; /* pass_env may contain it; a user needs it in dood mode */
} table[] = {
	{ "PATH", "environ(7)", false },
	{ "HOME", "environ(7)", false },
	{ "DRYDOCK*", "drydock(1)", false },
	{ "*PROXY", "curl(1); contained sessions have the proxy", true },
	{ "LD_*", "ld.so(8)", false },
	{ "GLIBC_TUNABLES", "ld.so(8)", false },
	{ "GCONV_PATH", "iconv(1)", false },
	{ "LOCPATH", "locale(7)", false },
	{ "NLSPATH", "catopen(3)", false },
	{ "BASH_ENV", "bash(1)", false },
	{ "BASH_FUNC_*", "bash(1), export -f", false },
	{ "BASHOPTS", "bash(1)", false },
	{ "SHELLOPTS", "bash(1)", false },
	{ "PROMPT_COMMAND", "bash(1)", false },
	{ "PS4", "bash(1): expanded under set -x", false },
	{ "IFS", "bash(1)", false },
	{ "ENV", "dash(1)", false },
	{ "ZDOTDIR", "zsh(1)", false },
	{ "NODE_OPTIONS", "node(1)", false },
	{ "NODE_PATH", "node(1)", false },
	{ "NODE_REPL_EXTERNAL_MODULE", "node(1)", false },
	{ "NPM_CONFIG_NODE_OPTIONS", "npm-config(7)", false },
	{ "NPM_CONFIG_SCRIPT_SHELL", "npm-config(7)", false },
	{ "PYTHONSTARTUP", "python(1)", false },
	{ "PYTHONPATH", "python(1)", false },
	{ "PYTHONHOME", "python(1)", false },
	{ "PYTHONUSERBASE", "python(1)", false },
	{ "PYTHONBREAKPOINT", "python(1)", false },
	{ "PERL5OPT", "perlrun(1)", false },
	{ "PERL5LIB", "perlrun(1)", false },
	{ "PERLLIB", "perlrun(1)", false },
	{ "PERL5DB", "perlrun(1)", false },
	{ "RUBYOPT", "ruby(1)", false },
	{ "RUBYLIB", "ruby(1)", false },
	{ "JAVA_TOOL_OPTIONS", "JVM Tool Interface", false },
	{ "JDK_JAVA_OPTIONS", "java(1)", false },
	{ "_JAVA_OPTIONS", "java(1)", false },
	{ "GIT_EXEC_PATH", "git(1)", false },
	{ "GIT_CONFIG*", "git-config(1)", false },
	{ "GIT_TEMPLATE_DIR", "git-init(1)", false },
	{ "GIT_SSH", "git(1)", false },
	{ "GIT_SSH_COMMAND", "git(1)", false },
	{ "GIT_PROXY_COMMAND", "git-config(1), core.gitProxy", false },
	{ "GIT_ASKPASS", "git(1)", false },
	{ "SSH_ASKPASS", "ssh(1)", false },
	{ "GIT_EDITOR", "git(1)", false },
	{ "GIT_SEQUENCE_EDITOR", "git(1)", false },
	{ "GIT_PAGER", "git(1)", false },
	{ "GIT_EXTERNAL_DIFF", "git(1)", false },
	{ "LESSOPEN", "less(1)", false },
	{ "LESSCLOSE", "less(1)", false },
	{ "OPENSSL_CONF", "openssl-env(7)", false },
	{ "OPENSSL_ENGINES", "openssl-env(7)", false },
	{ "OPENSSL_MODULES", "openssl-env(7)", false },
};

const char *
reserved_check_pattern(const char *word)
{
	size_t len = strlen(word);
	bool suffix = len > 1 && word[0] == '*';
	bool prefix = !suffix && len > 1 && word[len - 1] == '*';
	cleanup_free char *name =
	    xstrndup(word + suffix, len - suffix - prefix);

	return text_is_variable(name)
	    ? NULL
	    : "is neither the name of a variable nor one with * before or "
	      "behind it";
}

static bool
matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);
	size_t have = strlen(name);

	if (pattern[0] == '*')
		return have >= len - 1 &&
		    strcasecmp(name + have - (len - 1), pattern + 1) == 0;
	if (pattern[len - 1] == '*')
		return strncasecmp(name, pattern, len - 1) == 0;
	return strcasecmp(name, pattern) == 0;
}

/*
 * Appends the patterns of the table, and those of the files of agents and
 * toolchains.  If passed is false, the patterns that pass_env may contain are
 * left out.
 */
static int
load(const struct paths *paths, bool passed, struct strvec *ret_patterns,
    struct diag *dg)
{
	cleanup_strvec struct strvec agents = STRVEC_INIT;
	cleanup_strvec struct strvec toolchains = STRVEC_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (passed || !table[i].passed)
			strvec_push(ret_patterns, table[i].pattern);
	if (catalog_list(&catalog_agents, paths, &agents, dg) != 0 ||
	    catalog_list(&catalog_toolchains, paths, &toolchains, dg) != 0)
		return -1;
	for (size_t i = 0; i < agents.nr; i++) {
		cleanup_agent struct agent agent = AGENT_INIT;

		if (agent_load(&agent, agents.v[i], paths, dg) != 0)
			return -1;
		strvec_push_all(
		    ret_patterns, (const char *const *)agent.reserved_env.v);
	}
	for (size_t i = 0; i < toolchains.nr; i++) {
		cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;

		if (toolchain_load(&tc, toolchains.v[i], paths, dg) != 0)
			return -1;
		strvec_push_all(
		    ret_patterns, (const char *const *)tc.reserved_env.v);
	}
	return 0;
}

int
reserved_load(
    const struct paths *paths, struct strvec *ret_patterns, struct diag *dg)
{
	return load(paths, true, ret_patterns, dg);
}

int
reserved_check_passed(
    const struct strvec *names, const struct paths *paths, struct diag *dg)
{
	cleanup_strvec struct strvec patterns = STRVEC_INIT;

	if (names->nr == 0)
		return 0;
	if (load(paths, false, &patterns, dg) != 0)
		return -1;
	for (size_t i = 0; i < names->nr; i++)
		for (size_t j = 0; j < patterns.nr; j++)
			if (matches(patterns.v[j], names->v[i]))
				return diag_set(dg, DIAG_CONFIG,
				    "pass_env: %s is reserved: it makes "
				    "programs of a session load other code, or "
				    "decides what guards it; take it out of "
				    "the setting",
				    names->v[i]);
	return 0;
}
