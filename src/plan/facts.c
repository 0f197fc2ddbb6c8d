/* SPDX-License-Identifier: MIT */
/* facts: gathered through descriptors that stay open. */
#include "plan/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/reserved.h"
#include "host/settings.h"
#include "plan/further.h"
#include "plan/places.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "plan/values.h"

static int
open_mount(struct plan_mount *m, struct diag *dg)
{
	/* Compose makes them absolute; the policy refuses the rest. */
	if (m->source[0] != '/')
		return 0;
	m->fd = open(m->source, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (m->fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (m->fd == -1 || fstat(m->fd, &m->st) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "look at bind source %s", m->source);
	return 0;
}

int
facts_open_mounts(struct plan *plan, struct diag *dg)
{
	for (size_t i = 0; i < plan->nservices; i++) {
		struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++)
			if (open_mount(&s->mounts[n], dg) != 0)
				return -1;
	}
	return 0;
}

/* A double would lose the digits of a device or inode number. */
static void
write_number(struct jsonw *w, const char *key, uintmax_t n)
{
	char digits[32];

	(void)snprintf(digits, sizeof(digits), "%ju", n);
	jsonw_key_str(w, key, digits);
}

static const char *
kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFSOCK:
		return "socket";
	case S_IFREG:
		return "file";
	case S_IFLNK:
		return "symlink";
	default:
		return "special file";
	}
}

static int
write_source(struct jsonw *w, const struct places *places,
    const struct plan_mount *b, struct diag *dg)
{
	cleanup_free char *real = NULL;

	jsonw_key(w, b->source);
	jsonw_open_object(w);
	jsonw_key_bool(w, "exists", b->fd != -1);
	if (b->fd != -1) {
		if (fs_real_path(b->fd, &real) != 0)
			return diag_set_errno(dg, DIAG_IO, errno,
			    "real path of bind source %s", b->source);
		jsonw_key_str(w, "real", real);
		jsonw_key_str(w, "kind", kind_of(b->st.st_mode));
		jsonw_key_int(w, "uid", b->st.st_uid);
		jsonw_key_int(w, "gid", b->st.st_gid);
		jsonw_key_bool(w, "others_write", (b->st.st_mode & 022) != 0);
		write_number(w, "dev", b->st.st_dev);
		write_number(w, "ino", b->st.st_ino);
	}
	/* What drydock makes lies in its own state directory. */
	if (b->fd != -1 && !mount_is_made(b) && S_ISDIR(b->st.st_mode)) {
		jsonw_key(w, "touches");
		if (places_write(places, b->fd, w, dg) != 0)
			return diag_wrap(dg, "bind source %s", b->source);
	}
	jsonw_close_object(w);
	return 0;
}

/* One key for a source that several services bind. */
static int
write_sources(struct jsonw *w, const struct places *places,
    const struct plan *plan, struct diag *dg)
{
	cleanup_strvec struct strvec written = STRVEC_INIT;

	jsonw_key(w, "sources");
	jsonw_open_object(w);
	for (size_t i = 0; i < plan->nservices; i++) {
		const struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++) {
			const struct plan_mount *m = &s->mounts[n];

			if (strvec_has(&written, m->source))
				continue;
			strvec_push(&written, m->source);
			if (write_source(w, places, m, dg) != 0)
				return -1;
		}
	}
	jsonw_close_object(w);
	return 0;
}

static int
write_roles(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly, struct diag *dg)
{
	jsonw_key(w, "roles");
	jsonw_open_object(w);
	for (size_t i = 0; i < MOUNT_IDS; i++) {
		const struct mount_role *role = &mount_roles[i];
		cleanup_free char *path = NULL;
		struct stat st;

		if (!mount_role_has_mode(role, request->mode.mode))
			continue;
		path = mount_role_path(role, request);
		jsonw_key(w, role->name);
		jsonw_open_object(w);
		jsonw_key_str(w, "path", path);
		if (i == MOUNT_PROJECT) {
			if (fstat(request->project->fd, &st) != 0)
				return diag_set_errno(dg, DIAG_IO, errno,
				    "look at project %s", path);
			write_number(w, "dev", st.st_dev);
			write_number(w, "ino", st.st_ino);
			jsonw_key_bool(
			    w, "read_only", assembly->access.read_only);
		}
		jsonw_close_object(w);
	}
	jsonw_close_object(w);
	return 0;
}

