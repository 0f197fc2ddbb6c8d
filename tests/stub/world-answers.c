/* SPDX-License-Identifier: MIT */
/* What docker answers to drydock's questions, and what it removes by id. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/xalloc.h"

#define ID_LEN 64

/* The names in a directory of the world, without hidden ones. */
static void
list(const struct world *w, const char *what, struct strvec *names)
{
	cleanup_free char *path = xasprintf("%s/%s", w->dir, what);
	cleanup_closedir DIR *dir = opendir(path);

	if (dir == NULL)
		world_die("read %s: %s", path, strerror(errno));
	for (const struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.')
			strvec_push(names, e->d_name);
}

static void
answer_info(struct world *w)
{
	cleanup_free char *path = xasprintf("%s/id", w->dir);
	cleanup_free char *id = world_read(path, false);
	cleanup_free char *version_path = xasprintf("%s/version", w->dir);
	cleanup_free char *version = world_read(version_path, false);
	cleanup_free char *root = xasprintf("%s/root", w->dir);

	strbuf_addf(&w->out,
	    "{\"ID\":\"%s\",\"DockerRootDir\":\"%s\",\"ServerVersion\":\"%s\","
	    "\"OperatingSystem\":\"World\",\"OSType\":\"linux\","
	    "\"CgroupVersion\":\"2\","
	    "\"SecurityOptions\":[\"name=seccomp,profile=builtin\"]}\n",
	    world_has_fault(w, "id") ? w->value : id,
	    world_has_fault(w, "root") ? w->value : root, version);
}

/* Whether the labels (an object) have each --filter=label=NAME=VALUE. */
static bool
has_labels(const struct world *w, const struct json *labels)
{
	static const char prefix[] = "--filter=label=";

	for (char *const *a = w->argv; *a != NULL; a++) {
		const char *label = *a + sizeof(prefix) - 1;
		cleanup_free char *name = NULL;
		const char *value;

		if (strncmp(*a, prefix, sizeof(prefix) - 1) != 0)
			continue;
		name = xstrndup(label, strcspn(label, "="));
		value = json_string(json_get(labels, name));
		if (value == NULL ||
		    (label[strlen(name)] == '=' &&
			strcmp(value, label + strlen(name) + 1) != 0))
			return false;
	}
	return true;
}

/* Whether whoever asks is still there: a killed one holds no lease. */
static bool
is_asked(void)
{
	char path[64];
	cleanup_free char *comm = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)getppid());
	comm = world_read(path, true);
	return comm != NULL && strncmp(comm, "drydock", 7) == 0;
}

/*
 * Whatever an answer about all containers is wanted for, the lease of what it
 * is about was won before: sessions with all leases free are a mistake.
 */
static void
check_leases(struct world *w)
{
	const char *config = getenv("DOCKER_CONFIG");
	cleanup_free char *path =
	    xasprintf("%s/../sessions", config == NULL ? "" : config);
	cleanup_closedir DIR *dir = opendir(path);
	size_t nr = 0;
	size_t held = 0;

	for (const struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
		cleanup_free char *lease =
		    xasprintf("%s/%s/lease", path, e->d_name);
		cleanup_close int fd = open(lease, O_RDWR | O_CLOEXEC);

		if (fd == -1)
			continue;
		nr++;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0)
			held++;
	}
	if (nr > 0 && held == 0 && is_asked())
		world_complain(w, "asked before any lease was won");
}

static void
answer_ps(struct world *w)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	check_leases(w);

	list(w, "containers", &ids);
	for (size_t i = 0; i < ids.nr; i++) {
		cleanup_free char *path =
		    xasprintf("%s/containers/%s/labels", w->dir, ids.v[i]);
		cleanup_free char *text = world_read(path, true);
		cleanup_json struct json *labels = NULL;

		if (text == NULL)
			continue;
		labels = world_parse(text, path);
		if (has_labels(w, labels))
			strbuf_addf(&w->out, "%s\n", ids.v[i]);
	}
}

static void
answer_images(struct world *w)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	list(w, "images", &names);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path =
		    xasprintf("%s/images/%s", w->dir, names.v[i]);
		cleanup_free char *text = world_read(path, false);
		cleanup_json struct json *image = world_parse(text, path);
		const struct json *config = json_get(image, "Config");

		if (has_labels(w, json_get(config, "Labels")))
			strbuf_addf(&w->out, "%s\n",
			    json_string_or(json_get(image, "Id"), ""));
	}
}

