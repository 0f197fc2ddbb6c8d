/* SPDX-License-Identifier: MIT */
/* build-list: prints the uses and sizes of images. */
#include "cmd/build-list.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "cmd/sessions.h"
#include "engine/image.h"
#include "host/statedir.h"
#include "session/image-use.h"
#include "session/listing.h"

/* If the engine does not answer, the sizes stay unknown. */
static void
read_own_sizes(const struct engine *engine, struct image_uses *uses)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	cleanup_free int64_t *shared = xcalloc(uses->nr + 1, sizeof(*shared));
	cleanup_diag struct diag dg = DIAG_INIT;

	for (size_t i = 0; i < uses->nr; i++)
		strvec_push(&ids, uses->v[i].entry->image);
	if (images_shared_sizes(engine, &ids, shared, &dg) != 0) {
		diag_warn("%s", dg.message);
		return;
	}
	for (size_t i = 0; i < uses->nr; i++)
		if (shared[i] >= 0 && uses->v[i].image.size >= shared[i])
			uses->v[i].own_size = uses->v[i].image.size - shared[i];
}

static void
add_json(struct jsonw *w, const struct image_use *use)
{
	const struct built *entry = use->entry;

	jsonw_open_object(w);
	jsonw_key_str(w, "id", entry->image);
	jsonw_key_str(w, "kind", entry->kind);
	if (entry->recipe != NULL)
		jsonw_key_str(w, "recipe", entry->recipe);
	if (entry->user != NULL) {
		jsonw_key_str(w, "user", entry->user);
		jsonw_key_str(w, "home", entry->home);
	}
	jsonw_key_str(w, "built_at", entry->built_at);
	jsonw_key_int(w, "size", use->image.size);
	if (use->own_size >= 0)
		jsonw_key_int(w, "own_size", use->own_size);
	jsonw_key_strvec(w, "names", &use->image.tags);
	jsonw_key_strvec(w, "needed_by", &use->users);
	jsonw_close_object(w);
}

static int
print_json(const struct image_uses *uses, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_array(w, "images");
	for (size_t i = 0; i < uses->nr; i++)
		if (uses->v[i].image.id != NULL)
			add_json(w, &uses->v[i]);
	jsonw_close_array(w);
	if (uses->unknown != NULL)
		jsonw_key_str(w, "unknown", uses->unknown);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static void
add_megabytes(struct strbuf *out, int64_t size)
{
	if (size < 0)
		strbuf_addf(out, "%8s   ", "-");
	else
		strbuf_addf(
		    out, "%8lld MB", (long long)(size + 500000) / 1000000);
}

static void
print_text(const struct image_uses *uses)
{
	(void)printf("%-12s  %11s%11s  %-13s %s\n", "IMAGE", "SIZE",
	    "NOT SHARED", "BUILT", "CONTENTS AND USERS");
	for (size_t i = 0; i < uses->nr; i++) {
		const struct image_use *use = &uses->v[i];
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		cleanup_strbuf struct strbuf when = STRBUF_INIT;
		cleanup_strbuf struct strbuf what = STRBUF_INIT;

		if (use->image.id == NULL)
			continue;
		strbuf_addf(
		    &line, "%.12s  ", use->image.id + strlen("sha256:"));
		add_megabytes(&line, use->image.size);
		add_megabytes(&line, use->own_size);
		listed_add_when(&when, use->entry->built_at, time(NULL));
		image_use_describe(use, &what);
		strbuf_addf(&line, "  %-13s ", when.buf);
		strbuf_add_escaped(&line, what.buf, what.len);
		if (use->entry->home != NULL) {
			strbuf_addstr(&line, " for ");
			strbuf_add_escaped(
			    &line, use->entry->home, strlen(use->entry->home));
		}
		strbuf_addstr(
		    &line, use->users.nr > 0 ? ", needed by " : ", not needed");
		for (size_t u = 0; u < use->users.nr; u++) {
			strbuf_addstr(&line, u > 0 ? ", " : "");
			strbuf_add_escaped(
			    &line, use->users.v[u], strlen(use->users.v[u]));
		}
		(void)printf("%s\n", line.buf);
	}
}

int
build_list(struct context *ctx, bool json, struct diag *dg)
{
	cleanup_image_uses struct image_uses uses = IMAGE_USES_INIT;
	const struct image_uses_spec spec = { ctx->paths, ctx->settings,
		ctx->engine };

	if (statedir_open(ctx->paths, dg) != 0 ||
	    sessions_find_engine(ctx, NULL, dg) != 0 ||
	    image_uses_read(&spec, &uses, dg) != 0)
		return -1;
	read_own_sizes(ctx->engine, &uses);
	if (uses.unknown != NULL)
		diag_warn(
		    "not all uses of the images are known: %s", uses.unknown);
	if (json)
		return print_json(&uses, dg);
	print_text(&uses);
	return 0;
}
