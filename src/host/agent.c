/* SPDX-License-Identifier: MIT */
/* agent: a strict parser of agents/NAME.json. */

#include "host/agent.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/catalog.h"
#include "host/paths.h"
#include "host/reserved.h"
#include "host/settings.h"
#include "host/text.h"
#include "host/trusted.h"

enum {
	GUARDRAILS_MAX = 64,
	DEPTH_MAX = 7, /* the holder's limit (guest/policy.c) */
	VERSION_MAX = 64,
	PACKAGE_MAX = 214 /* npm's own limit for a name */
};

#define DEFAULT_FILE "agents/default"

static bool
is_exact_version(const char *word)
{
	static const char version[] = ASCII_ALNUM ".+-";

	return *word >= '0' && *word <= '9' && strchr(word, '.') != NULL &&
	    word[strspn(word, version)] == '\0';
}

/*
 * Returns true for NAME@VERSION or @SCOPE/NAME@VERSION with an exact version.
 * A range or a tag could resolve to other code later.
 */
static bool
is_npm_package(const char *word)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
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
	return is_exact_version(word + len + 1);
}

static const char *
check_npm(const char *word)
{
	return is_npm_package(word) ? NULL
				    : "is not a package with an exact version, "
				      "as in tool@1.2.3";
}

/*
 * What an agent is told about its network.  It has no quote or backslash that
 * ends a string of TOML in three single quotes.
 */
static const char network_text[] =
    "# The network of this session\n\nThis session may run in "
    "drydock's contained mode: then its only way out is the proxy "
    "in HTTPS_PROXY, which connects to the hosts on an allowlist. "
    "An answer 403 with \"drydock refused HOST\" is that wall, and "
    "no fault of the network. Do not look for a way around it: no "
    "other proxy, mirror, address or DNS works. Tell the user "
    "which host you need and for what, and that \"drydock allow "
    "HOST\" on their machine, in the project's directory, opens it "
    "for this session at once.\n";

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
	    path[strspn(path, ASCII_ALNUM "._/-")] == '\0';
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
		strbuf_add_replaced(
		    &file->data, text, "${NETWORK_TEXT}", network_text);
		return 0;
	}
	struct jsonw *w = jsonw_new(true);

	jsonw_node(w, value);
	return jsonw_finish(w, &file->data, dg);
}

static int
read_guardrails(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct agent_guardrails *g = member;
	const char *dir = json_string(json_get(value, "dir"));
	const struct json *files = json_get(value, "files");

	(void)key;
	if (dir == NULL || !json_is_object(files) || json_len(value) != 2)
		return diag_set(dg, DIAG_CONFIG,
		    "guardrails: not an object of a dir and files");
	/*
	 * The files directly in /etc are the system's; the agent needs a
	 * directory of its own.
	 */
	if (strncmp(dir, "/etc/", 5) != 0 || !is_guardrail_path(dir + 1))
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
read_env(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	(void)key;
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
		strvec_pushf(member, "%s=%s", name, text);
	}
	return 0;
}

