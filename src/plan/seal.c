/* SPDX-License-Identifier: MIT */
/* seal: writes the judged plan to the one file that is launched. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/project.h"
#include "plan/facts.h"
#include "plan/model.h"
#include "plan/plan.h"

#define MAX_SEALED (2 * MODEL_MAX_SIZE)

/* Writes the members of an object but for the key "without". */
static void
write_members(struct jsonw *w, const struct json *object, const char *without)
{
	for (size_t i = 0; i < json_len(object); i++)
		if (strcmp(json_key_at(object, i), without) != 0)
			jsonw_key_node(w, json_key_at(object, i),
			    json_value_at(object, i));
}

/*
 * Compose leaves out create_host_path: false when it prints a model, and the
 * default is true.
 */
static void
write_volumes(struct jsonw *w, const struct json *volumes)
{
	jsonw_open_array(w);
	for (size_t i = 0; i < json_len(volumes); i++) {
		jsonw_open_object(w);
		write_members(w, json_at(volumes, i), "bind");
		jsonw_key_object(w, "bind");
		jsonw_key_bool(w, "create_host_path", false);
		jsonw_close_object(w);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
}

/*
 * Copies a service.  A missing command becomes an empty one, as in drydock's
 * own overlays.  The policy has checked all other keys.
 */
static void
write_service(struct jsonw *w, const struct json *service)
{
	const struct json *command = json_get(service, "command");

	jsonw_open_object(w);
	for (size_t i = 0; i < json_len(service); i++) {
		const char *key = json_key_at(service, i);

		if (strcmp(key, "command") == 0)
			continue;
		jsonw_key(w, key);
		if (strcmp(key, "volumes") == 0)
			write_volumes(w, json_value_at(service, i));
		else
			jsonw_node(w, json_value_at(service, i));
	}
	jsonw_key_array(w, "command");
	for (size_t i = 0; i < json_len(command); i++)
		jsonw_node(w, json_at(command, i));
	jsonw_close_array(w);
	jsonw_close_object(w);
}

static void
write_services(struct jsonw *w, const struct json *services)
{
	jsonw_open_object(w);
	for (size_t i = 0; i < json_len(services); i++) {
		jsonw_key(w, json_key_at(services, i));
		write_service(w, json_value_at(services, i));
	}
	jsonw_close_object(w);
}

/* Appends the plan's text with doubled dollars. */
static int
write_plan(const struct json *tree, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	for (size_t i = 0; i < json_len(tree); i++) {
		const char *key = json_key_at(tree, i);

		jsonw_key(w, key);
		if (strcmp(key, "services") == 0)
			write_services(w, json_value_at(tree, i));
		else
			jsonw_node(w, json_value_at(tree, i));
	}
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, dg) != 0)
		return -1;
	dollars_escape(text.buf, text.len, out);
	return 0;
}

int
plan_seal(const struct plan *plan, int session_fd,
    char ret_digest[DIGEST_HEX_SIZE], int *ret_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (plan->nviolations != 0)
		return diag_set(dg, DIAG_BUG, "cannot seal a refused plan");
	if (write_plan(plan->tree, &text, dg) != 0 ||
	    fs_replace_file(session_fd, PLAN_SECCOMP_FILE, plan->seccomp.buf,
		plan->seccomp.len, 0600, dg) != 0 ||
	    fs_replace_file(
		session_fd, PLAN_FILE, text.buf, text.len, 0600, dg) != 0 ||
	    fs_open_nolinks(session_fd, PLAN_FILE, O_RDONLY, 0, ret_fd, dg) !=
		0)
		return -1;
	digest_bytes(text.buf, text.len, ret_digest);
	return 0;
}

/*
 * Reads the sealed plan of session id and checks its digest.  *ret_model has
 * single dollars.
 */
