/* SPDX-License-Identifier: MIT */
/* Documents of ours, written by yajl. */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"

struct jsonw {
	yajl_gen gen; /* owned */
	yajl_gen_status status; /* the first that was not ok */
	bool bad_text; /* a string was not UTF-8 */
	size_t depth;
	char opened; /* a bracket that is not written yet, or NUL */
};

struct jsonw *
jsonw_new(bool pretty)
{
	struct jsonw *w = xcalloc(1, sizeof(*w));

	w->gen = yajl_gen_alloc(NULL);
	if (w->gen == NULL)
		abort(); /* as xalloc does: there is no memory */
	w->status = yajl_gen_status_ok;
	if (pretty) {
		(void)yajl_gen_config(w->gen, yajl_gen_beautify, 1);
		(void)yajl_gen_config(w->gen, yajl_gen_indent_string, "  ");
	}
	return w;
}

void
jsonw_free(struct jsonw *w)
{
	if (w == NULL)
		return;
	yajl_gen_free(w->gen);
	free(w);
}

static void
keep_status(struct jsonw *w, yajl_gen_status status)
{
	if (w->status == yajl_gen_status_ok)
		w->status = status;
}

/*
 * An opening bracket is held back until something follows: yajl would write an
 * empty container over three lines.
 */
static void
write_opened(struct jsonw *w)
{
	char opened = w->opened;

	w->opened = '\0';
	if (opened == '{')
		keep_status(w, yajl_gen_map_open(w->gen));
	else if (opened == '[')
		keep_status(w, yajl_gen_array_open(w->gen));
}

static void
open_container(struct jsonw *w, char bracket)
{
	write_opened(w);
	w->depth++;
	w->opened = bracket;
}

static void
close_container(struct jsonw *w, char bracket)
{
	w->depth--;
	/* A "number" is written as it is. */
	if (w->opened == bracket) {
		w->opened = '\0';
		keep_status(w,
		    yajl_gen_number(w->gen, bracket == '{' ? "{}" : "[]", 2));
		return;
	}
	write_opened(w);
	keep_status(w,
	    bracket == '{' ? yajl_gen_map_close(w->gen)
			   : yajl_gen_array_close(w->gen));
}

void
jsonw_open_object(struct jsonw *w)
{
	open_container(w, '{');
}

void
jsonw_close_object(struct jsonw *w)
{
	close_container(w, '{');
}

void
jsonw_open_array(struct jsonw *w)
{
	open_container(w, '[');
}

void
jsonw_close_array(struct jsonw *w)
{
	close_container(w, '[');
}

void
jsonw_key(struct jsonw *w, const char *key)
{
	jsonw_strn(w, key, strlen(key));
}

void
jsonw_str(struct jsonw *w, const char *value)
{
	if (value == NULL)
		jsonw_null(w);
	else
		jsonw_strn(w, value, strlen(value));
}

/* yajl's own validation lets surrogates pass. */
void
jsonw_strn(struct jsonw *w, const char *value, size_t len)
{
	if (!utf8_valid(value, len))
		w->bad_text = true;
	write_opened(w);
	keep_status(
	    w, yajl_gen_string(w->gen, (const unsigned char *)value, len));
}

void
jsonw_int(struct jsonw *w, int64_t value)
{
	write_opened(w);
	keep_status(w, yajl_gen_integer(w->gen, value));
}

void
jsonw_bool(struct jsonw *w, bool value)
{
	write_opened(w);
	keep_status(w, yajl_gen_bool(w->gen, value));
}

void
jsonw_null(struct jsonw *w)
{
	write_opened(w);
	keep_status(w, yajl_gen_null(w->gen));
}

void
jsonw_number_raw(struct jsonw *w, const char *digits)
{
	write_opened(w);
	keep_status(w, yajl_gen_number(w->gen, digits, strlen(digits)));
}

void
jsonw_key_str(struct jsonw *w, const char *key, const char *value)
{
	jsonw_key(w, key);
	jsonw_str(w, value);
}

void
jsonw_key_int(struct jsonw *w, const char *key, int64_t value)
{
	jsonw_key(w, key);
	jsonw_int(w, value);
}

void
jsonw_key_bool(struct jsonw *w, const char *key, bool value)
{
	jsonw_key(w, key);
	jsonw_bool(w, value);
}

/* Recursion ends at JSON_MAX_DEPTH: nodes come from json_parse(). */
void
jsonw_node(struct jsonw *w, const struct json *n)
{
	if (json_is_object(n)) {
		jsonw_open_object(w);
		for (size_t i = 0; i < json_len(n); i++) {
			jsonw_key(w, json_key_at(n, i));
			jsonw_node(w, json_value_at(n, i));
		}
		jsonw_close_object(w);
	} else if (json_is_array(n)) {
		jsonw_open_array(w);
		for (size_t i = 0; i < json_len(n); i++)
			jsonw_node(w, json_at(n, i));
		jsonw_close_array(w);
	} else if (json_is_bool(n)) {
		jsonw_bool(w, json_bool(n, false));
	} else if (json_number(n) != NULL) {
		jsonw_number_raw(w, json_number(n));
	} else {
		jsonw_str(w, json_string(n));
	}
}

int
jsonw_finish(struct jsonw *w, struct strbuf *out, struct diag *dg)
{
	const unsigned char *text = NULL;
	size_t len = 0;
	int rc = 0;

	if (w->bad_text)
		rc = diag_set(
		    dg, DIAG_DATA, "write JSON: a string is not UTF-8");
	else if (w->status != yajl_gen_status_ok || w->depth != 0 ||
	    yajl_gen_get_buf(w->gen, &text, &len) != yajl_gen_status_ok ||
	    len == 0)
		rc = diag_set(dg, DIAG_BUG,
		    "write JSON: not a document (yajl status %d)",
		    (int)w->status);
	if (rc == 0 && text != NULL) {
		strbuf_add(out, text, len);
		/* yajl ends a pretty document, and only that, with one. */
		if (text[len - 1] != '\n')
			strbuf_addch(out, '\n');
	}
	jsonw_free(w);
	return rc;
}
