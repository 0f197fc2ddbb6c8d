/* SPDX-License-Identifier: MIT */
/* settings: the table of settings, their validators and their sources. */

#include "host/settings.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/catalog.h"
#include "host/conffile.h"
#include "host/nearest.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/setting-value.h"
#include "host/sshproto.h"
#include "host/text.h"
#include "host/toolchain.h"
#include "host/upstream.h"

#define CONF_NAME "drydock.conf"
#define ENV_PREFIX "DRYDOCK_"
#define KIB INT64_C(1024)
#define MIB (KIB * KIB)
#define TIB (MIB * MIB)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static const char *
check_engine(const char *value)
{
	if (strncmp(value, "unix://", 7) == 0)
		value += 7;
	if (*value == '\0' || *value == '/')
		return NULL;
	if (strstr(value, "://") != NULL)
		return "is refused: only an engine on this machine, reached "
		       "by a unix socket, shares its files and processes";
	return "is not the absolute path of a socket";
}

static const char *
check_absolute(const char *value)
{
	return *value == '\0' || *value == '/' ? NULL
					       : "is not an absolute path";
}

static const char *
check_image(const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._/:@-";

	if (*value == '\0' || *value == '-' ||
	    value[strspn(value, allowed)] != '\0')
		return "is not the name of an image";
	return NULL;
}

static const char *
check_variable(const char *value)
{
	if (!text_is_variable(value))
		return "is not the name of a variable";
	return NULL;
}

static const char *
check_agent(const char *value)
{
	return *value == '\0' || catalog_is_name(value)
	    ? NULL
	    : "is not the name of an agent";
}

static const char *
check_toolchain(const char *value)
{
	return catalog_is_name(value) ? NULL : "is not the name of a toolchain";
}

static const char *
check_detach_key(const char *value)
{
	static const char keys[] = "abcdefghijklmnopqrstuvwxyz@\\]^_";

	if (strcmp(value, "none") == 0)
		return NULL;
	if (strncmp(value, "ctrl-", 5) != 0 || value[5] == '\0' ||
	    value[6] != '\0' || strchr(keys, value[5]) == NULL)
		return "is neither none nor ctrl- with a lower-case letter "
		       "or one of @ \\ ] ^ _";
	return NULL;
}

static const char *
check_below(const char *value)
{
	return text_is_below(value) ? NULL : "is not a path below the home";
}

static const char *
check_bind(const char *value)
{
	const char *colon = strchr(value, ':');

	if (value[0] != '/' || (colon != NULL && strcmp(colon, ":ro") != 0))
		return "is neither an absolute path nor one with :ro behind it";
	return NULL;
}

