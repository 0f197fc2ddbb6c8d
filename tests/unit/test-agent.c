/* SPDX-License-Identifier: MIT */
/* Agent files: the one that is shipped, and those that are wrong. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/catalog.h"
#include "host/paths.h"
#include "host/settings.h"

#include "check.h"
#include "data-kit.h"

static void
test_whole(void)
{
	static const char text[] =
	    "{\"command\": [\"tool\", \"--fast\"],"
	    " \"resume_args\": [\"--continue\"],"
	    " \"env\": {\"A\": \"${HOME}/x=y\", \"B\": \"\"},"
	    " \"hosts\": [\"api.example\", \"b.example:8443\"],"
	    " \"secrets\": [\"TOOL_KEY\"],"
	    " \"reserved_env\": [\"TOOL_*\", \"*_HOOK\", \"X\"],"
	    " \"npm\": [\"@scope/tool-x@1.2.3-rc.1\", \"tool@0.1.0\"],"
	    " \"guardrails\": {\"dir\": \"/etc/tool\", \"files\": {"
	    "  \"d/a.json\": {\"deny\": [\"x\"]}, \"b.toml\": \"x = 1\\n\","
	    "  \"c.toml\": \"x = '''${NETWORK_TEXT}'''\\n\"}},"
	    " \"limits\": [\"x passes\"],"
	    " \"token\": {\"variable\": \"T\", \"advice\": \"get\","
	    "  \"document\": \".t.json\", \"defaults\": {\"done\": true}},"
	    " \"history_link\": \".tool/history\"}";
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *network;

	CHECK_INT(
	    agent_parse(&agent, "tool", "tool.json", text, strlen(text), &dg),
	    0);
	CHECK_STR(agent.name, "tool");
	CHECK_INT(agent.command.nr, 2);
	CHECK_STR(agent.command.v[1], "--fast");
	CHECK_STR(agent.resume_args.v[0], "--continue");
	CHECK_STR(agent.env.v[0], "A=${HOME}/x=y");
	CHECK_STR(agent.env.v[1], "B=");
	CHECK_STR(agent.hosts.v[1], "b.example:8443");
	CHECK_STR(agent.secrets.v[0], "TOOL_KEY");
	CHECK_STR(agent.reserved_env.v[1], "*_HOOK");
	CHECK_STR(agent.history_link, ".tool/history");
	CHECK_STR(agent.npm.v[0], "@scope/tool-x@1.2.3-rc.1");
	CHECK_STR(agent.npm.v[1], "tool@0.1.0");
	CHECK_STR(agent.limits.v[0], "x passes");
	CHECK_STR(agent.token_document, ".t.json");
	CHECK_STR(agent.token_defaults.buf, "{\"done\":true}\n");
	CHECK_STR(agent.guardrails.dir, "/etc/tool");
	CHECK_INT(agent.guardrails.nr, 3);
	CHECK_STR(agent.guardrails.v[0].path, "d/a.json");
	CHECK(strstr(agent.guardrails.v[0].data.buf, "\"deny\"") != NULL);
	CHECK_STR(agent.guardrails.v[1].data.buf, "x = 1\n");
	network = agent.guardrails.v[2].data.buf;
	CHECK(strncmp(network, "x = '''# The", strlen("x = '''# The")) == 0);
	CHECK(strstr(network, "\"drydock allow HOST\"") != NULL);
	CHECK_STR(strstr(network + 7, "'''"), "'''\n");
}

static void
test_minimal(void)
{
	static const char text[] = "{\"command\": [\"tool\"]}";
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(
	    agent_parse(&agent, "tool", "tool.json", text, strlen(text), &dg),
	    0);
	CHECK_STR(agent.history_link, NULL);
	CHECK_INT(agent.hosts.nr, 0);
}

#define NPM(word)                                                    \
	{                                                            \
		"{\"npm\": [\"" word "\"]}",                         \
		    "npm: \"" word                                   \
		    "\" is not a package with an exact version, as " \
		    "in tool@1.2.3"                                  \
	}
#define GUARD(dir, path, want)                                                \
	{                                                                     \
		"{\"guardrails\": {\"dir\": \"" dir "\", \"files\": {\"" path \
		"\": \"x\"}}}",                                               \
		    want                                                      \
	}

static void
test_bad(void)
{
	static const struct {
		const char *text;
		const char *want; /* behind "agents/x.json: "; NULL: anything */
	} rows[] = {
		{ "", NULL },
		{ "{", NULL },
		{ "{\"command\":[\"a\"],\"command\":[\"b\"]}", NULL },
		{ "[]", "not an object" },
		{ "{}", "command: missing or empty" },
		{ "{\"command\": []}", "command: missing or empty" },
		{ "{\"command\": [\"\"]}", "command: missing or empty" },
		{ "{\"command\": \"a\"}", "command: not a list" },
		{ "{\"command\": [1]}", "command: entry 1 is not plain text" },
		{ "{\"command\": [\"a\\n\"]}",
		    "command: entry 1 is not plain text" },
		{ "{\"comand\": [\"a\"]}", "unknown key \"comand\"" },
		{ "{\"npm\": \"a@1.0.0\"}", "npm: not a list" },
		NPM("tool"),
		NPM("tool@latest"),
		NPM("tool@^1.2.3"),
		NPM("tool@1"),
		NPM("tool@1.0.0 other@1.0.0"),
		NPM("tool@1.0.0;reboot"),
		NPM("-g@1.0.0"),
		NPM("../tool@1.0.0"),
		NPM("@scope@1.0.0"),
		NPM("@sc/../ope/tool@1.0.0"),
		NPM("https://a.example/tool@1.0.0"),
		{ "{\"guardrails\": []}",
		    "guardrails: not an object of a dir and files" },
		{ "{\"guardrails\": {\"dir\": \"/etc/x\"}}",
		    "guardrails: not an object of a dir and files" },
		GUARD("/etc", "a",
		    "guardrails: \"/etc\" is not a directory "
		    "below /etc"),
		GUARD("/usr/lib/drydock", "a",
		    "guardrails: \"/usr/lib/drydock\" is not a directory below "
		    "/etc"),
		GUARD("/etc/../usr", "a",
		    "guardrails: \"/etc/../usr\" is not a directory below "
		    "/etc"),
		GUARD("/etc/$(id)", "a",
		    "guardrails: \"/etc/$(id)\" is not a directory below /etc"),
		GUARD("/etc/x", "../a",
		    "guardrails: \"../a\" is not a path below the directory"),
		GUARD("/etc/x", "/a",
		    "guardrails: \"/a\" is not a path below the directory"),
		GUARD("/etc/x", "a b",
		    "guardrails: \"a b\" is not a path below the directory"),
		{ "{\"guardrails\": {\"dir\": \"/etc/x\", \"files\": {}}}",
		    "guardrails: not 1 to 64 files" },
		{ "{\"guardrails\": {\"dir\": \"/etc/x\", \"files\": "
		  "{\"a\": 1}}}",
		    "guardrails: a is neither text nor an object" },
		{ "{\"env\": []}", "env: not an object" },
		{ "{\"env\": {\"A B\": \"x\"}}",
		    "env: \"A B\" is not the name of a variable" },
		{ "{\"env\": {\"A\": 1}}", "env: A is not plain text" },
		{ "{\"hosts\": [\"10.0.1\"]}",
		    "hosts:1: \"10.0.1\" ends in a number, "
		    "but is not an IPv4 address of four numbers" },
		{ "{\"hosts\": [\"a_b;id\"]}", NULL },
		{ "{\"resume_args\": \"-c\"}", "resume_args: not a list" },
		{ "{\"resume_args\": [\"\\u001b\"]}",
		    "resume_args: entry 1 is not plain text" },
		{ "{\"limits\": \"none\"}", "limits: not a list" },
		{ "{\"limits\": [\"\\u001b[2J\"]}",
		    "limits: entry 1 is not plain text" },
		{ "{\"sync\": []}", "sync: not an object" },
		{ "{\"sync\": {\"tree\": []}}", "sync: unknown key \"tree\"" },
		{ "{\"sync\": {\"trees\": {}}}", "sync: trees: not a list" },
		{ "{\"sync\": {\"trees\": [\".x\"]}}",
		    "sync: trees: not an object" },
		{ "{\"sync\": {\"trees\": [{\"path\": \"../x\"}]}}",
		    "sync: trees: path: not a path below the home" },
		{ "{\"sync\": {\"trees\": [{\"path\": \".x\", \"to\": "
		  "\".y\"}]}}",
		    "sync: trees: unknown key \"to\"" },
		{ "{\"sync\": {\"trees\": [{\"path\": \".x\", "
		  "\"exclude\": \"*\"}]}}",
		    "sync: trees: exclude: not a list" },
		{ "{\"sync\": {\"documents\": [{\"to\": \".x\"}]}}",
		    "sync: documents: path: not a path below the home" },
		{ "{\"sync\": {\"documents\": [{\"path\": \".x\", \"to\": "
		  "\"a/../../b\"}]}}",
		    "sync: documents: to: not a path below the home" },
		{ "{\"sync\": {\"documents\": [{\"path\": \".x\", "
		  "\"drop\": [1]}]}}",
		    "sync: documents: drop: entry 1 is not plain text" },
		{ "{\"sync\": {\"credentials\": [\"\"]}}",
		    "sync: credentials: \"\" is empty" },
		{ "{\"token\": \"X\"}",
		    "token: not an object of a variable, an advice and perhaps "
		    "a prefix" },
		{ "{\"token\": {\"variable\": \"A B\", \"advice\": \"a\"}}",
		    "token: not an object of a variable, an advice and perhaps "
		    "a prefix" },
		{ "{\"token\": {\"variable\": \"A\", \"advice\": \"a\", "
		  "\"suffix\": \"x\"}}",
		    "token: unknown key \"suffix\"" },
		{ "{\"token\": {\"variable\": \"A\", \"advice\": \"a\", "
		  "\"document\": \"../x\", \"defaults\": {\"a\": 1}}}",
		    "token: document: not a path below the home" },
		{ "{\"token\": {\"variable\": \"A\", \"advice\": \"a\", "
		  "\"defaults\": {\"a\": 1}}}",
		    "token: document: not a path below the home" },
		{ "{\"token\": {\"variable\": \"A\", \"advice\": \"a\", "
		  "\"document\": \"x\", \"defaults\": []}}",
		    "token: defaults: not an object with members" },
		{ "{\"token\": {\"variable\": \"A\"}}",
		    "token: not an object of a variable, an advice and perhaps "
		    "a prefix" },
		{ "{\"secrets\": [\"A=1\"]}",
		    "secrets: \"A=1\" is not the name of a variable" },
		{ "{\"reserved_env\": [\"A*B\"]}",
		    "reserved_env: \"A*B\" is neither the name of a variable "
		    "nor one with * before or behind it" },
		{ "{\"reserved_env\": [\"*\"]}",
		    "reserved_env: \"*\" is neither the name of a variable "
		    "nor one with * before or behind it" },
		{ "{\"history_link\": \"/etc\"}",
		    "history_link: not a path below the home" },
		{ "{\"history_link\": \"a/../../b\"}",
		    "history_link: not a path below the home" },
		{ "{\"history_link\": \"a/\"}",
		    "history_link: not a path below the home" },
		{ "{\"history_link\": \".\"}",
		    "history_link: not a path below the home" },
		{ "{\"history_link\": \"\"}",
		    "history_link: not a path below the home" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_agent struct agent agent = AGENT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *want = NULL;

		CHECK_INT(agent_parse(&agent, "x", "agents/x.json",
			      rows[i].text, strlen(rows[i].text), &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(agent.name, NULL);
		if (rows[i].want == NULL)
			continue;
		want = xasprintf("agents/x.json: %s", rows[i].want);
		CHECK_STR(dg.message, want);
	}
}

static void
test_shipped(void)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;

	paths_init(&paths);
	paths.uid = geteuid();
	paths.data_dir = data_kit_copy(check_tmpdir());
	if (!CHECK_INT(agent_load(&agent, "", &paths, &dg), 0))
		CHECK_STR(dg.message, NULL);
	CHECK_STR(agent.name, "claude");
	CHECK(agent.is_default);
	CHECK_STR(agent.command.v[0], "claude");
	CHECK_STR(agent.history_link, ".claude/projects");
	CHECK_STR(agent.guardrails.dir, "/etc/claude-code");
	if (!CHECK_INT(catalog_list(&catalog_agents, &paths, &names, &dg), 0))
		CHECK_STR(dg.message, NULL);
	CHECK_INT(names.nr, 5);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_agent struct agent each = AGENT_INIT;

		if (!CHECK_INT(agent_load(&each, names.v[i], &paths, &dg), 0))
			CHECK_STR(dg.message, names.v[i]);
		CHECK_STR(each.replacement, NULL);
		CHECK_INT(each.is_default, strcmp(names.v[i], "claude") == 0);
	}
}

