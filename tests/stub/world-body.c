/* SPDX-License-Identifier: MIT */
/*
 * What is known of a container: by inspect, and by /proc, where a test build
 * of drydock reads the files that are written here.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/xalloc.h"

char *
world_undouble(const char *s)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (; *s != '\0'; s++) {
		strbuf_addch(&out, *s);
		if (s[0] == '$' && s[1] == '$')
			s++;
	}
	return strbuf_detach(&out, NULL);
}

static bool
differs(const struct world *w, const char *what)
{
	return world_has_fault(w, "differ") && strcmp(w->value, what) == 0;
}

static char *
text_of(const struct json *service, const char *key, const char *fallback)
{
	const struct json *n = json_get(service, key);
	const char *number = json_number(n);

	return world_undouble(
	    number != NULL ? number : json_string_or(n, fallback));
}

static void
put(const char *dir, const char *name, const struct strbuf *text)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);

	world_write(path, text->buf, text->len);
}

/* The image's, and the plan's over it. */
static void
add_environment(
    const struct world *w, const struct json *service, struct jsonw *j)
{
	cleanup_strvec struct strvec all = STRVEC_INIT;
	cleanup_free char *image = text_of(service, "image", "sha256:");
	cleanup_free char *path =
	    xasprintf("%s/images/%s", w->dir, image + strlen("sha256:"));
	cleanup_free char *text = world_read(path, false);
	cleanup_json struct json *root = world_parse(text, path);
	const struct json *env = json_get(json_get(root, "Config"), "Env");
	const struct json *own = json_get(service, "environment");

	for (size_t i = 0; i < json_len(env); i++)
		strvec_push(&all, json_string_or(json_at(env, i), ""));
	for (size_t i = 0; i < json_len(own); i++) {
		const char *key = json_key_at(own, i);
		cleanup_free char *value = text_of(own, key, "");

		strvec_setenv(&all, key, value);
	}
	if (differs(w, "env"))
		strvec_push(&all, "LD_PRELOAD=/tmp/x.so");
	jsonw_key_array(j, "Env");
	for (size_t i = 0; i < all.nr; i++)
		jsonw_str(j, all.v[i]);
	jsonw_close_array(j);
}

static void
add_words(const struct json *list, const char *key, struct jsonw *j)
{
	jsonw_key_array(j, key);
	for (size_t i = 0; i < json_len(list); i++) {
		cleanup_free char *word =
		    world_undouble(json_string_or(json_at(list, i), ""));

		jsonw_str(j, word);
	}
	jsonw_close_array(j);
}

static void
add_config(const struct world *w, const struct json *service, struct jsonw *j)
{
	const struct json *labels = json_get(service, "labels");
	cleanup_free char *user = text_of(service, "user", "");
	cleanup_free char *cwd = text_of(service, "working_dir", "");
	char hash[DIGEST_HEX_SIZE];

	jsonw_key_object(j, "Config");
	jsonw_key_str(j, "User", user);
	jsonw_key_str(j, "WorkingDir", cwd);
	add_environment(w, service, j);
	add_words(json_get(service, "entrypoint"), "Entrypoint", j);
	add_words(json_get(service, "command"), "Cmd", j);
	jsonw_key_object(j, "Labels");
	for (size_t i = 0; i < json_len(labels); i++) {
		const char *key = json_key_at(labels, i);
		cleanup_free char *value = text_of(labels, key, "");

		jsonw_key_str(j, key,
		    differs(w, "label") && strstr(key, "role") != NULL ? "other"
								       : value);
	}
	world_hash(service, hash);
	jsonw_key_str(j, "com.docker.compose.config-hash", hash);
	jsonw_close_object(j);
	jsonw_close_object(j);
}

static void
add_security(const struct json *service, struct jsonw *j)
{
	static const char seccomp[] = "seccomp=";
	const struct json *list = json_get(service, "security_opt");

	jsonw_key_array(j, "SecurityOpt");
	for (size_t i = 0; i < json_len(list); i++) {
		cleanup_free char *opt =
		    world_undouble(json_string_or(json_at(list, i), ""));

		if (strncmp(opt, seccomp, sizeof(seccomp) - 1) != 0) {
			jsonw_str(j, opt);
			continue;
		}
		cleanup_free char *profile =
		    world_read(opt + sizeof(seccomp) - 1, false);
		cleanup_free char *value = xasprintf("seccomp=%s", profile);

		jsonw_str(j, value);
	}
	jsonw_close_array(j);
}