static void
write_limits(struct jsonw *w, const struct plan_request *request)
{
	const struct settings *s = request->settings;
	cleanup_free char *cpus = plan_cpus(request);

	jsonw_key(w, "limits");
	jsonw_open_object(w);
	write_number(w, "memory", (uintmax_t)s->memory);
	write_number(w, "pids", (uintmax_t)s->pids);
	write_number(w, "tmp", (uintmax_t)s->tmp_size);
	write_number(w, "shm", (uintmax_t)s->shm_size);
	/* Compose leaves out a limit that is none. */
	jsonw_key(w, "cpus");
	if (strcmp(cpus, "0") == 0)
		jsonw_null(w);
	else
		jsonw_number_raw(w, cpus);
	jsonw_close_object(w);
}

/* What overlays may bind, as the user listed it. */
static void
write_listed(struct jsonw *w, const struct settings *settings)
{
	jsonw_key(w, "binds");
	jsonw_open_array(w);
	for (size_t i = 0; i < settings->binds.nr; i++) {
		const char *word = settings->binds.v[i];
		size_t len = strcspn(word, ":");
		cleanup_free char *path = xstrndup(word, len);

		jsonw_open_object(w);
		jsonw_key_str(w, "path", path);
		jsonw_key_bool(w, "read_only", word[len] == ':');
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
}

static int
write_reserved(struct jsonw *w, const struct paths *paths, struct diag *dg)
{
	cleanup_strvec struct strvec patterns = STRVEC_INIT;

	if (reserved_load(paths, &patterns, dg) != 0)
		return -1;
	jsonw_key(w, "reserved_env");
	jsonw_open_array(w);
	for (size_t i = 0; i < patterns.nr; i++)
		jsonw_str(w, patterns.v[i]);
	jsonw_close_array(w);
	return 0;
}

/* A dood session has the host's network anyway. */
static void
write_sockets(struct jsonw *w, const struct plan_request *request,
    const struct plan *plan)
{
	jsonw_key(w, "sockets");
	jsonw_open_object(w);
	jsonw_key_bool(w, "allowed", request->settings->project_sockets);
	jsonw_key(w, "listened_at");
	jsonw_open_array(w);
	for (size_t i = 0; i < plan->sockets.nr; i++)
		jsonw_str(w, plan->sockets.v[i]);
	jsonw_close_array(w);
	jsonw_close_object(w);
}

static void
write_seccomp(struct jsonw *w, const struct plan_request *request,
    const struct plan *plan)
{
	cleanup_free char *path = plan_seccomp_path(request);
	char digest[DIGEST_HEX_SIZE];

	digest_bytes(plan->seccomp.buf, plan->seccomp.len, digest);
	jsonw_key(w, "seccomp");
	jsonw_open_object(w);
	jsonw_key_str(w, "path", path);
	jsonw_key_str(w, "digest", digest);
	jsonw_close_object(w);
}

/* As the model has it: text. */
static void
write_group(struct jsonw *w, gid_t gid)
{
	char digits[32];

	(void)snprintf(digits, sizeof(digits), "%ju", (uintmax_t)gid);
	jsonw_str(w, digits);
}

static void
write_services(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly)
{
	cleanup_free char *agent = plan_service_user(request, SERVICE_AGENT);
	cleanup_free char *egress = plan_service_user(request, SERVICE_EGRESS);

	jsonw_key(w, "users");
	jsonw_open_object(w);
	jsonw_key_str(w, "agent", agent);
	jsonw_key_str(w, "egress", egress);
	jsonw_close_object(w);
	jsonw_key(w, "groups");
	jsonw_open_array(w);
	if (assembly->access.has_group)
		write_group(w, assembly->access.group);
	jsonw_close_array(w);
	jsonw_key(w, "images");
	jsonw_open_object(w);
	jsonw_key_str(w, "agent", request->agent_image->id);
	jsonw_key_str(w, "egress",
	    request->egress_image != NULL ? request->egress_image->id : NULL);
	jsonw_close_object(w);
	jsonw_key(w, "engine");
	jsonw_open_object(w);
	jsonw_key_int(w, "gid", request->engine->socket_gid);
	jsonw_close_object(w);
}

/* Of the images of the services that overlays add. */
static void
write_further(struct jsonw *w, const struct assembly *assembly)
{
	jsonw_key(w, "further");
	jsonw_open_object(w);
	for (size_t i = 0; i < assembly->nfurther; i++) {
		const struct further *f = &assembly->further[i];

		jsonw_key(w, f->name);
		jsonw_open_object(w);
		jsonw_key_str(w, "reference", f->reference);
		jsonw_key_str(w, "image", f->image.id);
		jsonw_key(w, "volumes");
		jsonw_open_array(w);
		for (size_t n = 0; n < f->image.volumes.nr; n++)
			jsonw_str(w, f->image.volumes.v[n]);
		jsonw_close_array(w);
		jsonw_key_bool(w, "healthcheck", f->image.has_healthcheck);
		jsonw_key_bool(w, "onbuild", f->image.has_onbuild);
		jsonw_key(w, "labels");
		jsonw_open_array(w);
		for (size_t n = 0; n < f->image.labels.nr; n++) {
			const char *label = f->image.labels.v[n];

			if (strncmp(label, IMAGE_LABEL_PREFIX,
				strlen(IMAGE_LABEL_PREFIX)) == 0)
				jsonw_strn(w, label, strcspn(label, "="));
		}
		jsonw_close_array(w);
		jsonw_close_object(w);
	}
	jsonw_close_object(w);
}

static void
write_overlays(struct jsonw *w, const struct assembly *assembly)
{
	jsonw_key(w, "overlays");
	jsonw_open_array(w);
	for (size_t i = 0; i < assembly->nr; i++) {
		jsonw_open_object(w);
		jsonw_key_str(w, "name", assembly->v[i].name);
		jsonw_key_str(w, "text", assembly->v[i].text.buf);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
}

static int
write_facts(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly, const struct plan *plan, struct diag *dg)
{
	cleanup_places struct places *places = NULL;

	jsonw_key_str(w, "mode", mode_name(request->mode.mode));
	jsonw_key_str(w, "session", request->session_id);
	jsonw_key_str(w, "state", request->paths->state_id);
	jsonw_key_str(w, "home", request->paths->home);
	write_services(w, request, assembly);
	write_limits(w, request);
	write_listed(w, request->settings);
	write_further(w, assembly);
	write_overlays(w, assembly);
	write_sockets(w, request, plan);
	write_seccomp(w, request, plan);
	if (write_roles(w, request, assembly, dg) != 0 ||
	    write_reserved(w, request->paths, dg) != 0)
		return -1;
	if (places_find(request, &places, dg) != 0)
		return -1;
	return write_sources(w, places, plan, dg);
}

int
facts_write(const struct plan_request *request, const struct assembly *assembly,
    const struct plan *plan, struct strbuf *out, struct diag *dg)
{
	struct jsonw *w = jsonw_new(false);

	jsonw_open_object(w);
	jsonw_key(w, "model");
	jsonw_node(w, plan->tree);
	jsonw_key(w, "facts");
	jsonw_open_object(w);
	if (write_facts(w, request, assembly, plan, dg) != 0) {
		jsonw_free(w);
		return -1;
	}
	jsonw_close_object(w);
	jsonw_close_object(w);
	if (jsonw_finish(w, out, dg) != 0)
		return diag_wrap(dg, "facts of the plan");
	return 0;
}
