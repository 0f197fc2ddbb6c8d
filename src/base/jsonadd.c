/* SPDX-License-Identifier: MIT */
/* jsonadd: splices members into the source bytes of a document. */
#include "base/jsonadd.h"

#include <stdbool.h>
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"

static bool
has_key(const struct json *object, const struct json_key *wanted)
{
	const struct json_key *keys = json_keys(object);

	for (size_t i = 0; i < json_len(object); i++)
		if (keys[i].len == wanted->len &&
		    memcmp(keys[i].text, wanted->text, wanted->len) == 0)
			return true;
	return false;
}

/* Appends the missing members as an object; *ret_nr is their number. */
static int
list_missing(const struct json *root, const struct json *defaults,
    struct strbuf *out, size_t *ret_nr, struct diag *dg)
{
	struct jsonw *w = jsonw_new(false);

	*ret_nr = 0;
	jsonw_open_object(w);
	for (size_t i = 0; i < json_len(defaults); i++) {
		if (has_key(root, &json_keys(defaults)[i]))
			continue;
		jsonw_key_node(
		    w, json_key_at(defaults, i), json_value_at(defaults, i));
		++*ret_nr;
	}
	jsonw_close_object(w);
	return jsonw_finish(w, out, dg);
}

int
jsonadd_missing(const char *text, size_t len, const char *what,
    const struct json *defaults, struct strbuf *out, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf missing = STRBUF_INIT;
	size_t nr;
	size_t at;

	if (len == 0) {
		text = "{}";
		len = 2;
	}
	if (json_parse_loose(text, len, what, &root, dg) != 0)
		return -1;
	if (!json_is_object(root))
		return diag_set(dg, DIAG_DATA, "%s: not an object", what);
	if (list_missing(root, defaults, &missing, &nr, dg) != 0)
		return -1;
	if (nr == 0) {
		strbuf_add(out, text, len);
		return 0;
	}
	at = json_len(root) > 0
	    ? json_end(json_value_at(root, json_len(root) - 1))
	    : json_start(root) + 1;
	strbuf_add(out, text, at);
	if (json_len(root) > 0)
		strbuf_addch(out, ',');
	/* Without the braces and the newline. */
	strbuf_add(out, missing.buf + 1, missing.len - 3);
	strbuf_add(out, text + at, len - at);
	return 0;
}
