/* SPDX-License-Identifier: MIT */
/* The record of a session, as JSON. */
#include "session/record.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define RECORD_NAME "session.json"

enum {
	RECORD_VERSION = 1,
	RECORD_MAX = 256 * 1024,
	CONTAINER_ID_LEN = 64,
};

enum field_kind {
	FIELD_REQUIRED,
	FIELD_OPTIONAL,
	FIELD_CONTAINER, /* optional; becomes an argument of the engine's CLI */
};

struct field {
	const char *name;
	size_t offset;
	enum field_kind kind;
};

#define FIELD(member, kind)                                    \
	{                                                      \
#		member, offsetof(struct record, member), kind \
	}

static const struct field fields[] = {
	FIELD(id, FIELD_REQUIRED),
	FIELD(project, FIELD_REQUIRED),
	FIELD(agent, FIELD_REQUIRED),
	FIELD(mode, FIELD_REQUIRED),
	FIELD(mode_reason, FIELD_REQUIRED),
	FIELD(kind, FIELD_REQUIRED),
	FIELD(engine_id, FIELD_REQUIRED),
	FIELD(engine_data_root, FIELD_REQUIRED),
	FIELD(engine_socket, FIELD_REQUIRED),
	FIELD(agent_image, FIELD_OPTIONAL),
	FIELD(egress_image, FIELD_OPTIONAL),
	FIELD(agent_container, FIELD_CONTAINER),
	FIELD(egress_container, FIELD_CONTAINER),
	FIELD(agent_process, FIELD_OPTIONAL),
	FIELD(plan_digest, FIELD_OPTIONAL),
	FIELD(created_at, FIELD_REQUIRED),
	FIELD(launched_at, FIELD_OPTIONAL),
	FIELD(starting_at, FIELD_OPTIONAL),
	FIELD(stopping_at, FIELD_OPTIONAL),
	FIELD(ended_at, FIELD_OPTIONAL),
};

static char **
field_of(struct record *record, const struct field *f)
{
	return (char **)(void *)((char *)record + f->offset);
}

static const char *
field_value(const struct record *record, const struct field *f)
{
	const void *at = (const char *)record + f->offset;

	return *(char *const *)at;
}

bool
record_part_at(
    const struct record *record, size_t i, struct record_part *ret_part)
{
	if (i == 0)
		*ret_part = (struct record_part){ "agent", record->agent_image,
			record->agent_container };
	else if (i == 1)
		*ret_part = (struct record_part){ "egress",
			record->egress_image, record->egress_container };
	else if (i - 2 < record->nservices)
		*ret_part = (struct record_part){ record->services[i - 2].name,
			record->services[i - 2].image,
			record->services[i - 2].container };
	else
		return false;
	return true;
}

void
record_add_service(struct record *record, const char *name, const char *image)
{
	record->services = xreallocarray(
	    record->services, record->nservices + 1, sizeof(*record->services));
	record->services[record->nservices++] =
	    (struct record_service){ xstrdup(name), xstrdup(image), NULL };
}

void
record_set_container(struct record *record, const char *role, const char *id)
{
	char **field = NULL;

	if (strcmp(role, "agent") == 0)
		field = &record->agent_container;
	else if (strcmp(role, "egress") == 0)
		field = &record->egress_container;
	for (size_t i = 0; i < record->nservices; i++)
		if (strcmp(record->services[i].name, role) == 0)
			field = &record->services[i].container;
	assert(field != NULL);
	free(*field);
	*field = xstrdup(id);
}

char *
record_now(void)
{
	char buf[sizeof("2000-01-01T00:00:00Z") + 8];
	struct tm tm;
	time_t now = time(NULL);

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return xstrdup("1970-01-01T00:00:00Z");
	return xstrdup(buf);
}

