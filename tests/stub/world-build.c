/* SPDX-License-Identifier: MIT */
/* Images: a build that reads its context and makes nothing but a name. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/xalloc.h"

static void
read_context(char ret_hex[DIGEST_HEX_SIZE], size_t *ret_len)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	char buf[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		strbuf_add(&all, buf, (size_t)n);
	*ret_len = all.len;
	digest_bytes(all.buf, all.len, ret_hex);
}

static void
write_image(struct world *w, const char *hex)
{
	static const char prefix[] = "--label=";
	cleanup_free char *path = xasprintf("%s/images/%s", w->dir, hex);
	cleanup_free char *id = xasprintf("sha256:%s", hex);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct diag *none = NULL;
	struct jsonw *j = jsonw_new(false);

	jsonw_open_object(j);
	jsonw_key_str(j, "Id", id);
	jsonw_key_str(j, "Created", "2026-01-01T00:00:00Z");
	jsonw_key_object(j, "Config");
	jsonw_key_array(j, "Env");
	jsonw_str(j, "PATH=/usr/local/bin:/usr/bin:/bin");
	jsonw_close_array(j);
	jsonw_key_object(j, "Labels");
	for (char *const *a = w->argv; *a != NULL; a++) {
		cleanup_free char *name = NULL;
		const char *label = *a + sizeof(prefix) - 1;

		if (strncmp(*a, prefix, sizeof(prefix) - 1) != 0)
			continue;
		name = xstrndup(label, strcspn(label, "="));
		jsonw_key_str(j, name, label + strlen(name) + 1);
	}
	jsonw_close_object(j);
	jsonw_close_object(j);
	jsonw_close_object(j);
	if (jsonw_finish(j, &text, none) != 0)
		world_die("the image's labels");
	world_write(path, text.buf, text.len);
}

/*
 * A tar ends with two blocks of zeros and is whole blocks long: one that is
 * cut must not become an image.
 */
static void
build(struct world *w)
{
	const char *iid = world_option(w, "--iidfile=");
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	char context[DIGEST_HEX_SIZE];
	char hex[DIGEST_HEX_SIZE];
	cleanup_free char *text = NULL;
	size_t len;

	read_context(context, &len);
	if (len == 0 || len % 512 != 0) {
		strbuf_addf(&w->err, "#1 ERROR: the context is cut\n");
		w->status = 1;
		return;
	}
	strbuf_add(&all, context, sizeof(context));
	for (char *const *a = w->argv; *a != NULL; a++)
		if (strncmp(*a, "--label=", 8) == 0)
			strbuf_addstr(&all, *a);
	digest_bytes(all.buf, all.len, hex);
	write_image(w, hex);
	text = xasprintf("sha256:%s", hex);
	if (iid != NULL)
		world_write(iid, text, strlen(text));
	strbuf_addf(&w->err, "#1 [1/1] FROM base\n#1 DONE 0.0s\n");
}

/* The holder's own check of an image that is not one, and its programs. */
static void
run(struct world *w)
{
	const char *image = NULL;

	bool lists = false;

	for (char *const *a = w->argv; *a != NULL; a++) {
		if (strncmp(*a, "sha256:", 7) == 0)
			image = *a + 7;
		lists = lists || strcmp(*a, "/bin/sh") == 0;
	}
	cleanup_free char *path =
	    xasprintf("%s/images/%s", w->dir, image == NULL ? "" : image);
	cleanup_free char *passed = xasprintf("%s/passed", w->dir);

	if (image == NULL || access(path, F_OK) != 0) {
		strbuf_addstr(&w->err, "docker: No such image\n");
		w->status = 125;
		return;
	}
	if (lists) {
		strbuf_addstr(&w->out, "bash\nnpx\nsh\n");
		return;
	}
	cleanup_fclose FILE *f = fopen(passed, "ae");
	if (f != NULL)
		(void)fprintf(f, "%s\n", image);
}

static void
tag(struct world *w)
{
	const char *id = w->argv[1];
	cleanup_free char *passed_path = xasprintf("%s/passed", w->dir);
	cleanup_free char *passed = world_read(passed_path, true);
	cleanup_free char *tags = xasprintf("%s/tags", w->dir);
	cleanup_fclose FILE *f = NULL;

	/* The base's name, for as long as a build takes. */
	if (id != NULL && w->argv[2] != NULL &&
	    strncmp(w->argv[2], "drydock-base:", 13) == 0) {
		cleanup_free char *path =
		    xasprintf("%s/images/%s", w->dir, w->argv[2]);
		cleanup_free char *text = xasprintf(
		    "{\"Id\":\"%s\",\"Created\":\"2026-01-01T00:00:00Z\","
		    "\"Config\":null}",
		    id);

		world_write(path, text, strlen(text));
		return;
	}
	f = fopen(tags, "ae");
	if (id == NULL || strncmp(id, "sha256:", 7) != 0 || w->argv[2] == NULL)
		world_complain(w, "tagged by something else than an id");
	else if (passed == NULL || strstr(passed, id + 7) == NULL)
		world_complain(w, "tagged before it was checked");
	if (f != NULL)
		(void)fprintf(f, "%s %s\n", w->argv[2], id);
}

bool
world_build(struct world *w)
{
	const char *key = w->key;

	if (strcmp(key, "buildx-version") == 0) {
		strbuf_addstr(&w->out, "github.com/docker/buildx 0.13.1\n");
	} else if (strcmp(key, "build") == 0) {
		build(w);
	} else if (strcmp(key, "run") == 0) {
		run(w);
	} else if (strcmp(key, "tag") == 0) {
		tag(w);
	} else if (strcmp(key, "rmi") == 0) {
		for (char *const *a = w->argv + 1; *a != NULL; a++) {
			bool is_id = strncmp(*a, "sha256:", 7) == 0;
			cleanup_free char *path = xasprintf(
			    "%s/images/%s", w->dir, is_id ? *a + 7 : *a);

			(void)unlink(path);
		}
	} else {
		return false;
	}
	return true;
}
