/* SPDX-License-Identifier: MIT */
/* Reads and writes a session's record as JSON. */
#include "session/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"

#define RECORD_NAME "session.json"

enum {
	RECORD_VERSION = 2,
	RECORD_OLDEST = 1,
	RECORD_MAX = 256 * 1024,
};

struct field {
	const char *name;
	size_t offset;
	bool required;
};

#define FIELD(member, required)                                    \
	{                                                          \
#		member, offsetof(struct record, member), required \
	}

static const struct field fields[] = {
	FIELD(id, true),
	FIELD(project, true),
	FIELD(project_file, false),
	FIELD(agent, true),
	FIELD(mode, true),
	FIELD(mode_reason, true),
	FIELD(kind, true),
	FIELD(engine_id, true),
	FIELD(engine_data_root, true),
	FIELD(engine_socket, true),
	FIELD(agent_process, false),
	FIELD(history, false),
	FIELD(cache, false),
	FIELD(toolchains, false),
	FIELD(agent_hosts, false),
	FIELD(upstream_proxy, false),
	FIELD(plan_digest, false),
	FIELD(created_at, true),
	FIELD(launched_at, false),
	FIELD(starting_at, false),
	FIELD(stopping_at, false),
	FIELD(ended_at, false),
};

static char **
field_of(struct record *record, const struct field *f)
{
	return (char **)(void *)((char *)record + f->offset);
}

const struct record_container *
record_find(const struct record *record, const char *role)
{
	for (size_t i = 0; i < record->ncontainers; i++)
		if (strcmp(record->containers[i].role, role) == 0)
			return &record->containers[i];
	return NULL;
}

const char *
record_container_id(const struct record *record, const char *role)
{
	const struct record_container *c = record_find(record, role);

	return c != NULL ? c->id : NULL;
}

static void
replace(char **string, const char *value)
{
	if (value == NULL)
		return;
	free(*string);
	*string = xstrdup(value);
}

void
record_set(
    struct record *record, const char *role, const char *image, const char *id)
{
	size_t i = 0;

	while (i < record->ncontainers &&
	    strcmp(record->containers[i].role, role) != 0)
		i++;
	if (i == record->ncontainers) {
		record->containers = xreallocarray(record->containers,
		    ++record->ncontainers, sizeof(*record->containers));
		record->containers[i] =
		    (struct record_container){ .role = xstrdup(role) };
	}
	replace(&record->containers[i].image, image);
	replace(&record->containers[i].id, id);
}

static void
write_containers(struct jsonw *w, const struct record *record)
{
	jsonw_key_array(w, "containers");
	for (size_t i = 0; i < record->ncontainers; i++) {
		const struct record_container *c = &record->containers[i];

		jsonw_open_object(w);
		jsonw_key_str(w, "role", c->role);
		if (c->image != NULL)
			jsonw_key_str(w, "image", c->image);
		if (c->id != NULL)
			jsonw_key_str(w, "id", c->id);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
}

int
record_write(int session_fd, const struct record *record, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_int(w, "version", RECORD_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const void *at = (const char *)record + fields[i].offset;
		const char *value = *(char *const *)at;

		if (value != NULL)
			jsonw_key_str(w, fields[i].name, value);
	}
	jsonw_key_bool(w, "ends_with_client", record->ends_with_client);
	write_containers(w, record);
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, dg) != 0 ||
	    fs_replace_file(
		session_fd, RECORD_NAME, text.buf, text.len, 0600, dg) != 0)
		return diag_wrap(dg, "write the session's record");
	return 0;
}

/* *ret_value is NULL if the key is absent. */
static int
read_string(const struct json *object, const char *key, const char **ret_value,
    struct diag *dg)
{
	const struct json *node = json_get(object, key);

	*ret_value = json_string(node);
	if (node != NULL && *ret_value == NULL)
		return diag_set(
		    dg, DIAG_DATA, RECORD_NAME ": %s is not a string", key);
	return 0;
}

/* If role is NULL, the object's own "role" is used. */
static int
read_container(const struct json *object, const char *role,
    const char *image_key, const char *id_key, struct record *record,
    struct diag *dg)
{
	const char *image;
	const char *id;