static void
test_versions(void)
{
	static const struct {
		const char *agent;
		const char *words;
		const char *npm; /* NULL: a failure */
		const char *version;
	} rows[] = {
		{ "claude", "", "@anthropic-ai/claude-code@2.1.197", NULL },
		{ "claude", "2.1.197", "@anthropic-ai/claude-code@2.1.197",
		    NULL },
		{ "claude", "2.1.200", "@anthropic-ai/claude-code@2.1.200",
		    "2.1.200" },
		{ "claude", "latest", "@anthropic-ai/claude-code@latest",
		    "latest" },
		{ "claude", "codex@latest claude@3.0.0 latest",
		    "@anthropic-ai/claude-code@3.0.0", "3.0.0" },
		{ "claude", "codex@latest", "@anthropic-ai/claude-code@2.1.197",
		    NULL },
		{ "codex", "codex@latest", "@openai/codex@latest", "latest" },
		{ "shell", "claude@latest", "", NULL },
		{ "shell", "latest", NULL, NULL },
	};
	static const char *const bad[] = { "", "2", "newest", "^2.1.0",
		"2.1.0;id", "../x@1.0.0", "claude@", "@1.0.0", "claude@1.0@2.0",
		"claude@$(id)" };
	cleanup_paths struct paths paths;

	data_kit_paths(&paths);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_agent struct agent agent = AGENT_INIT;
		cleanup_settings struct settings settings;
		cleanup_diag struct diag dg = DIAG_INIT;

		settings_init(&settings);
		CHECK_INT(settings_set(&settings, SETTINGS_OPTION, "agent",
			      rows[i].agent, "--agent", &dg),
		    0);
		CHECK_INT(
		    settings_set(&settings, SETTINGS_OPTION, "agent_version",
			rows[i].words, "--agent-version", &dg),
		    0);
		CHECK_INT(agent_choose(&agent, &settings, &paths, &dg),
		    rows[i].npm == NULL ? -1 : 0);
		if (rows[i].npm == NULL) {
			CHECK_INT(dg.class, DIAG_CONFIG);
			continue;
		}
		CHECK_STR(agent.npm.nr > 0 ? agent.npm.v[0] : "", rows[i].npm);
		CHECK_STR(agent.version, rows[i].version);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(agent_check_version(bad[i]) != NULL);
}