static const char *
check_fingerprint(const char *value)
{
	return sshproto_is_fingerprint(value)
	    ? NULL
	    : "is not the fingerprint of a key: SHA256:..., as \"ssh-add -l\" "
	      "prints it";
}

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
	{ "engine", SETTING_STRING, AT(engine), 0, 0, "", "SOCKET",
	    check_engine,
	    "the engine's unix socket; empty: DOCKER_HOST, the docker "
	    "context, or /var/run/docker.sock",
	    false },
	{ "docker", SETTING_STRING, AT(docker), 0, 0, "", "PROGRAM",
	    check_absolute,
	    "the docker program; empty: the system's, or one in PATH that "
	    "only root can replace",
	    false },
	{ "compose", SETTING_STRING, AT(compose), 0, 0, "", "PROGRAM",
	    check_absolute,
	    "the docker-compose program; empty: the system's, as for docker",
	    false },
	{ "base_image", SETTING_STRING, AT(base_image), 0, 0, "debian:12-slim",
	    "IMAGE", check_image, "image that both images start from", true },
	{ "packages", SETTING_WORDS, AT(packages), 0, 0, "", "NAMES",
	    toolchain_check_package, "Debian packages added to the agent image",
	    true },
	{ "toolchains", SETTING_WORDS, AT(toolchains), 0, 0, "", "NAMES",
	    check_toolchain,
	    "toolchains of the image, whose package managers' hosts are open",
	    true },
	{ "ca_file", SETTING_STRING, AT(ca_file), 0, 0, "", "FILE",
	    check_absolute,
	    "certificates (PEM) that the agent image trusts, besides those in "
	    "/usr/local/share/ca-certificates",
	    true },
	{ "memory", SETTING_SIZE, AT(memory), 64 * MIB, 64 * TIB, "8g", "SIZE",
	    NULL, "memory of a session", true },
	{ "cpus", SETTING_CPUS, AT(cpus_milli), 0, INT64_C(4096) * 1000, "0",
	    "NUMBER", NULL, "processors of a session; 0: all of the host's",
	    true },
	{ "pids", SETTING_INT, AT(pids), 64, 4194304, "2048", "NUMBER", NULL,
	    "processes and threads of a session", true },
	{ "tmp_size", SETTING_SIZE, AT(tmp_size), MIB, 64 * TIB, "1g", "SIZE",
	    NULL, "size of /tmp in a session; it is memory", true },
	{ "shm_size", SETTING_SIZE, AT(shm_size), MIB, 64 * TIB, "64m", "SIZE",
	    NULL, "size of /dev/shm in a session; it is memory", true },
	{ "disk_warn", SETTING_SIZE, AT(disk_warn), 0, 64 * TIB, "10g", "SIZE",
	    NULL,
	    "attach and gc report a session whose home is larger; 0: never",
	    false },
	{ "files_warn", SETTING_INT, AT(files_warn), 0, INT64_C(1000000000),
	    "1000000", "NUMBER", NULL,
	    "the same for the number of files in it; 0: never", false },
	{ "keep_ended", SETTING_DURATION, AT(keep_ended_ms), 0, 366 * DAY, "7d",
	    "TIME", NULL,
	    "how long the outcome of an ended session is kept; 0s: not "
	    "at all",
	    false },
	{ "pass_env", SETTING_WORDS, AT(pass_env), 0, 0, "", "NAMES",
	    check_variable,
	    "variables of the caller handed to the agent or command", true },
	{ "engine_timeout", SETTING_DURATION, AT(engine_timeout_ms), 100, HOUR,
	    "15s", "TIME", NULL, "how long one question to the engine takes",
	    false },
	{ "launch_timeout", SETTING_DURATION, AT(launch_timeout_ms), SECOND,
	    HOUR, "1m", "TIME", NULL, "how long the start of a session takes",
	    false },
	{ "build_timeout", SETTING_DURATION, AT(build_timeout_ms), SECOND,
	    24 * HOUR, "30m", "TIME", NULL, "how long one image build takes",
	    false },
	{ "agent", SETTING_STRING, AT(agent), 0, 0, "", "NAME", check_agent,
	    "the agent that run starts; empty: the one that the file "
	    "agents/default of the installation names",
	    true },
	{ "agent_version", SETTING_WORDS, AT(agent_version), 0, 0, "",
	    "VERSIONS", agent_check_version,
	    "version of the agent in its image, latest, or AGENT@VERSION; "
	    "empty: the one that was tested",
	    true },
	{ "mode", SETTING_STRING, AT(mode), 0, 0, "", "contained|dood", NULL,
	    "contained, or dood: the host's network and the engine's socket, "
	    "which is root on the host; empty or unknown: contained",
	    true },
	{ "agent_hosts", SETTING_BOOL, AT(agent_hosts), 0, 1, "yes", "yes|no",
	    NULL, "open the hosts that the agent needs itself", true },
	{ "upstream_proxy", SETTING_STRING, AT(upstream_proxy), 0, 0, "",
	    "http://HOST:PORT", upstream_check,
	    "proxy through which the proxy of contained sessions connects; "
	    "empty: none",
	    true },
	{ "ssh_agent", SETTING_BOOL, AT(ssh_agent), 0, 1, "no", "yes|no", NULL,
	    "let contained sessions sign with the keys of ssh_keys, by your "
	    "ssh agent",
	    true },
	{ "ssh_keys", SETTING_WORDS, AT(ssh_keys), 0, 0, "", "FINGERPRINTS",
	    check_fingerprint,
	    "keys of your ssh agent that sessions may use, as SHA256:...",
	    true },
	{ "clipboard", SETTING_BOOL, AT(clipboard), 0, 1, "no", "yes|no", NULL,
	    "let sessions read and write the terminal's clipboard", false },
	{ "detach_key", SETTING_STRING, AT(detach_key), 0, 0, "ctrl-\\", "KEY",
	    check_detach_key,
	    "key that leaves a session and keeps it running; or none", false },
	{ "sync_max_json", SETTING_SIZE, AT(sync_max_json), KIB, 1024 * MIB,
	    "64m", "SIZE", NULL,
	    "how large a JSON document of the agent's configuration may be",
	    false },
	{ "sync_max_size", SETTING_SIZE, AT(sync_max_size), MIB, 64 * TIB, "2g",
	    "SIZE", NULL, "how large the agent's whole configuration may be",
	    false },
	{ "sync_max_files", SETTING_INT, AT(sync_max_files), 16, 10000000,
	    "100000", "NUMBER", NULL,
	    "how many files, directories and links it may have", false },
	{ "seed_leave_out", SETTING_WORDS, AT(seed_leave_out), 0, 0, "",
	    "PATHS", check_below,
	    "paths below the home that sessions start without", true },
	{ "project_sockets", SETTING_BOOL, AT(project_sockets), 0, 1, "no",
	    "yes|no", NULL,
	    "let contained sessions reach programs of the host at unix "
	    "sockets in the project",
	    true },
	{ "binds", SETTING_WORDS, AT(binds), 0, 0, "", "PATHS", check_bind,
	    "directories that overlays may bind; PATH:ro only read-only",
	    true },
	{ "cache", SETTING_BOOL, AT(cache), 0, 1, "yes", "yes|no", NULL,
	    "keep the toolchains' caches of a project for its next session",
	    true },
	{ "cache_size", SETTING_SIZE, AT(cache_size), 0, 64 * TIB, "5g", "SIZE",
	    NULL,
	    "size of all kept caches; those used least recently are removed; "
	    "0: no limit",
	    false },
	{ "cache_seed", SETTING_SIZE, AT(cache_seed), 0, 64 * TIB, "1g", "SIZE",
	    NULL,
	    "how much is copied into an empty cache of what the project's "
	    "lock files name; 0: nothing",
	    true },
	{ "cache_days", SETTING_INT, AT(cache_days), 0, 36500, "30", "NUMBER",
	    NULL, "days after which an unused cache is removed; 0: never",
	    false },
	{ .name = NULL },
};