	if ((role == NULL && read_string(object, "role", &role, dg) != 0) ||
	    read_string(object, image_key, &image, dg) != 0 ||
	    read_string(object, id_key, &id, dg) != 0)
		return -1;
	if (role == NULL || record_find(record, role) != NULL)
		return diag_set(dg, DIAG_DATA,
		    RECORD_NAME ": a container has no role, or the role of "
				"another");
	/* The id becomes part of the engine's URLs. */
	if (id != NULL && !answer_is_container_id(id))
		return diag_set(dg, DIAG_DATA,
		    RECORD_NAME ": %s of %s is not a container's id", id_key,
		    role);
	record_set(record, role, image, id);
	return 0;
}

static int
read_containers(const struct json *root, struct record *record, struct diag *dg)
{
	const struct json *list = json_get(root, "containers");

	if (!json_is_array(list))
		return diag_set(
		    dg, DIAG_DATA, RECORD_NAME ": containers is not a list");
	for (size_t i = 0; i < json_len(list); i++)
		if (read_container(
			json_at(list, i), NULL, "image", "id", record, dg) != 0)
			return -1;
	return 0;
}

/*
 * Version 1 has separate keys for the agent and egress containers, and a list
 * for the other services.
 */
static int
read_containers_1(
    const struct json *root, struct record *record, struct diag *dg)
{
	const struct json *list = json_get(root, "services");

	if (read_container(root, "agent", "agent_image", "agent_container",
		record, dg) != 0)
		return -1;
	if ((json_get(root, "egress_image") != NULL ||
		json_get(root, "egress_container") != NULL) &&
	    read_container(root, "egress", "egress_image", "egress_container",
		record, dg) != 0)
		return -1;
	if (list != NULL && !json_is_array(list))
		return diag_set(
		    dg, DIAG_DATA, RECORD_NAME ": services is not a list");
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *s = json_at(list, i);
		const char *name = json_string(json_get(s, "service"));

		if (name == NULL || json_get(s, "image") == NULL)
			return diag_set(dg, DIAG_DATA,
			    RECORD_NAME ": service %zu is not understood", i);
		if (read_container(s, name, "image", "container", record, dg) !=
		    0)
			return -1;
	}
	return 0;
}

int
record_parse(const char *text, size_t len, bool whole,
    struct record *ret_record, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_record struct record record = RECORD_INIT;
	int64_t version;

	if (json_parse(text, len, RECORD_NAME, &root, dg) != 0)
		return -1;
	if (!json_int(json_get(root, "version"), &version))
		return diag_set(dg, DIAG_DATA, RECORD_NAME ": no version");
	if (version < RECORD_OLDEST || version > RECORD_VERSION)
		return diag_set(dg, DIAG_DATA,
		    RECORD_NAME ": version %lld, this drydock reads %d to %d",
		    (long long)version, RECORD_OLDEST, RECORD_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		const char *value;

		if (!whole && strcmp(f->name, "plan_digest") == 0)
			continue;
		if (read_string(root, f->name, &value, dg) != 0)
			return -1;
		if (value == NULL && f->required)
			return diag_set(
			    dg, DIAG_DATA, RECORD_NAME ": no %s", f->name);
		replace(field_of(&record, f), value);
	}
	if (whole &&
	    (version == 1 ? read_containers_1(root, &record, dg)
			  : read_containers(root, &record, dg)) != 0)
		return -1;
	record.ends_with_client =
	    json_bool(json_get(root, "ends_with_client"), false);
	*ret_record = record;
	record = (struct record)RECORD_INIT;
	return 0;
}

static int
read_record(
    int session_fd, bool whole, struct record *ret_record, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file(session_fd, RECORD_NAME, RECORD_MAX, &text, dg) != 0)
		return -1;
	return record_parse(text.buf, text.len, whole, ret_record, dg);
}

int
record_read(int session_fd, struct record *ret_record, struct diag *dg)
{
	return read_record(session_fd, true, ret_record, dg);
}

int
record_read_fields(int session_fd, struct record *ret_record, struct diag *dg)
{
	return read_record(session_fd, false, ret_record, dg);
}

void
record_release(struct record *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		free(*field_of(record, &fields[i]));
	for (size_t i = 0; i < record->ncontainers; i++) {
		free(record->containers[i].role);
		free(record->containers[i].image);
		free(record->containers[i].id);
	}
	free(record->containers);
	*record = (struct record)RECORD_INIT;
}