static void
test_names(void)
{
	static const char *const names[] = { "nobody", "../claude", "", "-x",
		"a/b", "A" };
	cleanup_paths struct paths paths;
	cleanup_free char *dir = NULL;

	paths_init(&paths);
	paths.uid = geteuid();
	paths.data_dir = xstrdup(check_tmpdir());
	dir = xasprintf("%s/agents", paths.data_dir);
	CHECK_INT(mkdir(dir, 0700), 0);
	for (const char *const *file = (const char *const[]){ "b.json",
		 "a.json", "x.txt", ".json", NULL };
	     *file != NULL; file++) {
		cleanup_free char *path = xasprintf("%s/%s", dir, *file);
		cleanup_close int fd =
		    open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		CHECK(fd >= 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_agent struct agent agent = AGENT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *want = xasprintf(
		    "unknown agent \"%s\" (there is: a, b)", names[i]);

		CHECK_INT(agent_load(&agent, names[i], &paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_USAGE);
		CHECK_STR(dg.message, want);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "every key is read", test_whole },
		{ "a command is enough", test_minimal },
		{ "anything unknown or wrong is refused by its key", test_bad },
		{ "the agents that are shipped are read", test_shipped },
		{ "the setting chooses the version", test_versions },
		{ "an unknown agent is a usage error that lists those there "
		  "are",
		    test_names },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