static bool
is_token_key(const char *key)
{
	static const char *const keys[] = { "variable", "advice", "prefix",
		"document", "defaults" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* Reads the document and the defaults of a session with a token. */
static int
read_token_document(
    struct agent *agent, const struct json *token, struct diag *dg)
{
	const struct json *defaults = json_get(token, "defaults");
	const struct json *document = json_get(token, "document");
	struct jsonw *w;

	if (document == NULL && defaults == NULL)
		return 0;
	if (catalog_read_path(
		&agent->token_document, "document", document, dg) != 0)
		return diag_wrap(dg, "token");
	if (!json_is_object(defaults) || json_len(defaults) == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "token: defaults: not an object with members");
	w = jsonw_new(false);
	jsonw_node(w, defaults);
	return jsonw_finish(w, &agent->token_defaults, dg);
}

static int
read_token(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct agent *agent = member;
	const char *variable = json_string(json_get(value, "variable"));
	const char *advice = json_string(json_get(value, "advice"));
	const char *prefix = json_string(json_get(value, "prefix"));

	(void)key;
	for (size_t i = 0; json_is_object(value) && i < json_len(value); i++)
		if (!is_token_key(json_key_at(value, i)))
			return diag_set(dg, DIAG_CONFIG,
			    "token: unknown key \"%s\"", json_key_at(value, i));
	if (variable == NULL || !text_is_variable(variable) || advice == NULL ||
	    !text_is_plain(advice) ||
	    (json_get(value, "prefix") != NULL &&
		(prefix == NULL || *prefix == '\0' || !text_is_plain(prefix))))
		return diag_set(dg, DIAG_CONFIG,
		    "token: not an object of a variable, an advice and perhaps "
		    "a prefix");
	agent->token_variable = xstrdup(variable);
	agent->token_advice = xstrdup(advice);
	agent->token_prefix = prefix != NULL ? xstrdup(prefix) : NULL;
	return read_token_document(agent, value, dg);
}

#define AT(member) offsetof(struct agent, member)

static const struct catalog_field fields[] = {
	{ "npm", AT(npm), NULL, check_npm },
	{ "command", AT(command), NULL, NULL },
	{ "resume_args", AT(resume_args), NULL, NULL },
	{ "env", AT(env), read_env, NULL },
	{ "hosts", AT(hosts), catalog_read_hosts, NULL },
	{ "secrets", AT(secrets), NULL, text_check_variable },
	{ "reserved_env", AT(reserved_env), NULL, reserved_check_pattern },
	{ "history_link", AT(history_link), catalog_read_path, NULL },
	{ "sync", AT(sync), agent_sync_read, NULL },
	{ "token", 0, read_token, NULL },
	{ "limits", AT(limits), NULL, NULL },
	{ "guardrails", AT(guardrails), read_guardrails, NULL },
};

int
agent_parse(struct agent *ret_agent, const char *name, const char *label,
    const char *text, size_t len, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;

	agent.name = xstrdup(name);
	if (catalog_parse(
		label, text, len, fields, ARRAY_SIZE(fields), &agent, dg) != 0)
		return -1;
	if (agent.command.nr == 0 || agent.command.v[0][0] == '\0')
		return diag_set(
		    dg, DIAG_CONFIG, "%s: command: missing or empty", label);
	digest_bytes(text, len, agent.digest);
	*ret_agent = agent;
	agent = (struct agent)AGENT_INIT;
	return 0;
}

/* Appends the name of the default agent; nothing if no file names one. */
static int
read_default(const struct paths *paths, struct strbuf *out, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (trusted_open(paths, paths->data_dir, DEFAULT_FILE, 0, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return 0;
	if (trusted_read(fd, DEFAULT_FILE, NAME_MAX, out, dg) != 0)
		return -1;
	strbuf_setlen(out, strcspn(out->buf, "\n"));
	return 0;
}

int
agent_load(struct agent *ret_agent, const char *name, const struct paths *paths,
    struct diag *dg)
{
	cleanup_catalog_file struct catalog_file file = CATALOG_FILE_INIT;
	cleanup_strbuf struct strbuf standard = STRBUF_INIT;

	if (read_default(paths, &standard, dg) != 0)
		return -1;
	if (*name == '\0')
		name = standard.buf;
	if (catalog_read(&catalog_agents, name, paths, &file, dg) != 0 ||
	    agent_parse(ret_agent, name, file.label, file.text.buf,
		file.text.len, dg) != 0)
		return -1;
	ret_agent->is_default = strcmp(name, standard.buf) == 0;
	if (file.replaces)
		ret_agent->replacement = steal_ptr(&file.label);
	return 0;
}

bool
agent_is_exact_version(const char *word)
{
	return strlen(word) <= VERSION_MAX && is_exact_version(word);
}

const char *
agent_check_version(const char *word)
{
	const char *at = strchr(word, '@');
	cleanup_free char *name =
	    at != NULL ? xstrndup(word, (size_t)(at - word)) : NULL;
	const char *version = at != NULL ? at + 1 : word;

	if ((name == NULL || catalog_is_name(name)) &&
	    (strcmp(version, AGENT_LATEST) == 0 ||
		agent_is_exact_version(version)))
		return NULL;
	return "is neither a version such as 1.2.3 nor " AGENT_LATEST
	       ", alone or after AGENT@";
}

char *
agent_package(const struct agent *agent)
{
	const char *word = agent->npm.nr > 0 ? agent->npm.v[0] : NULL;

	return word == NULL
	    ? NULL
	    : xstrndup(word, (size_t)(strrchr(word, '@') - word));
}

const char *
agent_package_version(const struct agent *agent)
{
	return agent->npm.nr > 0 ? strrchr(agent->npm.v[0], '@') + 1 : NULL;
}

/*
 * Returns the version that the words request for this agent, or NULL.  A word
 * that names the agent beats one without a name.
 */
static const char *
find_version(const struct strvec *words, const char *name)
{
	const char *version = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < words->nr; i++) {
		const char *word = words->v[i];

		if (strncmp(word, name, len) == 0 && word[len] == '@')
			return word + len + 1;
		if (strchr(word, '@') == NULL)
			version = word;
	}
	return version;
}

int
agent_choose(struct agent *ret_agent, const struct settings *settings,
    const struct paths *paths, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_free char *package = NULL;
	const char *version;

	if (agent_load(&agent, settings->agent, paths, dg) != 0)
		return -1;
	version = find_version(&settings->agent_version, agent.name);
	package = agent_package(&agent);
	if (version != NULL && package == NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "agent_version: agent %s has no npm package", agent.name);
	if (version != NULL &&
	    strcmp(version, agent_package_version(&agent)) != 0) {
		agent.version = xstrdup(version);
		free(agent.npm.v[0]);
		agent.npm.v[0] = xasprintf("%s@%s", package, version);
	}
	*ret_agent = agent;
	agent = (struct agent)AGENT_INIT;
	return 0;
}

char *
agent_command_line(const struct agent *agent, const char *words)
{
	return xasprintf("drydock %s%s%s", words,
	    agent->is_default ? "" : " --agent ",
	    agent->is_default ? "" : agent->name);
}

void
agent_release(struct agent *agent)
{
	char *const owned[] = { agent->name, agent->replacement, agent->version,
		agent->history_link, agent->token_variable, agent->token_advice,
		agent->token_prefix, agent->token_document,
		agent->guardrails.dir };
	struct strvec *const lists[] = { &agent->npm, &agent->command,
		&agent->resume_args, &agent->env, &agent->hosts,
		&agent->secrets, &agent->reserved_env, &agent->limits };

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		strvec_release(lists[i]);
	agent_sync_release(&agent->sync);
	strbuf_release(&agent->token_defaults);
	for (size_t i = 0; i < agent->guardrails.nr; i++) {
		free(agent->guardrails.v[i].path);
		strbuf_release(&agent->guardrails.v[i].data);
	}
	free(agent->guardrails.v);
	*agent = (struct agent)AGENT_INIT;
}