/* "running PID STARTED" or "exited CODE STARTED FINISHED" as JSON. */
static void
add_state(struct world *w, const char *dir)
{
	cleanup_free char *path = xasprintf("%s/state", dir);
	cleanup_free char *text = world_read(path, true);
	char word[16] = "created";
	char started[64] = "0001-01-01T00:00:00Z";
	char finished[64] = "0001-01-01T00:00:00Z";
	long n = 0;
	bool runs;

	if (text != NULL)
		(void)sscanf(
		    text, "%15s %ld %63s %63s", word, &n, started, finished);
	runs = strcmp(word, "running") == 0;
	/* Its init could not tell its end. */
	if (runs && !world_is_alive((pid_t)n)) {
		free(text);
		text = world_read(path, true);
		if (text != NULL)
			(void)sscanf(text, "%15s %ld %63s %63s", word, &n,
			    started, finished);
		runs = false;
		if (strcmp(word, "running") == 0) {
			(void)snprintf(word, sizeof(word), "exited");
			n = 128 + SIGKILL;
			(void)snprintf(
			    finished, sizeof(finished), "%s", started);
		}
	}
	strbuf_addf(&w->out,
	    "\"State\":{\"Status\":\"%s\",\"Running\":%s,\"Pid\":%ld,"
	    "\"ExitCode\":%ld,\"OOMKilled\":false,\"Error\":\"\","
	    "\"StartedAt\":\"%s\",\"FinishedAt\":\"%s\"}",
	    word, runs ? "true" : "false", runs ? n : 0, runs ? 0 : n, started,
	    finished);
}

static bool
add_container(struct world *w, const char *id)
{
	cleanup_free char *dir = world_container(w, id);
	cleanup_free char *path = xasprintf("%s/body", dir);
	cleanup_free char *body = world_read(path, true);

	if (body == NULL)
		return false;
	strbuf_addf(&w->out, "{\"Id\":\"%s\",", id);
	add_state(w, dir);
	strbuf_addf(&w->out, ",%s}", body);
	return true;
}

static bool
add_image(struct world *w, const char *name)
{
	cleanup_free char *path = NULL;
	cleanup_free char *text = NULL;

	if (strncmp(name, "sha256:", 7) == 0)
		name += 7;
	path = xasprintf("%s/images/%s", w->dir, name);
	if (strchr(name, '/') == NULL)
		text = world_read(path, true);
	if (text == NULL)
		return false;
	strbuf_addstr(&w->out, text);
	return true;
}

static void
answer_inspect(struct world *w)
{
	const char *kind = world_option(w, "--type=");
	bool image = kind != NULL && strcmp(kind, "image") == 0;
	bool first = true;

	strbuf_addstr(&w->out, "[");
	for (char *const *a = w->argv + 1; *a != NULL; a++) {
		size_t len;

		if (**a == '-')
			continue;
		if (!image && world_has_fault(w, "vanish"))
			world_remove(w, *a);
		len = w->out.len;
		if (!first)
			strbuf_addstr(&w->out, ",");
		if (image ? add_image(w, *a) : add_container(w, *a)) {
			first = false;
			continue;
		}
		strbuf_setlen(&w->out, len);
		strbuf_addf(&w->err,
		    "Error response from daemon: No such %s: %s\n",
		    image ? "image" : "container", *a);
		w->status = 1;
	}
	strbuf_addstr(&w->out, "]\n");
}

static bool
is_id(const char *word)
{
	return strlen(word) == ID_LEN &&
	    strspn(word, "0123456789abcdef") == ID_LEN;
}

/* rm, start and stop: ids alone, never a name. */
static void
change(struct world *w)
{
	const char *grace = "10";

	for (char *const *a = w->argv + 1; *a != NULL; a++) {
		cleanup_free char *dir = NULL;

		if (strcmp(*a, "-t") == 0 && a[1] != NULL) {
			grace = *++a;
			continue;
		}
		if (**a == '-')
			continue;
		if (!is_id(*a))
			world_complain(w, "'%s' is no full id", *a);
		dir = world_container(w, *a);
		if (access(dir, F_OK) != 0) {
			strbuf_addf(&w->err,
			    "Error response from daemon: No such "
			    "container: %s\n",
			    *a);
			w->status = 1;
			continue;
		}
		if (strcmp(w->key, "rm") == 0)
			world_remove(w, *a);
		else if (strcmp(w->key, "start") == 0)
			world_start(w, *a);
		else
			world_stop(w, *a, (int)strtol(grace, NULL, 10));
		strbuf_addf(&w->out, "%s\n", *a);
	}
}

bool
world_answer(struct world *w)
{
	const char *key = w->key;

	if (strcmp(key, "info") == 0)
		answer_info(w);
	else if (strcmp(key, "version") == 0)
		strbuf_addstr(&w->out, "26.1.5\n");
	else if (strcmp(key, "compose-version") == 0)
		strbuf_addstr(&w->out, "2.26.1\n");
	else if (strcmp(key, "ps") == 0)
		answer_ps(w);
	else if (strcmp(key, "image-ls") == 0)
		answer_images(w);
	else if (strcmp(key, "inspect") == 0 ||
	    strcmp(key, "image-inspect") == 0)
		answer_inspect(w);
	else if (strcmp(key, "rm") == 0 || strcmp(key, "start") == 0 ||
	    strcmp(key, "stop") == 0)
		change(w);
	else if (strcmp(key, "exec") == 0)
		world_exec(w);
	else if (strcmp(key, "logs") == 0)
		world_logs(w);
	else
		return false;
	return true;
}
