/* SPDX-License-Identifier: MIT */
/* agent: a strict parser of agents/NAME.json. */

#include "host/agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/catalog.h"
#include "host/text.h"

enum {
	GUARDRAILS_MAX = 64,
	DEPTH_MAX = 7, /* the holder's limit (guest/policy.c) */
	PACKAGE_MAX = 214 /* npm's own limit for a name */
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* One key of the document and its reader. */
struct field {
	const char *key;
	int (*read)(
	    struct agent *agent, const struct json *value, struct diag *dg);
};

/*
 * Returns true for NAME@VERSION or @SCOPE/NAME@VERSION with an exact version.
 * A range or a tag could resolve to other code later.
 */
static bool
is_npm_package(const char *word)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz" DIGITS "._-";
	static const char version[] = LETTERS DIGITS ".+-";
	size_t len;

	if (strlen(word) > PACKAGE_MAX)
		return false;
	if (*word == '@') {
		word++;
		len = strspn(word, name);
		if (len == 0 || *word == '.' || *word == '-' ||
		    word[len] != '/')
			return false;
		word += len + 1;
	}
	len = strspn(word, name);
	if (len == 0 || *word == '.' || *word == '-' || *word == '_' ||
	    word[len] != '@')
		return false;
	word += len + 1;
	return *word >= '0' && *word <= '9' && strchr(word, '.') != NULL &&
	    word[strspn(word, version)] == '\0';
}

static int
read_npm(struct agent *agent, const struct json *value, struct diag *dg)
{
	if (catalog_read_list(value, "npm", &agent->npm, dg) != 0)
		return -1;
	for (size_t i = 0; i < agent->npm.nr; i++)
		if (!is_npm_package(agent->npm.v[i]))
			return diag_set(dg, DIAG_CONFIG,
			    "npm: \"%s\" is not a package with an exact "
			    "version, as in tool@1.2.3",
			    agent->npm.v[i]);
	return 0;
}

/*
 * Returns true for a relative path without empty, "." or ".." components, of
 * characters that have no meaning to a shell.
 */
static bool
is_guardrail_path(const char *path)
{
	size_t depth = 0;

	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	return text_is_below(path) && depth < DEPTH_MAX &&
	    path[strspn(path, LETTERS DIGITS "._/-")] == '\0';
}

static int
read_guardrail(struct agent_guardrails *g, const char *path,
    const struct json *value, struct diag *dg)
{
	const char *text = json_string(value);
	struct agent_guardrail *file;

	if (!is_guardrail_path(path))
		return diag_set(dg, DIAG_CONFIG,
		    "guardrails: \"%s\" is not a path below the directory",
		    path);
	if (text == NULL && !json_is_object(value))
		return diag_set(dg, DIAG_CONFIG,
		    "guardrails: %s is neither text nor an object", path);
	g->v = xreallocarray(g->v, g->nr + 1, sizeof(*g->v));
	file = &g->v[g->nr++];
	file->path = xstrdup(path);
	strbuf_init(&file->data);
	if (text != NULL) {
		strbuf_addstr(&file->data, text);
		return 0;
	}
	struct jsonw *w = jsonw_new(true);

	jsonw_node(w, value);
	return jsonw_finish(w, &file->data, dg);
}

static int
read_guardrails(struct agent *agent, const struct json *value, struct diag *dg)
{
	struct agent_guardrails *g = &agent->guardrails;
	const char *dir = json_string(json_get(value, "dir"));
	const struct json *files = json_get(value, "files");

	if (dir == NULL || !json_is_object(files) || json_len(value) != 2)
		return diag_set(dg, DIAG_CONFIG,
		    "guardrails: not an object of a dir and files");
	/*
	 * The files directly in /etc are the system's; the agent needs a
	 * directory of its own.
	 */
	if (strncmp(dir, "/etc/", 5) != 0 || !is_guardrail_path(dir + 1) ||
	    strlen(dir + 5) == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "guardrails: \"%s\" is not a directory below /etc", dir);
	if (json_len(files) == 0 || json_len(files) > GUARDRAILS_MAX)
		return diag_set(dg, DIAG_CONFIG,
		    "guardrails: not 1 to %d files", GUARDRAILS_MAX);
	g->dir = xstrdup(dir);
	for (size_t i = 0; i < json_len(files); i++)
		if (read_guardrail(g, json_key_at(files, i),
			json_value_at(files, i), dg) != 0)
			return -1;
	return 0;
}

static int
read_command(struct agent *agent, const struct json *value, struct diag *dg)
{
	return catalog_read_list(value, "command", &agent->command, dg);
}

static int
read_resume(struct agent *agent, const struct json *value, struct diag *dg)
{
	return catalog_read_list(value, "resume_args", &agent->resume_args, dg);
}

static int
read_env(struct agent *agent, const struct json *value, struct diag *dg)
{
	if (!json_is_object(value))
		return diag_set(dg, DIAG_CONFIG, "env: not an object");
	for (size_t i = 0; i < json_len(value); i++) {
		const char *name = json_key_at(value, i);
		const char *text = json_string(json_value_at(value, i));

		if (!text_is_variable(name))
			return diag_set(dg, DIAG_CONFIG,
			    "env: \"%s\" is not the name of a variable", name);
		if (text == NULL || !text_is_plain(text))
			return diag_set(
			    dg, DIAG_CONFIG, "env: %s is not plain text", name);
		strvec_pushf(&agent->env, "%s=%s", name, text);
	}
	return 0;
}