static void
add_host_config(
    const struct world *w, const struct json *service, struct jsonw *j)
{
	cleanup_free char *restart = text_of(service, "restart", "no");
	cleanup_free char *net = text_of(service, "network_mode", "bridge");
	cleanup_free char *ipc = text_of(service, "ipc", "private");
	cleanup_free char *cgroup = text_of(service, "cgroup", "private");
	const struct json *logging = json_get(service, "logging");

	const char *count = restart + strcspn(restart, ":");
	const struct json *ulimits = json_get(service, "ulimits");
	const struct json *options = json_get(logging, "options");
	int64_t retries = *count == ':' ? strtol(count + 1, NULL, 10) : 0;

	restart[count - restart] = '\0';
	jsonw_key_object(j, "HostConfig");
	jsonw_key_str(j, "NetworkMode", net);
	jsonw_key_str(j, "IpcMode", ipc);
	jsonw_key_str(j, "CgroupnsMode", cgroup);
	jsonw_key_bool(j, "Privileged", differs(w, "privileged"));
	jsonw_key_object(j, "RestartPolicy");
	jsonw_key_str(j, "Name", restart);
	jsonw_key_int(j, "MaximumRetryCount", retries);
	jsonw_close_object(j);
	jsonw_key_bool(j, "Init", json_bool(json_get(service, "init"), false));
	jsonw_key_array(j, "Ulimits");
	for (size_t i = 0; i < json_len(ulimits); i++) {
		int64_t value = 0;

		(void)json_int(json_value_at(ulimits, i), &value);
		jsonw_open_object(j);
		jsonw_key_str(j, "Name", json_key_at(ulimits, i));
		jsonw_key_int(j, "Hard", value);
		jsonw_key_int(j, "Soft", value);
		jsonw_close_object(j);
	}
	jsonw_close_array(j);
	jsonw_key_object(j, "LogConfig");
	jsonw_key_str(j, "Type",
	    json_string_or(json_get(logging, "driver"), "json-file"));
	if (options != NULL)
		jsonw_key_node(j, "Config", options);
	jsonw_close_object(j);
	add_security(service, j);
	jsonw_close_object(j);
}

/* An object without its braces, which the state is put before. */
void
world_write_body(const struct world *w, const char *dir,
    const struct json *service, const char *role, const char *project)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *image = text_of(service, "image", "");
	cleanup_free char *name = xasprintf("/%s-%s-1", project, role);
	struct jsonw *j = jsonw_new(false);
	char *end;

	if (differs(w, "image"))
		image[strlen("sha256:")] =
		    image[strlen("sha256:")] == '0' ? '1' : '0';
	jsonw_open_object(j);
	jsonw_key_str(j, "Name", name);
	jsonw_key_str(j, "Image", image);
	add_config(w, service, j);
	add_host_config(w, service, j);
	jsonw_close_object(j);
	if (jsonw_finish(j, &text, NULL) != 0)
		world_die("body");
	end = strrchr(text.buf, '}');
	strbuf_setlen(&text, (size_t)(end - text.buf));
	memmove(text.buf, text.buf + 1, text.len);
	strbuf_setlen(&text, text.len - 1);
	put(dir, "body", &text);
}

static void
write_status(const struct world *w, const char *dir, const struct json *service)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *user = text_of(service, "user", "0:0");
	const struct json *groups = json_get(service, "group_add");
	const char *gid = user + strcspn(user, ":");
	int uid_len = (int)(gid - user);

	gid += *gid == ':' ? 1 : 0;
	strbuf_addf(&text, "Uid:\t%.*s\t%.*s\t%.*s\t%.*s\n", uid_len, user,
	    uid_len, user, uid_len, user, uid_len, user);
	strbuf_addf(
	    &text, "Gid:\t%s\t%s\t%s\t%s\nGroups:\t", gid, gid, gid, gid);
	for (size_t i = 0; i < json_len(groups); i++)
		strbuf_addf(
		    &text, "%s ", json_string_or(json_at(groups, i), ""));
	strbuf_addf(&text,
	    "\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
	    "CapEff:\t00000000000%s00000\nCapBnd:\t0000000000000000\n"
	    "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	    "Seccomp_filters:\t1\n",
	    differs(w, "caps") ? "2" : "0");
	put(dir, "status", &text);
}