static void
write_services(struct jsonw *w, const struct record *record)
{
	if (record->nservices == 0)
		return;
	jsonw_key(w, "services");
	jsonw_open_array(w);
	for (size_t i = 0; i < record->nservices; i++) {
		const struct record_service *s = &record->services[i];

		jsonw_open_object(w);
		jsonw_key_str(w, "service", s->name);
		jsonw_key_str(w, "image", s->image);
		if (s->container != NULL)
			jsonw_key_str(w, "container", s->container);
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
		const char *value = field_value(record, &fields[i]);

		if (value != NULL)
			jsonw_key_str(w, fields[i].name, value);
	}
	jsonw_key_bool(w, "ends_with_client", record->ends_with_client);
	write_services(w, record);
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, dg) != 0 ||
	    fs_replace_file(
		session_fd, RECORD_NAME, text.buf, text.len, 0600, dg) != 0)
		return diag_wrap(dg, "write the session's record");
	return 0;
}

static bool
is_container_id(const char *s)
{
	return strlen(s) == CONTAINER_ID_LEN &&
	    strspn(s, "0123456789abcdef") == CONTAINER_ID_LEN;
}

static int
read_field(const struct json *root, const struct field *f,
    struct record *record, struct diag *dg)
{
	const struct json *node = json_get(root, f->name);
	const char *value = json_string(node);

	if (value == NULL) {
		if (node != NULL)
			return diag_set(dg, DIAG_DATA,
			    RECORD_NAME ": %s is not a string", f->name);
		if (f->kind == FIELD_REQUIRED)
			return diag_set(
			    dg, DIAG_DATA, RECORD_NAME ": no %s", f->name);
		return 0;
	}
	if (f->kind == FIELD_CONTAINER && !is_container_id(value))
		return diag_set(dg, DIAG_DATA,
		    RECORD_NAME ": %s is not a container's id", f->name);
	*field_of(record, f) = xstrdup(value);
	return 0;
}

static int
read_services(const struct json *root, struct record *record, struct diag *dg)
{
	const struct json *list = json_get(root, "services");

	if (list != NULL && !json_is_array(list))
		return diag_set(
		    dg, DIAG_DATA, RECORD_NAME ": services is no list");
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *s = json_at(list, i);
		const char *name = json_string(json_get(s, "service"));
		const char *image = json_string(json_get(s, "image"));
		const struct json *node = json_get(s, "container");
		const char *id = json_string(node);

		if (name == NULL || image == NULL ||
		    (node != NULL && (id == NULL || !is_container_id(id))))
			return diag_set(dg, DIAG_DATA,
			    RECORD_NAME ": service %zu is not understood", i);
		record_add_service(record, name, image);
		if (id != NULL)
			record->services[i].container = xstrdup(id);
	}
	return 0;
}

static struct record
steal_record(struct record *record)
{
	struct record taken = *record;

	*record = (struct record)RECORD_INIT;
	return taken;
}

int
record_parse(
    const char *text, size_t len, struct record *ret_record, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_record struct record record = RECORD_INIT;
	int64_t version;

	if (len > RECORD_MAX)
		return diag_set(dg, DIAG_DATA,
		    RECORD_NAME ": more than %d bytes", RECORD_MAX);
	if (json_parse(text, len, RECORD_NAME, &root, dg) != 0)
		return -1;
	if (!json_int(json_get(root, "version"), &version))
		return diag_set(dg, DIAG_DATA, RECORD_NAME ": no version");
	if (version != RECORD_VERSION)
		return diag_set(dg, DIAG_DATA,
		    RECORD_NAME ": version %lld, this drydock reads %d",
		    (long long)version, RECORD_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (read_field(root, &fields[i], &record, dg) != 0)
			return -1;
	}
	if (read_services(root, &record, dg) != 0)
		return -1;
	record.ends_with_client =
	    json_bool(json_get(root, "ends_with_client"), false);
	*ret_record = steal_record(&record);
	return 0;
}

int
record_read(int session_fd, struct record *ret_record, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file(session_fd, RECORD_NAME, RECORD_MAX, &text, dg) != 0)
		return -1;
	return record_parse(text.buf, text.len, ret_record, dg);
}

void
record_release(struct record *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		free(*field_of(record, &fields[i]));
		*field_of(record, &fields[i]) = NULL;
	}
	for (size_t i = 0; i < record->nservices; i++) {
		free(record->services[i].name);
		free(record->services[i].image);
		free(record->services[i].container);
	}
	free(record->services);
	record->services = NULL;
	record->nservices = 0;
}