_Static_assert(
    ARRAY_SIZE(table) <= SETTINGS_MAX + 1, "more than SETTINGS_MAX settings");

const struct setting *
settings_table(void)
{
	return table;
}

const struct setting *
settings_find(const char *name)
{
	for (const struct setting *row = table; row->name != NULL; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

static void *
member(struct settings *s, const struct setting *row)
{
	return (char *)s + row->offset;
}

static const void *
const_member(const struct settings *s, const struct setting *row)
{
	return (const char *)s + row->offset;
}

/* Checks value; stores it if keep is true. */
static int
write_row(struct settings *s, const struct setting *row, bool keep,
    const char *value, const char *origin, struct diag *dg)
{
	int64_t number;

	if (row->type == SETTING_WORDS) {
		cleanup_strvec struct strvec unused = STRVEC_INIT;

		return setting_value_words(
		    row, value, origin, keep ? member(s, row) : &unused, dg);
	}
	if (row->type == SETTING_STRING) {
		char **string = member(s, row);

		if (setting_value_check(row, value, origin, dg) != 0)
			return -1;
		if (!keep)
			return 0;
		value = xstrdup(value);
		cleanup_free_fn(string);
		memcpy(string, &value, sizeof(value));
		return 0;
	}
	if (setting_value_number(row, value, origin, &number, dg) != 0)
		return -1;
	if (keep && row->type == SETTING_BOOL)
		*(bool *)member(s, row) = number != 0;
	else if (keep)
		*(int64_t *)member(s, row) = number;
	return 0;
}

static int
set_row(struct settings *s, const struct setting *row,
    enum settings_source source, const char *value, const char *origin,
    struct diag *dg)
{
	unsigned char *now = &s->sources[row - table];
	bool keep = source >= *now;

	if (source == SETTINGS_PROJECT && !row->per_project)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: %s cannot be set for one project: set it in "
		    "drydock.conf",
		    origin, row->name);
	if (write_row(s, row, keep, value, origin, dg) != 0)
		return -1;
	if (keep)
		*now = (unsigned char)source;
	return 0;
}

void
settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (const struct setting *row = table; row->name != NULL; row++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		if (row->type == SETTING_WORDS)
			strvec_init(member(s, row));
		/* A test verifies that every fallback parses. */
		(void)set_row(
		    s, row, SETTINGS_DEFAULT, row->fallback, "default", &dg);
	}
}

