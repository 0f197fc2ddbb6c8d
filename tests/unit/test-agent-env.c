/* SPDX-License-Identifier: MIT */
/* agent-env: whose word counts in the environment of the agent's process. */
#include "session/agent-env.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/toolchain.h"

#include "check.h"

static char user[] = "somebody";
static char home[] = "/home/x";

static const char *const image_env[] = { "PATH=/bin", "USER=image", NULL };
static const char *const plan_env[] = { "HOME=/home/x",
	"HTTPS_PROXY=http://127.0.0.1:3128", NULL };
/* Of the caller's: TZ=VALUE, or NULL. */
static const char *zone;
static const struct toolchains *caches;
static const char *const caller[] = { "PATH=/evil", "LD_PRELOAD=/evil",
	"TERM=xterm-256color", "COLORTERM=$(reboot)", "KEY=secret", "PASSED=1",
	"HTTPS_PROXY=http://u:p@h", "HOME=/root", NULL };

static void
build(bool tty, bool secrets, struct strvec *env)
{
	const char *environ_[ARRAY_SIZE(caller) + 1] = { zone };
	const struct paths paths = { .user = user, .home = home };
	struct settings settings = { .pass_env = STRVEC_INIT };
	struct agent agent = AGENT_INIT;
	const struct agent_env_spec spec = {
		.paths = &paths,
		.settings = &settings,
		.agent = &agent,
		.environ_ = environ_,
		.image_env = image_env,
		.plan_env = plan_env,
		.tty = tty,
		.caches = caches,
		.secrets = secrets,
	};

	memcpy(environ_ + (zone != NULL), caller, sizeof(caller));
	strvec_push(&settings.pass_env, "PASSED");
	strvec_push(&settings.pass_env, "HTTPS_PROXY");
	strvec_push(&settings.pass_env, "NOT_SET");
	strvec_push(&agent.env, "DIR=${HOME}/.a:${HOME}/.b");
	strvec_push(&agent.secrets, "KEY");
	agent_env_build(&spec, env);
	strvec_release(&settings.pass_env);
	strvec_release(&agent.env);
	strvec_release(&agent.secrets);
}

static bool
has_name(const struct strvec *env, const char *name)
{
	for (size_t i = 0; i < env->nr; i++) {
		if (strncmp(env->v[i], name, strlen(name)) == 0 &&
		    env->v[i][strlen(name)] == '=')
			return true;
	}
	return false;
}

static void
test_sources(void)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	build(false, true, &env);
	CHECK(strvec_has(&env, "PATH=/bin"));
	CHECK(strvec_has(&env, "USER=somebody"));
	CHECK(strvec_has(&env, "HOME=/home/x"));
	CHECK(strvec_has(&env, "DIR=/home/x/.a:/home/x/.b"));
	CHECK(strvec_has(&env, "PASSED=1"));
	CHECK(strvec_has(&env, "KEY=secret"));
	CHECK(!has_name(&env, "LD_PRELOAD"));
	CHECK(!has_name(&env, "NOT_SET"));
}

/* A link needs no variable; the user's pass_env counts more. */
static void
test_caches(void)
{
	static const char text[] =
	    "{\"caches\": ["
	    "{\"path\": \"a\", \"variable\": \"A_CACHE\", \"source\": \"s\"},"
	    "{\"path\": \"b\", \"link\": \".b\", \"source\": \"s\"},"
	    "{\"path\": \"c\", \"variable\": \"PASSED\", \"source\": \"s\"}]}";
	struct toolchain toolchain = TOOLCHAIN_INIT;
	const struct toolchains list = { &toolchain, 1 };
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(
	    toolchain_parse(&toolchain, "t", "t.json", text, strlen(text), &dg),
	    0);
	caches = &list;
	build(false, false, &env);
	caches = NULL;
	CHECK(strvec_has(&env, "A_CACHE=/var/lib/drydock/cache/a"));
	CHECK(strvec_has(&env, "PASSED=1"));
	toolchain_release(&toolchain);
}

static void
test_git(void)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	build(false, false, &env);
	CHECK(strvec_has(&env, "GIT_CONFIG_COUNT=3"));
	CHECK(strvec_has(&env, "GIT_CONFIG_KEY_0=commit.gpgSign"));
	CHECK(strvec_has(&env, "GIT_CONFIG_VALUE_0=false"));
	CHECK(strvec_has(&env, "GIT_CONFIG_KEY_2=push.gpgSign"));
	CHECK(strvec_has(&env, "GIT_CONFIG_VALUE_2=false"));
}

static void
check_zone(const char *given, const char *want)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_free char *tz = xasprintf("TZ=%s", given);
	cleanup_free char *line = xasprintf("TZ=%s", want != NULL ? want : "");

	zone = tz;
	build(false, false, &env);
	zone = NULL;
	if (want == NULL)
		CHECK(!has_name(&env, "TZ"));
	else
		CHECK(strvec_has(&env, line));
}

static void
test_zone(void)
{
	check_zone("Europe/Berlin", "Europe/Berlin");
	check_zone(":Asia/Kolkata", "Asia/Kolkata");
	check_zone("/usr/share/zoneinfo/UTC", "UTC");
	check_zone("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3");
	check_zone("/etc/passwd", NULL);
	check_zone("../../etc/passwd", NULL);
	check_zone("$(reboot)", NULL);
}

static void
test_inherited(void)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;
	mode_t before = umask(027);

	build(false, false, &env);
	CHECK_INT(umask(before), 027);
	CHECK(strvec_has(&env, "DRYDOCK_UMASK=027"));
	/* There is a proxy. */
	CHECK(strvec_has(&env, "NODE_USE_ENV_PROXY=1"));
}

static void
test_plan_wins(void)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	build(false, true, &env);
	CHECK(strvec_has(&env, "HTTPS_PROXY=http://127.0.0.1:3128"));
	CHECK(!strvec_has(&env, "HTTPS_PROXY=http://u:p@h"));
}

static void
test_terminal(void)
{
	cleanup_strvec struct strvec without = STRVEC_INIT;
	cleanup_strvec struct strvec with = STRVEC_INIT;

	build(false, true, &without);
	CHECK(!has_name(&without, "TERM"));
	build(true, true, &with);
	CHECK(strvec_has(&with, "TERM=xterm-256color"));
	CHECK(!has_name(&with, "COLORTERM"));
}

static void
test_secrets(void)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	build(true, false, &env);
	CHECK(!has_name(&env, "KEY"));
	CHECK(has_name(&env, "DIR"));
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "only what is named comes along", test_sources },
		{ "the caches of toolchains lead to the slot", test_caches },
		{ "git signs nothing, whatever a repository says", test_git },
		{ "the caller's time zone comes along", test_zone },
		{ "so does the umask, and node is told of the proxy",
		    test_inherited },
		{ "the plan has the last word", test_plan_wins },
		{ "the terminal's name comes along with a terminal",
		    test_terminal },
		{ "secrets come along when they are asked for", test_secrets },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
