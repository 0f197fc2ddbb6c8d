/* SPDX-License-Identifier: MIT */
/* Looks for [workspace] in a manifest and in those above it. */
#include "deps/cargoroot.h"

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

/* Refuses a project that is below a workspace's root. */
static int
check_above(const char *project_path, struct diag *dg)
{
	cleanup_free char *dir = xstrdup(project_path);

	for (char *slash = strrchr(dir, '/'); slash != NULL;
	     slash = strrchr(dir, '/')) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag ignored = DIAG_INIT;
		cleanup_close int fd = -1;
		struct root above;

		*slash = '\0';
		if (fs_open_dir(*dir == '\0' ? "/" : dir, &fd, &ignored) == 0 &&
		    fs_read_file(fd, "Cargo.toml", CARGOMANIFEST_MAX_SIZE,
			&text, &ignored) == 0 &&
		    read_root(&text, &above, &ignored) == 0 &&
		    above.has_workspace)
			return diag_set(dg, DIAG_CONFIG,
			    "%s/Cargo.toml is the root of a workspace, whose "
			    "[patch] alone counts; run drydock there",
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
	return own.has_workspace ? 0 : check_above(project_path, dg);
}
