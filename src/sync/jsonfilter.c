/* SPDX-License-Identifier: MIT */
/* jq chooses, on a copy; the source's bytes are spliced. */
#include "sync/jsonfilter.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/jqprog.h"
#include "base/json-scan.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "sync/jsonpaths.h"
#include "sync/jsonread.h"

struct jsonfilter {
	struct jqprog *prog; /* owned; NULL: nothing is dropped */
};

/* A JSON string is a jq string: a backslash stays escaped, so no \( is left. */
static int
add_definition(struct strbuf *program, const char *name, const char *value,
    struct diag *dg)
{
	struct jsonw *w = jsonw_new(false);

	jsonw_str(w, value);
	strbuf_addf(program, "def %s: ", name);
	if (jsonw_finish(w, program, dg) < 0)
		return -1;
	strbuf_addstr(program, ";\n");
	return 0;
}

int
jsonfilter_new(const struct strvec *drop, const char *home, const char *project,
    struct jsonfilter **ret_filter, struct diag *dg)
{
	cleanup_jsonfilter struct jsonfilter *f = xcalloc(1, sizeof(*f));
	cleanup_strbuf struct strbuf program = STRBUF_INIT;

	if (add_definition(&program, "home", home, dg) < 0 ||
	    add_definition(&program, "project", project, dg) < 0)
		return -1;
	strbuf_addstr(&program, "[path(");
	for (size_t i = 0; i < drop->nr; i++)
		strbuf_addf(&program, "%s(%s)", i > 0 ? ",\n" : "", drop->v[i]);
	strbuf_addstr(&program, ")]");
	if (drop->nr > 0 &&
	    jqprog_compile("what to drop", program.buf, &f->prog, dg) < 0)
		return -1;
	*ret_filter = steal_ptr(&f);
	return 0;
}

void
jsonfilter_free(struct jsonfilter *filter)
{
	if (filter == NULL)
		return;
	jqprog_free(filter->prog);
	free(filter);
}

void
jsonfilter_freep(struct jsonfilter **filter)
{
	jsonfilter_free(*filter);
	*filter = NULL;
}

/*
 * Returns text, or scratch with a copy in which each escaped half of a
 * surrogate pair is \ufffd.  That is as long, so offsets hold in both; jq and
 * yajl read it alike, so a key that jq names is the key that is cut.
 */
static const char *
mask_surrogates(const char *text, size_t len, struct strbuf *scratch)
{
	static const char replacement[] = "\\ufffd";
	size_t at = 0;

	while (json_scan_find_lone_surrogate(text, len, at, &at)) {
		if (scratch->len == 0)
			strbuf_add(scratch, text, len);
		memcpy(scratch->buf + at, replacement, sizeof(replacement) - 1);
		at += sizeof(replacement) - 1;
	}
	return scratch->len > 0 ? scratch->buf : text;
}

int
jsonfilter_run(struct jsonfilter *filter, const char *text, size_t len,
    const char *what, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf chosen = STRBUF_INIT;
	cleanup_strbuf struct strbuf scratch = STRBUF_INIT;
	const char *read = mask_surrogates(text, len, &scratch);
	cleanup_jsonpaths struct jsonpaths *paths = NULL;
	cleanup_byte_ranges struct byte_ranges ranges = BYTE_RANGES_INIT;
	size_t at = 0;

	if (jsonread_check(read, len, what, dg) < 0)
		return -1;
	if (filter->prog != NULL &&
	    (jqprog_run(filter->prog, read, len, &chosen, dg) < 0 ||
		jsonpaths_parse(chosen.buf, chosen.len, &paths, dg) < 0))
		return diag_wrap(dg, "%s", what);
	if (jsonread_cut(read, len, what, paths, &ranges, dg) < 0)
		return -1;
	for (size_t i = 0; i < ranges.nr; i++) {
		strbuf_add(out, text + at, ranges.v[i].start - at);
		at = ranges.v[i].end;
	}
	strbuf_add(out, text + at, len - at);
	return 0;
}