void
settings_release(struct settings *s)
{
	for (const struct setting *row = table; row->name != NULL; row++) {
		if (row->type == SETTING_STRING) {
			cleanup_free_fn(member(s, row));
		} else if (row->type == SETTING_WORDS) {
			strvec_release(member(s, row));
		}
	}
}

/* Fails with DIAG_CONFIG "ORIGIN: unknown key "NAME" (nearest: ...)". */
static int
fail_unknown(const char *origin, const char *name, struct diag *dg)
{
	struct nearest near;

	nearest_init(&near, name);
	for (const struct setting *row = table; row->name != NULL; row++)
		nearest_offer(&near, row->name);
	if (near.name == NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "%s: unknown key \"%s\"", origin, name);
	return diag_set(dg, DIAG_CONFIG, "%s: unknown key \"%s\" (nearest: %s)",
	    origin, name, near.name);
}

int
settings_set(struct settings *s, enum settings_source source, const char *name,
    const char *value, const char *origin, struct diag *dg)
{
	const struct setting *row = settings_find(name);

	if (row == NULL)
		return fail_unknown(origin, name, dg);
	return set_row(s, row, source, value, origin, dg);
}

void
settings_print_value(
    const struct settings *s, const struct setting *row, struct strbuf *out)
{
	const void *at = const_member(s, row);

	switch (row->type) {
	case SETTING_STRING:
		strbuf_addstr(out, *(char *const *)at);
		break;
	case SETTING_WORDS: {
		cleanup_free char *words = strvec_join(at, " ");

		strbuf_addstr(out, words);
		break;
	}
	case SETTING_BOOL:
		setting_value_print(row->type, *(const bool *)at, out);
		break;
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_CPUS:
	case SETTING_DURATION:
		setting_value_print(row->type, *(const int64_t *)at, out);
		break;
	}
}

void
settings_print_row(
    const struct settings *s, const struct setting *row, struct strbuf *out)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	settings_print_value(s, row, &value);
	strbuf_addf(out, "%s = ", row->name);
	conffile_quote(value.buf, out);
}

int
settings_parse(struct settings *s, enum settings_source source,
    const char *name, const char *text, size_t len, struct diag *dg)
{
	cleanup_conf_entry struct conf_entry entry = CONF_ENTRY_INIT;
	size_t seen[ARRAY_SIZE(table)] = { 0 };
	struct lines lines;
	int rc;

	if (lines_init(&lines, name, text, len, SETTINGS_FILE_MAX, dg) != 0)
		return -1;
	while ((rc = conffile_next(&lines, &entry, dg)) > 0) {
		cleanup_free char *origin =
		    xasprintf("%s:%zu", name, lines.number);
		const struct setting *row = settings_find(entry.key);
		size_t *first = row != NULL ? &seen[row - table] : NULL;

		if (first != NULL && *first != 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: %s is already set in line %zu", origin,
			    entry.key, *first);
		if (first != NULL)
			*first = lines.number;
		if (settings_set(
			s, source, entry.key, entry.value.buf, origin, dg) != 0)
			return -1;
	}
	return rc;
}

static bool
is_foreign_variable(const char *name)
{
	/* Sessions set the last two, and drydock may run in a session. */
	return strncmp(name, ENV_PREFIX "TEST_", 13) == 0 ||
	    strcmp(name, ENV_PREFIX "VERSION") == 0 ||
	    strcmp(name, ENV_PREFIX "SESSION") == 0;
}