static int
read_sealed(int session_fd, const char *id, const char *digest,
    struct strbuf *ret_model, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char now[DIGEST_HEX_SIZE];

	if (digest == NULL)
		return diag_set(dg, DIAG_DATA,
		    "its record names no plan: run \"drydock reseal %s\"", id);
	if (fs_read_file(session_fd, PLAN_FILE, MAX_SEALED, &text, dg) != 0)
		return -1;
	digest_bytes(text.buf, text.len, now);
	if (strcmp(now, digest) != 0)
		return diag_set(dg, DIAG_DATA,
		    PLAN_FILE " is not what was launched: restore the file and "
			      "run \"drydock reseal %s\"",
		    id);
	return dollars_unescape(text.buf, text.len, ret_model, dg);
}

int
plan_sealed_environment(int session_fd, const char *id, const char *digest,
    const char *service, struct strvec *env, struct diag *dg)
{
	cleanup_strbuf struct strbuf model = STRBUF_INIT;
	cleanup_json struct json *root = NULL;
	const struct json *e;

	if (read_sealed(session_fd, id, digest, &model, dg) != 0 ||
	    json_parse(model.buf, model.len, PLAN_FILE, &root, dg) != 0)
		return -1;
	e = json_get(
	    json_get(json_get(root, "services"), service), "environment");
	for (size_t i = 0; i < json_len(e); i++) {
		const char *value = json_string(json_value_at(e, i));

		if (value != NULL)
			strvec_pushf(env, "%s=%s", json_key_at(e, i), value);
	}
	return 0;
}

static int
read_plan(const struct plan_request *request, int session_fd,
    const struct strbuf *model, struct plan *ret_plan, struct diag *dg)
{
	cleanup_plan struct plan plan = PLAN_INIT;

	if (model_read(request, model->buf, model->len, PLAN_FILE, &plan, dg) !=
		0 ||
	    model_check_readable(&plan, dg) != 0 ||
	    fs_read_file(session_fd, PLAN_SECCOMP_FILE, PLAN_SECCOMP_MAX,
		&plan.seccomp, dg) != 0 ||
	    facts_open_mounts(&plan, dg) != 0)
		return -1;
	*ret_plan = plan;
	plan = (struct plan)PLAN_INIT;
	return 0;
}

int
plan_unseal(const struct plan_request *request, int session_fd,
    const char *digest, struct plan *ret_plan, struct diag *dg)
{
	cleanup_strbuf struct strbuf model = STRBUF_INIT;

	if (read_sealed(session_fd, request->session_id, digest, &model, dg) !=
	    0)
		return -1;
	return read_plan(request, session_fd, &model, ret_plan, dg);
}

int
plan_read_again(const struct plan_request *request, int session_fd,
    char ret_digest[DIGEST_HEX_SIZE], int *ret_fd, struct plan *ret_plan,
    struct diag *dg)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf model = STRBUF_INIT;
	cleanup_strbuf struct strbuf sealed = STRBUF_INIT;

	if (fs_read_file(session_fd, PLAN_FILE, MAX_SEALED, &text, dg) != 0)
		return -1;
	digest_bytes(text.buf, text.len, ret_digest);
	if (dollars_unescape(text.buf, text.len, &model, dg) != 0 ||
	    read_plan(request, session_fd, &model, &plan, dg) != 0 ||
	    write_plan(plan.tree, &sealed, dg) != 0)
		return -1;
	/* read_plan() ignores some text, such as a duplicate key: refuse it. */
	if (strcmp(text.buf, sealed.buf) != 0 || text.len != sealed.len)
		return diag_set(
		    dg, DIAG_DATA, PLAN_FILE " is not as drydock writes it");
	if (fs_memfd("plan", text.buf, text.len, ret_fd, dg) != 0)
		return -1;
	*ret_plan = plan;
	plan = (struct plan)PLAN_INIT;
	return 0;
}

/* Replaces each id of the old session; all ids have the same length. */
static void
rename_session(struct strbuf *model, const char *from, const char *to)
{
	size_t len = strlen(from);
	char *at = model->buf;

	while ((at = strstr(at, from)) != NULL) {
		memcpy(at, to, len);
		at += len;
	}
}

