/* SPDX-License-Identifier: MIT */
/* agents/NAME.json: what is accepted can be run, and stays below the home. */
#include <string.h>

#include "base/diag.h"
#include "fuzz.h"
#include "host/agent.h"

static void
check_names(const struct strvec *list)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	for (size_t i = 0; i < list->nr; i++)
		FUZZ_CHECK(strspn(list->v[i], first) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc =
	    agent_parse(&agent, "a", "a.json", (const char *)data, size, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_CONFIG && agent.name == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(agent.command.nr > 0 && agent.command.v[0][0] != '\0');
	check_names(&agent.env);
	check_names(&agent.secrets);
	fuzz_allowlist_lines(&agent.hosts);
	for (size_t i = 0; i < agent.env.nr; i++)
		FUZZ_CHECK(strchr(agent.env.v[i], '=') != NULL);
	for (size_t i = 0; i < agent.npm.nr; i++) {
		const char *word = agent.npm.v[i];
		FUZZ_CHECK(word[0] != '-' && strchr(word + 1, '@') != NULL);
		FUZZ_CHECK(strpbrk(word, " \t\n;&|$`\"'\\*?<>(){}:") == NULL);
		FUZZ_CHECK(strstr(word, "..") == NULL || word[0] != '.');
	}
	if (agent.guardrails.dir != NULL) {
		const char *dir = agent.guardrails.dir;
		FUZZ_CHECK(strncmp(dir, "/etc/", 5) == 0 && dir[5] != '\0');
		FUZZ_CHECK(strstr(dir, "/..") == NULL);
		FUZZ_CHECK(agent.guardrails.nr > 0);
	}
	for (size_t i = 0; i < agent.guardrails.nr; i++) {
		const char *path = agent.guardrails.v[i].path;
		FUZZ_CHECK(path[0] != '/' && path[0] != '\0');
		FUZZ_CHECK(strncmp(path, "../", 3) != 0);
		FUZZ_CHECK(strstr(path, "/../") == NULL);
		FUZZ_CHECK(strpbrk(path, " $`\"'\\*\n") == NULL);
	}
	if (agent.history_link != NULL) {
		const char *p = agent.history_link;
		FUZZ_CHECK(*p != '/' && *p != '\0');
		FUZZ_CHECK(strncmp(p, "../", 3) != 0 && strcmp(p, "..") != 0);
		FUZZ_CHECK(strstr(p, "/../") == NULL);
		FUZZ_CHECK(
		    strlen(p) < 3 || strcmp(p + strlen(p) - 3, "/..") != 0);
	}
	return 0;
}
