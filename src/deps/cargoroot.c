/* SPDX-License-Identifier: MIT */
/* Looks for [workspace] in a manifest and in those above it. */
#include "deps/cargoroot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/cargomanifest.h"
#include "deps/toml.h"

/* What a manifest says of workspaces. */
struct root {
	bool has_workspace; /* it is a workspace's root */
	bool names_other; /* package.workspace */
};

static int
visit_root(void *arg, const struct toml_path *path,
    const struct toml_slice *value, struct diag *dg)
{
	struct root *root = arg;

	(void)value;
	(void)dg;
	if (toml_part_is(path, 0, "workspace"))
		root->has_workspace = true;
	if (toml_part_is(path, 0, "package") &&
	    toml_part_is(path, 1, "workspace"))
		root->names_other = true;
	return 0;
}

static int
read_root(const struct strbuf *text, struct root *ret_root, struct diag *dg)
{
	struct toml_path table = { .nr = 0 };
	struct toml t;
	bool more;

	*ret_root = (struct root){ false, false };
	if (toml_begin(&t, text->buf, text->len, "Cargo.toml", dg) != 0)
		return -1;
	for (;;) {
		if (toml_next(&t, &more, dg) != 0)
			return -1;
		if (!more)
			return 0;
		if (!toml_is_comment(&t) &&
		    toml_visit(&t, &table, visit_root, ret_root, dg) != 0)
			return -1;
	}
}

/* Reads the manifest in a directory; one that is not there says nothing. */
static int
read_above(const char *dir, struct root *ret_root, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_close int fd = -1;

	*ret_root = (struct root){ false, false };
	fd = open(*dir == '\0' ? "/" : dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fs_read_file(fd, "Cargo.toml", CARGOMANIFEST_MAX_SIZE, &text,
		&failure) != 0) {
		if (failure.errnum == ENOENT)
			return 0;
	} else if (read_root(&text, ret_root, &failure) == 0) {
		return 0;
	}
	/* Cargo may be able to read it. */
	return diag_set(dg, DIAG_CONFIG,
	    "%s/Cargo.toml may be the root of a workspace, and cannot be "
	    "judged: %s",
	    dir, failure.message);
}

int
cargoroot_check_above(
    const char *project_path, const struct strbuf *manifest, struct diag *dg)
{
	cleanup_free char *dir = xstrdup(project_path);
	struct root root;

	if (read_root(manifest, &root, dg) != 0)
		return -1;
	for (char *slash = strrchr(dir, '/');
	     slash != NULL && !root.has_workspace; slash = strrchr(dir, '/')) {
		*slash = '\0';
		if (read_above(dir, &root, dg) != 0)
			return -1;
		if (root.has_workspace || root.names_other)
			return diag_set(dg, DIAG_CONFIG,
			    "%s/Cargo.toml is the root of a workspace, or "
			    "belongs to one, whose [patch] alone counts; run "
			    "drydock there, or give this project a "
			    "[workspace] of its own",
			    dir);
	}
	return 0;
}

int
cargoroot_check(
    const char *project_path, const struct strbuf *manifest, struct diag *dg)
{
	struct root own;

	if (read_root(manifest, &own, dg) != 0)
		return -1;
	if (own.names_other)
		return diag_set(dg, DIAG_CONFIG,
		    "Cargo.toml belongs to another workspace "
		    "(package.workspace), whose [patch] alone counts; run "
		    "drydock there");
	return cargoroot_check_above(project_path, manifest, dg);
}