/* Returned: the bind's scratch directory; NULL if the bind keeps its source. */
static char *
scratch_source(const struct plan_request *request, const struct plan_copy *copy,
    const struct json *volume, size_t i)
{
	const char *source = json_string_or(json_get(volume, "source"), "");
	const char *target = json_string_or(json_get(volume, "target"), "");
	size_t len = strlen(request->session_dir);
	struct stat st;

	if (strncmp(source, request->session_dir, len) == 0 &&
	    source[len] == '/')
		return NULL;
	if (json_bool(json_get(volume, "read_only"), false) &&
	    strcmp(target, request->project->path) != 0)
		return NULL;
	if (lstat(source, &st) != 0 || !S_ISDIR(st.st_mode))
		return NULL;
	return xasprintf("%s/%zu", copy->scratch_dir, i);
}

static int
copy_volumes(struct jsonw *w, const struct plan_request *request,
    const struct plan_copy *copy, const struct json *volumes, struct diag *dg)
{
	jsonw_open_array(w);
	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json *volume = json_at(volumes, i);
		cleanup_free char *source =
		    scratch_source(request, copy, volume, i);
		cleanup_close int fd = -1;

		if (source != NULL &&
		    fs_make_dir(copy->scratch_fd, strrchr(source, '/') + 1,
			0700, &fd, dg) != 0)
			return -1;
		jsonw_open_object(w);
		for (size_t k = 0; k < json_len(volume); k++) {
			const char *key = json_key_at(volume, k);

			jsonw_key(w, key);
			if (source != NULL && strcmp(key, "source") == 0)
				jsonw_str(w, source);
			else
				jsonw_node(w, json_value_at(volume, k));
		}
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	return 0;
}

static int
copy_service(struct jsonw *w, const struct plan_request *request,
    const struct plan_copy *copy, const struct json *service, struct diag *dg)
{
	jsonw_open_object(w);
	for (size_t i = 0; i < json_len(service); i++) {
		const char *key = json_key_at(service, i);
		const struct json *value = json_value_at(service, i);

		jsonw_key(w, key);
		if (strcmp(key, "volumes") != 0)
			jsonw_node(w, value);
		else if (copy_volumes(w, request, copy, value, dg) != 0)
			return -1;
	}
	jsonw_close_object(w);
	return 0;
}

static int
copy_model(const struct plan_request *request, const struct plan_copy *copy,
    const struct json *root, struct strbuf *out, struct diag *dg)
{
	const struct json *services = json_get(root, "services");
	struct jsonw *w = jsonw_new(false);

	jsonw_open_object(w);
	write_members(w, root, "services");
	jsonw_key_object(w, "services");
	for (size_t i = 0; i < json_len(services); i++) {
		const char *name = json_key_at(services, i);

		if (service_role_of(name) == SERVICE_EXTRA)
			continue;
		jsonw_key(w, name);
		if (copy_service(w, request, copy, json_value_at(services, i),
			dg) != 0) {
			jsonw_free(w);
			return -1;
		}
	}
	jsonw_close_object(w);
	jsonw_close_object(w);
	return jsonw_finish(w, out, dg);
}

int
plan_unseal_copy(const struct plan_request *request, int session_fd,
    const char *digest, const struct plan_copy *copy, struct plan *ret_plan,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf model = STRBUF_INIT;
	cleanup_strbuf struct strbuf changed = STRBUF_INIT;
	cleanup_json struct json *root = NULL;

	if (read_sealed(session_fd, copy->from_id, digest, &model, dg) != 0)
		return -1;
	rename_session(&model, copy->from_id, request->session_id);
	if (json_parse(model.buf, model.len, PLAN_FILE, &root, dg) != 0 ||
	    copy_model(request, copy, root, &changed, dg) != 0)
		return -1;
	return read_plan(request, session_fd, &changed, ret_plan, dg);
}