static int
read_hosts(struct agent *agent, const struct json *value, struct diag *dg)
{
	return catalog_read_hosts(value, &agent->hosts, dg);
}

static int
read_secrets(struct agent *agent, const struct json *value, struct diag *dg)
{
	if (catalog_read_list(value, "secrets", &agent->secrets, dg) != 0)
		return -1;
	for (size_t i = 0; i < agent->secrets.nr; i++) {
		if (!text_is_variable(agent->secrets.v[i]))
			return diag_set(dg, DIAG_CONFIG,
			    "secrets: \"%s\" is not the name of a variable",
			    agent->secrets.v[i]);
	}
	return 0;
}

static int
read_reserved(struct agent *agent, const struct json *value, struct diag *dg)
{
	return catalog_read_reserved(value, &agent->reserved_env, dg);
}

static int
read_history(struct agent *agent, const struct json *value, struct diag *dg)
{
	const char *path = json_string(value);

	if (path == NULL || !text_is_plain(path) || !text_is_below(path))
		return diag_set(
		    dg, DIAG_CONFIG, "history_link: not a path below the home");
	agent->history_link = xstrdup(path);
	return 0;
}

static int
read_sync(struct agent *agent, const struct json *value, struct diag *dg)
{
	return agent_sync_read(&agent->sync, value, dg);
}

static int
read_token(struct agent *agent, const struct json *value, struct diag *dg)
{
	const char *variable = json_string(json_get(value, "variable"));
	const char *advice = json_string(json_get(value, "advice"));
	const char *prefix = json_string(json_get(value, "prefix"));

	if (variable == NULL || !text_is_variable(variable) || advice == NULL ||
	    !text_is_plain(advice) ||
	    (prefix != NULL && (*prefix == '\0' || !text_is_plain(prefix))) ||
	    json_len(value) != (prefix != NULL ? 3U : 2U))
		return diag_set(dg, DIAG_CONFIG,
		    "token: not an object of a variable, an advice and perhaps "
		    "a prefix");
	agent->token_variable = xstrdup(variable);
	agent->token_advice = xstrdup(advice);
	agent->token_prefix = prefix != NULL ? xstrdup(prefix) : NULL;
	return 0;
}

static const struct field fields[] = {
	{ "npm", read_npm },
	{ "command", read_command },
	{ "resume_args", read_resume },
	{ "env", read_env },
	{ "hosts", read_hosts },
	{ "secrets", read_secrets },
	{ "reserved_env", read_reserved },
	{ "history_link", read_history },
	{ "sync", read_sync },
	{ "token", read_token },
	{ "guardrails", read_guardrails },
};

static int
read_field(struct agent *agent, const char *key, const struct json *value,
    struct diag *dg)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(fields[i].key, key) == 0)
			return fields[i].read(agent, value, dg);
	}
	return diag_set(dg, DIAG_CONFIG, "unknown key \"%s\"", key);
}

static int
read_document(struct agent *agent, const struct json *root, struct diag *dg)
{
	if (!json_is_object(root))
		return diag_set(dg, DIAG_CONFIG, "not an object");
	for (size_t i = 0; i < json_len(root); i++) {
		if (read_field(agent, json_key_at(root, i),
			json_value_at(root, i), dg) < 0)
			return -1;
	}
	if (agent->command.nr == 0 || agent->command.v[0][0] == '\0')
		return diag_set(dg, DIAG_CONFIG, "command: missing or empty");
	return 0;
}

int
agent_parse(struct agent *ret_agent, const char *name, const char *label,
    const char *text, size_t len, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_json struct json *root = NULL;

	agent.name = xstrdup(name);
	if (json_parse(text, len, label, &root, dg) != 0) {
		dg->class = DIAG_CONFIG;
		return -1;
	}
	if (read_document(&agent, root, dg) != 0)
		return diag_wrap(dg, "%s", label);
	digest_bytes(text, len, agent.digest);
	*ret_agent = agent;
	agent = (struct agent)AGENT_INIT;
	return 0;
}

int
agent_load(struct agent *ret_agent, const char *name, const struct paths *paths,
    struct diag *dg)
{
	cleanup_catalog_file struct catalog_file file = CATALOG_FILE_INIT;

	if (catalog_read(&catalog_agents, name, paths, &file, dg) != 0 ||
	    agent_parse(ret_agent, name, file.label, file.text.buf,
		file.text.len, dg) != 0)
		return -1;
	if (file.replaces)
		ret_agent->replacement = steal_ptr(&file.label);
	return 0;
}

void
agent_release(struct agent *agent)
{
	free(agent->name);
	free(agent->replacement);
	strvec_release(&agent->npm);
	strvec_release(&agent->command);
	strvec_release(&agent->resume_args);
	strvec_release(&agent->env);
	strvec_release(&agent->hosts);
	strvec_release(&agent->secrets);
	strvec_release(&agent->reserved_env);
	free(agent->history_link);
	agent_sync_release(&agent->sync);
	free(agent->token_variable);
	free(agent->token_advice);
	free(agent->token_prefix);
	free(agent->guardrails.dir);
	for (size_t i = 0; i < agent->guardrails.nr; i++) {
		free(agent->guardrails.v[i].path);
		strbuf_release(&agent->guardrails.v[i].data);
	}
	free(agent->guardrails.v);
	*agent = (struct agent)AGENT_INIT;
}