/* Returned: the row's variable, DRYDOCK_MEMORY for memory. */
static char *
variable_name(const struct setting *row)
{
	char *name = xasprintf(ENV_PREFIX "%s", row->name);

	for (char *p = name; *p != '\0'; p++)
		*p = text_upper(*p);
	return name;
}

static int
fail_unknown_variable(const char *name, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct nearest near;

	nearest_init(&near, name);
	for (const struct setting *row = table; row->name != NULL; row++)
		strvec_push_given(&names, variable_name(row));
	for (size_t i = 0; i < names.nr; i++)
		nearest_offer(&near, names.v[i]);
	if (near.name == NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "environment: unknown variable %s", name);
	return diag_set(dg, DIAG_CONFIG,
	    "environment: unknown variable %s (nearest: %s)", name, near.name);
}

static int
set_variable(struct settings *s, const char *entry, struct diag *dg)
{
	const char *equals = strchr(entry, '=');
	cleanup_free char *name = NULL;

	if (equals == NULL || equals[1] == '\0')
		return 0;
	name = xstrndup(entry, (size_t)(equals - entry));
	if (is_foreign_variable(name))
		return 0;
	for (const struct setting *row = table; row->name != NULL; row++) {
		cleanup_free char *variable = variable_name(row);

		if (strcmp(variable, name) == 0)
			return set_row(
			    s, row, SETTINGS_ENVIRONMENT, equals + 1, name, dg);
	}
	return fail_unknown_variable(name, dg);
}

char *
settings_file_name(const struct project *project)
{
	return project == NULL ? xstrdup(CONF_NAME)
			       : xasprintf("%s/" CONF_NAME, project->config);
}

/* Reads one file of the configuration directory.  *ret_any: it has text. */
static int
load_file(struct settings *s, enum settings_source source,
    const struct paths *paths, const char *name, bool *ret_any, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file = xasprintf("%s/%s", paths->config_dir, name);

	if (paths_read_config_file(paths, name, SETTINGS_FILE_MAX, &text, dg) !=
	    0)
		return -1;
	*ret_any = text.len > 0;
	return settings_parse(s, source, file, text.buf, text.len, dg);
}

int
settings_load(struct settings *s, const struct paths *paths,
    const char *const *environ_, struct diag *dg)
{
	bool ignored;

	if (load_file(s, SETTINGS_FILE, paths, CONF_NAME, &ignored, dg) != 0)
		return -1;
	for (; *environ_ != NULL; environ_++) {
		if (strncmp(*environ_, ENV_PREFIX, strlen(ENV_PREFIX)) == 0 &&
		    set_variable(s, *environ_, dg) != 0)
			return -1;
	}
	return 0;
}

int
settings_load_project(struct settings *s, const struct paths *paths,
    const struct project *project, struct diag *dg)
{
	cleanup_free char *name = settings_file_name(project);

	return load_file(s, SETTINGS_PROJECT, paths, name, &s->of_project, dg);
}

enum settings_source
settings_source(const struct settings *s, const char *name)
{
	return s->sources[settings_find(name) - table];
}

char *
settings_option_name(const char *setting)
{
	char *option = xstrdup(setting);

	for (char *p = option; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	return option;
}

char *
settings_source_text(const struct settings *s, const struct setting *row,
    const struct paths *paths, const struct project *project)
{
	enum settings_source source = s->sources[row - table];
	cleanup_free char *name = NULL;
	cleanup_free char *option = NULL;

	switch (source) {
	case SETTINGS_DEFAULT:
		return xstrdup("default");
	case SETTINGS_FILE:
	case SETTINGS_PROJECT:
		name = settings_file_name(
		    source == SETTINGS_PROJECT ? project : NULL);
		return xasprintf("%s/%s", paths->config_dir, name);
	case SETTINGS_ENVIRONMENT:
		return variable_name(row);
	case SETTINGS_OPTION:
		break;
	}
	option = settings_option_name(row->name);
	return xasprintf("--%s", option);
}
