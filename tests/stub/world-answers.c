/* SPDX-License-Identifier: MIT */
/* What the engine answers to drydock's questions, and does by id. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
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

bool
world_has_labels(const struct world *w, const struct json *labels)
{
	cleanup_free char *text = world_query(w, "filters");
	cleanup_json struct json *filters =
	    text == NULL ? NULL : world_parse(text, "filters");
	const struct json *wanted = json_get(filters, "label");

	for (size_t i = 0; i < json_len(wanted); i++) {
		const char *label = json_string_or(json_at(wanted, i), "");
		cleanup_free char *name = xstrndup(label, strcspn(label, "="));
		const char *value = json_string(json_get(labels, name));

		if (value == NULL ||
		    (label[strlen(name)] == '=' &&
			strcmp(value, label + strlen(name) + 1) != 0))
			return false;
	}
	return true;
}

enum {
	GONE_MS = 10
};

/* Whether whoever asks is still there: a killed one holds no lease. */
static bool
is_asked(const struct world *w)
{
	struct ucred peer = { 0, 0, 0 };
	socklen_t len = sizeof(peer);
	char path[64];
	cleanup_free char *comm = NULL;

	struct pollfd gone = { .fd = w->peer, .events = POLLRDHUP };

	(void)getsockopt(w->peer, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	/* Its descriptors are closed one by one; a zombie keeps its name. */
	if (poll(&gone, 1, GONE_MS) == 1)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)peer.pid);
	comm = world_read(path, true);
	return comm != NULL && strncmp(comm, "drydock", 7) == 0;
}

/*
 * Whatever an answer about all containers is wanted for, the lease of what it
 * is about was won before: sessions with all leases free are a mistake.  The
 * caller's state lies beside the world.
 */
static void
check_leases(struct world *w)
{
	cleanup_free char *path =
	    xasprintf("%s/../state/drydock/sessions", w->top);
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
	if (nr > 0 && held == 0 && is_asked(w))
		world_complain(w, "asked before any lease was won");
}

void
world_list(struct world *w, const char *id, const struct json *labels)
{
	struct jsonw *j = jsonw_new(false);

	if (w->out.len > 1)
		strbuf_addch(&w->out, ',');
	jsonw_open_object(j);
	jsonw_key_str(j, "Id", id);
	jsonw_key(j, "Labels");
	if (labels != NULL)
		jsonw_node(j, labels);
	else
		jsonw_null(j);
	jsonw_close_object(j);
	if (jsonw_finish(j, &w->out, NULL) != 0)
		world_die("a listing");
}

static void
answer_ps(struct world *w)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	check_leases(w);
	list(w, "containers", &ids);
	strbuf_addch(&w->out, '[');
	for (size_t i = 0; i < ids.nr; i++) {
		cleanup_free char *path =
		    xasprintf("%s/containers/%s/labels", w->dir, ids.v[i]);
		cleanup_free char *text = world_read(path, true);
		cleanup_json struct json *labels = NULL;

		if (text == NULL)
			continue;
		labels = world_parse(text, path);
		if (world_has_labels(w, labels))
			world_list(w, ids.v[i], labels);
	}
	strbuf_addstr(&w->out, "]\n");
}

static void
answer_images(struct world *w)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	list(w, "images", &names);
	strbuf_addch(&w->out, '[');
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path =
		    xasprintf("%s/images/%s", w->dir, names.v[i]);
		cleanup_free char *text = world_read(path, false);
		cleanup_json struct json *image = world_parse(text, path);
		const struct json *labels =
		    json_get(json_get(image, "Config"), "Labels");

		if (world_has_labels(w, labels))
			world_list(w, json_string_or(json_get(image, "Id"), ""),
			    labels);
	}
	strbuf_addstr(&w->out, "]\n");
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
	bool image = strcmp(w->key, "image-inspect") == 0;

	if (!image && world_has_fault(w, "vanish"))
		world_remove(w, w->subject);
	if (image ? !add_image(w, w->subject) : !add_container(w, w->subject))
		world_deny(w);
}

/* rm, start and stop: ids alone, never a name. */
static void
change(struct world *w)
{
	cleanup_free char *dir = world_container(w, w->subject);
	cleanup_free char *grace = world_query(w, "t");

	if (strlen(w->subject) != ID_LEN ||
	    strspn(w->subject, "0123456789abcdef") != ID_LEN)
		world_complain(w, "'%s' is no full id", w->subject);
	if (access(dir, F_OK) != 0)
		world_deny(w);
	else if (strcmp(w->key, "rm") == 0)
		world_remove(w, w->subject);
	else if (strcmp(w->key, "start") == 0)
		world_start(w, w->subject);
	else
		world_stop(w, w->subject,
		    grace == NULL ? 10 : (int)strtol(grace, NULL, 10));
}

/* By id alone, and without force. */
static void
remove_image(struct world *w)
{
	cleanup_free char *force = world_query(w, "force");
	cleanup_free char *path = NULL;

	if (strncmp(w->subject, "sha256:", 7) != 0 ||
	    strlen(w->subject) != 7 + ID_LEN)
		world_complain(w, "'%s' is no image's id", w->subject);
	if (force == NULL || strcmp(force, "0") != 0)
		world_complain(w, "an image is removed by force");
	path = xasprintf("%s/images/%s", w->dir,
	    strchr(w->subject, '/') == NULL ? w->subject + 7 : "");
	if (unlink(path) != 0)
		world_deny(w);
	else
		strbuf_addstr(&w->out, "[]\n");
}

static void
answer_version(struct world *w)
{
	char least[16];
	char most[16];

	if (!world_has_fault(w, "api"))
		strbuf_addstr(&w->out, WORLD_VERSION);
	else if (sscanf(w->value, "%15s %15s", least, most) == 2)
		strbuf_addf(&w->out,
		    "{\"Version\":\"26.1.5\",\"ApiVersion\":\"%s\","
		    "\"MinAPIVersion\":\"%s\"}\n",
		    most, least);
}

bool
world_answer(struct world *w)
{
	static const struct {
		const char *key;
		void (*answer)(struct world *w);
	} answers[] = {
		{ "version", answer_version },
		{ "info", answer_info },
		{ "ps", answer_ps },
		{ "image-ls", answer_images },
		{ "inspect", answer_inspect },
		{ "image-inspect", answer_inspect },
		{ "rm", change },
		{ "start", change },
		{ "stop", change },
		{ "image-rm", remove_image },
		{ "logs", world_logs },
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		if (strcmp(w->key, answers[i].key) != 0)
			continue;
		answers[i].answer(w);
		return true;
	}
	return false;
}
