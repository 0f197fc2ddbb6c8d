/* SPDX-License-Identifier: MIT */
/* signatures: parses the log of the ssh agent, one JSON object a line. */
#include "session/signatures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/sshproto.h"
#include "session/sshagent.h"

int
signatures_read_log(int session_fd, struct strbuf *out, struct diag *dg)
{
	return fs_read_file(
		   session_fd, SSHAGENT_LOG, SSHAGENT_LOG_MAX, out, dg) == 0
	    ? 0
	    : diag_ignore(dg, ENOENT);
}

bool
signature_parse(const char *line, size_t len, struct signature *ret_signature)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag ignored = DIAG_INIT;
	const char *event;
	const char *key;
	const char *time;

	if (json_parse(line, len, SSHAGENT_LOG, &root, &ignored) != 0)
		return false;
	event = json_string_or(json_get(root, "event"), "");
	key = json_string_or(json_get(root, "key"), "");
	time = json_string(json_get(root, "time"));
	if ((strcmp(event, "signed") != 0 && strcmp(event, "refused") != 0) ||
	    !sshproto_is_fingerprint(key) || time == NULL)
		return false;
	*ret_signature = (struct signature){
		.key = xstrdup(key),
		.purpose = xstrdup(json_string_or(json_get(root, "for"), "")),
		.detail = xstrdup(json_string_or(json_get(root, "detail"), "")),
		.first = xstrdup(time),
		.last = xstrdup(time),
		.refused = strcmp(event, "refused") == 0,
		.count = 1,
	};
	return true;
}

static bool
is_equal(const struct signature *a, const struct signature *b)
{
	return a->refused == b->refused && strcmp(a->key, b->key) == 0 &&
	    strcmp(a->purpose, b->purpose) == 0 &&
	    strcmp(a->detail, b->detail) == 0;
}

void
signatures_add(struct signatures *s, size_t max, const struct signature *given)
{
	struct signature one = *given;

	for (size_t i = 0; i < s->nr; i++) {
		struct signature *old = &s->v[i];
		char *last = old->last;

		if (!is_equal(old, &one))
			continue;
		old->last = one.last;
		old->count += one.count;
		one.last = last;
		signature_release(&one);
		return;
	}
	if (s->nr == max) {
		s->more += one.count;
		signature_release(&one);
		return;
	}
	s->v = xreallocarray(s->v, s->nr + 1, sizeof(*s->v));
	s->v[s->nr++] = one;
}

/* Parses the next signature at *text; returns false at the end of the log. */
static bool
parse_next(const char **text, struct signature *ret_signature)
{
	while (**text != '\0') {
		const char *line = *text;
		size_t len = strcspn(line, "\n");

		*text += len + (line[len] != '\0' ? 1 : 0);
		if (signature_parse(line, len, ret_signature))
			return true;
	}
	return false;
}

void
signatures_parse(struct signatures *s, size_t max, const char *text)
{
	struct signature one;

	while (parse_next(&text, &one))
		signatures_add(s, max, &one);
}

void
signature_describe(const struct signature *signature, struct strbuf *out)
{
	strbuf_addstr(out, signature->key);
	if (signature->purpose[0] == '\0')
		return;
	strbuf_addf(out, " (%s", signature->purpose);
	if (signature->detail[0] != '\0')
		strbuf_addf(out, " %s", signature->detail);
	strbuf_addch(out, ')');
}

/*
 * The agent chooses the details, and could fill the list with them.  There are
 * few keys and purposes.
 */
int
signatures_read(struct signatures *s, int session_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf log = STRBUF_INIT;
	struct signature one;
	const char *text;

	if (signatures_read_log(session_fd, &log, dg) != 0)
		return -1;
	text = log.buf;
	while (parse_next(&text, &one)) {
		one.detail[0] = '\0';
		if (one.refused)
			signature_release(&one);
		else
			signatures_add(s, SIGNATURES_KEPT, &one);
	}
	return 0;
}

void
signatures_write(const struct signatures *s, struct jsonw *w)
{
	jsonw_key_array(w, "signatures");
	for (size_t i = 0; i < s->nr; i++) {
		jsonw_open_object(w);
		jsonw_key_str(w, "key", s->v[i].key);
		jsonw_key_str(w, "for", s->v[i].purpose);
		jsonw_key_int(w, "count", s->v[i].count);
		jsonw_key_str(w, "first", s->v[i].first);
		jsonw_key_str(w, "last", s->v[i].last);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key_int(w, "signatures_more", s->more);
}

static char *
text_of(const struct json *object, const char *key)
{
	return xstrdup(json_string_or(json_get(object, key), ""));
}

void
signatures_restore(struct signatures *s, const struct json *object)
{
	const struct json *list = json_get(object, "signatures");

	for (size_t i = 0; json_is_array(list) && i < json_len(list); i++) {
		const struct json *n = json_at(list, i);
		const struct signature one = {
			.key = text_of(n, "key"),
			.purpose = text_of(n, "for"),
			.detail = xstrdup(""),
			.first = text_of(n, "first"),
			.last = text_of(n, "last"),
			.count = json_count_or(json_get(n, "count"), 1),
		};

		signatures_add(s, SIGNATURES_KEPT, &one);
	}
	s->more += json_count_or(json_get(object, "signatures_more"), 0);
}

void
signatures_tell(const struct signatures *s)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < s->nr; i++) {
		strbuf_addstr(&out, i > 0 ? ", " : "");
		signature_describe(&s->v[i], &out);
		if (s->v[i].count > 1)
			strbuf_addf(&out, " %" PRId64 " times", s->v[i].count);
	}
	if (s->more > 0)
		strbuf_addf(&out, ", and %" PRId64 " more", s->more);
	if (out.len > 0)
		diag_note("your ssh agent signed for the session: %s", out.buf);
}

void
signature_release(struct signature *signature)
{
	free(signature->key);
	free(signature->purpose);
	free(signature->detail);
	free(signature->first);
	free(signature->last);
	*signature = (struct signature){ .key = NULL };
}

void
signatures_release(struct signatures *s)
{
	for (size_t i = 0; i < s->nr; i++)
		signature_release(&s->v[i]);
	free(s->v);
	*s = (struct signatures)SIGNATURES_INIT;
}
