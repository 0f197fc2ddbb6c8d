/* SPDX-License-Identifier: MIT */
/* facts: collected through descriptors that stay open. */
#include "plan/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
#include "plan/carried.h"
#include "plan/extra-service.h"
#include "plan/plan.h"
#include "plan/protected-paths.h"
#include "plan/role.h"
#include "plan/values.h"

static int
open_mount(struct plan_mount *m, struct diag *dg)
{
	/*
	 * Compose makes sources absolute; the policy refuses any source that is
	 * not.
	 */
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

/* Written as text: a double would lose digits of a device or inode number. */
static void
write_number(struct jsonw *w, const char *key, uintmax_t n)
{
	char digits[32];

	(void)snprintf(digits, sizeof(digits), "%ju", n);
	jsonw_key_str(w, key, digits);
}

static void
write_inode(struct jsonw *w, const struct stat *st)
{
	write_number(w, "dev", st->st_dev);
	write_number(w, "ino", st->st_ino);
}

static void
write_ids(struct jsonw *w, const char *key, uid_t uid, gid_t gid)
{
	char ids[64];

	(void)snprintf(
	    ids, sizeof(ids), "%ju:%ju", (uintmax_t)uid, (uintmax_t)gid);
	jsonw_key_str(w, key, ids);
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
write_source(struct jsonw *w, const struct protected_paths *protected,
    const struct plan_mount *b, struct diag *dg)
{
	cleanup_free char *real = NULL;

	jsonw_key_object(w, b->source);
	if (b->role != &mount_roles[MOUNT_USER])
		jsonw_key_str(w, "role", b->role->name);
	jsonw_key_bool(w, "exists", b->fd != -1);
	if (b->fd != -1) {
		if (fs_real_path(b->fd, &real) != 0)
			return diag_set_errno(dg, DIAG_IO, errno,
			    "real path of bind source %s", b->source);
		jsonw_key_str(w, "real", real);
		jsonw_key_str(w, "kind", kind_of(b->st.st_mode));
		write_ids(w, "owner", b->st.st_uid, b->st.st_gid);
		jsonw_key_bool(w, "others_write", (b->st.st_mode & 022) != 0);
		write_inode(w, &b->st);
	}
	/*
	 * Sources that drydock makes are in its own state directory, so they
	 * need no comparison with the protected paths.
	 */
	if (b->fd != -1 && !mount_is_made(b) && S_ISDIR(b->st.st_mode)) {
		jsonw_key(w, "touches");
		if (protected_paths_write(protected, b->fd, w, dg) != 0)
			return diag_wrap(dg, "bind source %s", b->source);
	}
	jsonw_close_object(w);
	return 0;
}

/* Writes "home" and "sources"; a source of several services gets one key. */
static int
write_sources(struct jsonw *w, const struct plan_request *request,
    const struct plan *plan, struct diag *dg)
{
	cleanup_protected_paths struct protected_paths *protected = NULL;
	cleanup_strvec struct strvec written = STRVEC_INIT;

	if (protected_paths_find(request, &protected, dg) != 0)
		return -1;
	jsonw_key_str(w, "home", request->paths->home);
	jsonw_key_object(w, "sources");
	for (size_t i = 0; i < plan->nservices; i++) {
		const struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++) {
			const struct plan_mount *m = &s->mounts[n];

			if (strvec_has(&written, m->source))
				continue;
			strvec_push(&written, m->source);
			if (write_source(w, protected, m, dg) != 0)
				return -1;
		}
	}
	jsonw_close_object(w);
	return 0;
}

/* The required source of each role, with the same keys as "sources". */
static int
write_roles(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly, struct diag *dg)
{
	jsonw_key_object(w, "roles");
	for (size_t i = 0; i < MOUNT_IDS; i++) {
		const struct mount_role *role = &mount_roles[i];
		cleanup_free char *path = NULL;
		struct stat st;

		if (!mount_role_applies(role, request))
			continue;
		path = mount_role_path(role, request);
		jsonw_key_object(w, role->name);
		jsonw_key_str(w, "real", path);
		jsonw_key_str(w, "kind", kind_of(role->type));
		jsonw_key_bool(w, "made", role->mode != 0);
		if (role->mode != 0)
			jsonw_key_bool(w, "others_write", false);
		if (i == MOUNT_PROXY ||
		    (i == MOUNT_PROJECT && assembly->access.read_only))
			jsonw_key_bool(w, "read_only", true);
		if (i == MOUNT_PROJECT) {
			if (fstat(request->project->fd, &st) != 0)
				return diag_set_errno(dg, DIAG_IO, errno,
				    "look at project %s", path);
			write_inode(w, &st);
		}
		jsonw_close_object(w);
	}
	jsonw_close_object(w);
	return 0;
}

/* The carried directories by their paths, with the same keys as "roles". */
static void
write_carried(struct jsonw *w, const struct carried *carried)
{
	jsonw_key_object(w, "carried");
	for (size_t i = 0; i < carried->nr; i++) {
		const struct carried_dir *d = &carried->v[i];

		jsonw_key_object(w, d->path);
		jsonw_key_str(w, "real", d->path);
		jsonw_key_str(w, "kind", kind_of(S_IFDIR));
		jsonw_key_bool(w, "made", false);
		jsonw_key_bool(w, "read_only", d->read_only);
		write_inode(w, &d->st);
		jsonw_close_object(w);
	}
	jsonw_close_object(w);
}

/* The keys are Compose's names. */
static void
write_limits(struct jsonw *w, const struct plan_request *request)
{
	const struct settings *s = request->settings;
	cleanup_free char *cpus = plan_cpus(request);

	jsonw_key_object(w, "tmpfs");
	jsonw_key_int(w, "/tmp", s->tmp_size);
	jsonw_key_int(w, "/dev/shm", s->shm_size);
	jsonw_close_object(w);
	jsonw_key_object(w, "limits");
	jsonw_key_int(w, "mem_limit", s->memory);
	jsonw_key_int(w, "memswap_limit", s->memory);
	jsonw_key_int(w, "pids_limit", s->pids);
	/* Compose leaves out a limit of 0. */
	if (strcmp(cpus, "0") != 0) {
		jsonw_key(w, "cpus");
		jsonw_number_raw(w, cpus);
	}
	jsonw_close_object(w);
}

/* The setting "binds": what user overlays may bind. */
static void
write_listed(struct jsonw *w, const struct settings *settings)
{
	jsonw_key_array(w, "binds");
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
	jsonw_key_strvec(w, "reserved_env", &patterns);
	return 0;
}

/* "listened_at" is empty in mode dood: that session has the host's network. */
static void
write_sockets(struct jsonw *w, const struct plan_request *request,
    const struct plan *plan)
{
	jsonw_key_object(w, "sockets");
	jsonw_key_bool(w, "allowed", request->settings->project_sockets);
	jsonw_key_strvec(w, "listened_at", &plan->sockets);
	jsonw_close_object(w);
}

/*
 * The digest of each file that decides the launch, taken from the bytes read.
 */
static void
write_files(
    struct jsonw *w, const struct assembly *assembly, const struct plan *plan)
{
	char digest[DIGEST_HEX_SIZE];

	jsonw_key_object(w, "files");
	for (size_t i = 0; i < assembly->nr; i++) {
		const struct overlay *o = &assembly->v[i];
		cleanup_free char *file =
		    xasprintf("%.*s.yml", (int)strcspn(o->name, " "), o->name);

		/*
		 * All overlays "service NAME" come from the one file
		 * service.yml.
		 */
		if (o->digest[0] != '\0' &&
		    (i == 0 || strcmp(o->digest, o[-1].digest) != 0))
			jsonw_key_str(w, file, o->digest);
	}
	digest_bytes(plan->seccomp.buf, plan->seccomp.len, digest);
	jsonw_key_str(w, PLAN_SECCOMP_FILE, digest);
	jsonw_close_object(w);
}

static void
write_service(struct jsonw *w, const struct plan_request *request,
    const char *name, const char *image)
{
	cleanup_free char *user =
	    plan_service_user(request, service_role_of(name));

	jsonw_key_object(w, name);
	jsonw_key_str(w, "image", image);
	jsonw_key_str(w, "user", user);
	jsonw_key_object(w, "labels");
	jsonw_key_str(w, "io.drydock.role", name);
	jsonw_key_str(w, "io.drydock.session", request->session_id);
	jsonw_key_str(w, "io.drydock.state", request->paths->state_id);
	jsonw_close_object(w);
	if (service_role_of(name) == SERVICE_AGENT)
		jsonw_key_str(w, "working_dir", request->project->path);
	jsonw_close_object(w);
}

/* Values of a service that only drydock has; the keys are Compose's names. */
static void
write_services(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly)
{
	jsonw_key_object(w, "services");
	write_service(w, request, "agent", request->agent_image->id);
	if (request->mode.mode == MODE_CONTAINED)
		write_service(w, request, "egress", request->egress_image->id);
	for (size_t i = 0; i < assembly->nextra_services; i++)
		write_service(w, request, assembly->extra_services[i].name,
		    assembly->extra_services[i].image.id);
	jsonw_close_object(w);
}

/* The agent's supplementary groups, as text like in the model. */
static void
write_groups(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly)
{
	char digits[32];

	jsonw_key_array(w, "groups");
	if (assembly->access.has_group) {
		(void)snprintf(digits, sizeof(digits), "%ju",
		    (uintmax_t)assembly->access.group);
		jsonw_str(w, digits);
	}
	if (request->mode.mode == MODE_DOOD) {
		(void)snprintf(digits, sizeof(digits), "%ju",
		    (uintmax_t)request->engine->socket_gid);
		jsonw_str(w, digits);
	}
	jsonw_close_array(w);
}

/* The images of the extra services. */
static void
write_extra(struct jsonw *w, const struct assembly *assembly)
{
	jsonw_key_object(w, "extra");
	for (size_t i = 0; i < assembly->nextra_services; i++) {
		const struct extra_service *extra =
		    &assembly->extra_services[i];

		jsonw_key_object(w, extra->name);
		jsonw_key_str(w, "reference", extra->reference);
		jsonw_key_str(w, "image", extra->image.id);
		jsonw_key_strvec(w, "volumes", &extra->image.volumes);
		jsonw_key_bool(w, "healthcheck", extra->image.has_healthcheck);
		jsonw_key_bool(w, "onbuild", extra->image.has_onbuild);
		jsonw_key_array(w, "labels");
		for (size_t n = 0; n < extra->image.labels.nr; n++) {
			const char *label = extra->image.labels.v[n];

			if (strncmp(label, IMAGE_LABEL_PREFIX,
				strlen(IMAGE_LABEL_PREFIX)) == 0)
				jsonw_strn(w, label, strcspn(label, "="));
		}
		jsonw_close_array(w);
		jsonw_close_object(w);
	}
	jsonw_close_object(w);
}

static int
write_facts(struct jsonw *w, const struct plan_request *request,
    const struct assembly *assembly, bool overlays, const struct plan *plan,
    struct diag *dg)
{
	cleanup_free char *seccomp = plan_seccomp_path(request);

	jsonw_key_str(w, "mode", mode_name(request->mode.mode));
	jsonw_key_str(w, "session", request->session_id);
	jsonw_key_str(w, "project", request->project->path);
	jsonw_key_str(w, "seccomp", seccomp);
	write_services(w, request, assembly);
	write_groups(w, request, assembly);
	write_limits(w, request);
	write_listed(w, request->settings);
	write_extra(w, assembly);
	write_files(w, assembly, plan);
	write_sockets(w, request, plan);
	write_carried(w, &assembly->carried);
	if (write_roles(w, request, assembly, dg) != 0 ||
	    (overlays && write_reserved(w, request->paths, dg) != 0))
		return -1;
	return write_sources(w, request, plan, dg);
}

int
facts_write(const struct plan_request *request, const struct assembly *assembly,
    const struct json *reference, const struct plan *plan, struct strbuf *out,
    struct diag *dg)
{
	struct jsonw *w = jsonw_new(false);

	jsonw_open_object(w);
	if (reference != NULL)
		jsonw_key_node(w, "reference", reference);
	jsonw_key_node(w, "model", plan->tree);
	jsonw_key_object(w, "facts");
	if (write_facts(w, request, assembly, reference != NULL, plan, dg) !=
	    0) {
		jsonw_free(w);
		return -1;
	}
	jsonw_close_object(w);
	jsonw_close_object(w);
	if (jsonw_finish(w, out, dg) != 0)
		return diag_wrap(dg, "facts of the plan");
	return 0;
}

int
facts_write_sources(const struct plan_request *request, const struct plan *plan,
    struct strbuf *out, struct diag *dg)
{
	struct jsonw *w = jsonw_new(false);

	jsonw_open_object(w);
	jsonw_key_object(w, "facts");
	if (write_sources(w, request, plan, dg) != 0) {
		jsonw_free(w);
		return -1;
	}
	jsonw_close_object(w);
	jsonw_close_object(w);
	return jsonw_finish(w, out, dg);
}