static void
add_mount(struct strbuf *text, const char *target, const char *options,
    const char *kind, const char *super)
{
	strbuf_addstr(text, "1 0 0:1 / ");
	for (; *target != '\0'; target++) {
		if (*target == ' ' || *target == '\\')
			strbuf_addf(text, "\\%03o", (unsigned)*target);
		else
			strbuf_addch(text, *target);
	}
	strbuf_addf(text, " %s - %s none %s\n", options, kind, super);
}

static void
add_tmpfs(struct strbuf *text, const char *spec)
{
	size_t len = strcspn(spec, ":");
	cleanup_free char *target = xstrndup(spec, len);
	const char *size = strstr(spec, "size=");
	char *unit = NULL;
	long long bytes =
	    size == NULL ? 0 : strtoll(size + strlen("size="), &unit, 10);
	char super[64];

	if (unit != NULL && *unit == 'k')
		bytes <<= 10;
	if (unit != NULL && *unit == 'm')
		bytes <<= 20;
	if (unit != NULL && *unit == 'g')
		bytes <<= 30;
	(void)snprintf(super, sizeof(super), "rw,size=%lldk", bytes >> 10);
	add_mount(text, target,
	    strstr(spec, "noexec") != NULL ? "rw,nosuid,nodev,noexec"
					   : "rw,nosuid,nodev",
	    "tmpfs", super);
}

static void
write_mounts(const struct world *w, const char *dir, const struct json *service)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *volumes = json_get(service, "volumes");
	const struct json *tmpfs = json_get(service, "tmpfs");
	bool ro = json_bool(json_get(service, "read_only"), false);

	add_mount(&text, "/", ro && !differs(w, "root") ? "ro" : "rw",
	    "overlay", "rw");
	add_mount(&text, "/proc", "rw", "proc", "rw");
	add_mount(&text, "/proc/sys", "ro", "proc", "rw");
	add_mount(&text, "/sys", "ro", "sysfs", "ro");
	add_mount(&text, "/dev", "rw", "tmpfs", "rw");
	for (size_t i = 0; i < json_len(tmpfs); i++)
		add_tmpfs(&text, json_string_or(json_at(tmpfs, i), ""));
	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json *v = json_at(volumes, i);
		cleanup_free char *target = text_of(v, "target", "/");

		add_mount(&text, target,
		    json_bool(json_get(v, "read_only"), false) ? "ro" : "rw",
		    "ext4", "rw");
	}
	if (differs(w, "mount"))
		add_mount(&text, "/host", "rw", "ext4", "rw");
	put(dir, "mountinfo", &text);
}

void
world_write_facts(
    const struct world *w, const char *dir, const struct json *service)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *net = text_of(service, "network_mode", "bridge");
	cleanup_free char *memory = text_of(service, "mem_limit", "-1");
	cleanup_free char *pids = text_of(service, "pids_limit", "-1");
	cleanup_free char *cpus = text_of(service, "cpus", "-1");
	double milli = strtod(cpus, NULL) * 1000;

	write_status(w, dir, service);
	write_mounts(w, dir, service);
	strbuf_addstr(&text, "Inter-|\n face |\n    lo: 0\n");
	if (strcmp(net, "none") != 0 || differs(w, "net"))
		strbuf_addstr(&text, "  eth0: 0\n");
	put(dir, "netdev", &text);
	strbuf_reset(&text);
	strbuf_addf(&text, "%s %s %d %s\n", memory, pids,
	    milli < 0 ? -1 : (int)(milli + 0.5),
	    strcmp(net, "host") == 0 ? "host" : "own");
	put(dir, "limits", &text);
}
