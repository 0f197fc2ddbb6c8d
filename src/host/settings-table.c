/* SPDX-License-Identifier: MIT */
/* The table of settings, and the validators of its rows. */
#include "host/settings.h"

#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/catalog.h"
#include "host/sshproto.h"
#include "host/text.h"
#include "host/toolchain.h"

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
	if (*value == '\0' || *value == '-' ||
	    value[strspn(value, ASCII_ALNUM "._/:@-")] != '\0')
		return "is not the name of an image";
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
	    text_check_variable,
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
