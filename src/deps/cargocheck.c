/* SPDX-License-Identifier: MIT */
/* Compares cargo's files with the patches of a project. */
#include "deps/cargocheck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "deps/cargolock.h"
#include "deps/cargomanifest.h"
#include "deps/patchcheck.h"
#include "deps/patchledger.h"
#include "deps/toml.h"

#define MANIFEST "Cargo.toml"
#define LOCK "Cargo.lock"
#define CONFIG_DIR ".cargo"
#define CARGO PATCHLEDGER_CARGO
#define MAX_LOCKS 50 /* of projects below; each costs time */

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
	*ret_root = (struct root){ false, false };
	return toml_visit_all(
	    text->buf, text->len, MANIFEST, visit_root, ret_root, dg);
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
	if (fs_read_file(
		fd, MANIFEST, CARGOMANIFEST_MAX_SIZE, &text, &failure) != 0) {
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

/* Looks for the root in the directories above the project. */
static int
check_above(
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
cargocheck_root(int project_fd, const char *project_path,
    const struct strbuf *manifest, struct diag *dg)
{
	struct root own;

	(void)project_fd;
	if (read_root(manifest, &own, dg) != 0)
		return -1;
	if (own.names_other)
		return diag_set(dg, DIAG_CONFIG,
		    "Cargo.toml belongs to another workspace "
		    "(package.workspace), whose [patch] alone counts; run "
		    "drydock there");
	return check_above(project_path, manifest, dg);
}

struct run {
	int project_fd; /* borrowed */
	const struct patchledger *ledger; /* borrowed */
	struct patchcheck *check; /* borrowed */
	/* Its patches are those of the ledger, in its order. */
	struct cargomanifest_conflicts conflicts;
	const char *conflict_path; /* of the file that is being judged */
	int nlocks; /* of projects below that were looked at */
};

static void
add_conflict(void *arg, const char *name, const char *why)
{
	struct run *r = arg;
	const struct patchledger_entry *e = name == NULL
	    ? NULL
	    : patchledger_find(r->ledger, CARGO, name, NULL);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_add_escaped(&text, why, strlen(why));
	patchcheck_add(r->check, PATCHCHECK_CONFLICT, CARGO, e,
	    r->conflict_path, "%s", text.buf);
}

/*
 * cargo reads both names.  A link within the project is followed, as cargo
 * does: people link the old name to the new one.
 */
static void
check_configs(struct run *r, const char *dir)
{
	static const char *const names[] = { "config.toml", "config" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_free char *path = xasprintf("%s/%s", dir, names[i]);
		const char *why = NULL;

		r->conflict_path = path;
		if (fs_read_file(r->project_fd, path, CARGOMANIFEST_MAX_SIZE,
			&text, &dg) != 0)
			why = fs_is_absent(&dg) ? NULL : "read";
		else if (cargomanifest_judge_config(
			     text.buf, text.len, path, &r->conflicts, &dg) != 0)
			why = "judged";
		if (why != NULL)
			patchcheck_add(r->check, PATCHCHECK_CONFLICT, CARGO,
			    NULL, path, "cannot be %s: %s", why, dg.message);
	}
}

/* Tells a project below this one whose lock file has the original. */
static void
note_lock(struct run *r, const char *path)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (r->nlocks++ >= MAX_LOCKS ||
	    fs_read_nolinks(r->project_fd, path, CARGOLOCK_MAX_SIZE, &text,
		&ignored) != 0 ||
	    cargolock_parse(&lock, text.buf, text.len, path, &ignored) != 0)
		return;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct cargolock_package *p = &lock.v[i];

		if (cargolock_is_crates_io(p) &&
		    patchledger_find(r->ledger, CARGO, p->name, NULL) != NULL)
			patchcheck_note(r->check, path,
			    "has %s %s from crates.io: its directory is a "
			    "project of its own, which the patch here does not "
			    "change",
			    p->name, p->version);
	}
}

static void
found_below(void *arg, const char *path)
{
	const char *slash = strrchr(path, '/');

	/* Those of the project itself are judged elsewhere. */
	if (slash == NULL)
		return;
	if (strcmp(slash + 1, CONFIG_DIR) == 0)
		check_configs(arg, path);
	else
		note_lock(arg, path);
}

/* A file below the project counts for a build in its directory. */
static void
check_all_configs(struct run *r)
{
	static const char *const names[] = { CONFIG_DIR, LOCK, NULL };
	cleanup_diag struct diag dg = DIAG_INIT;
	bool whole = true;

	check_configs(r, CONFIG_DIR);
	if (below_find(r->project_fd, names, found_below, r, &whole, &dg) != 0)
		patchcheck_add(r->check, PATCHCHECK_CONFLICT, CARGO, NULL, ".",
		    "cannot be searched for .cargo/config.toml: %s",
		    dg.message);
	if (!whole)
		strvec_push(&r->check->notes,
		    "the project is too large or too deep to look for each "
		    ".cargo/config.toml in it, or a directory cannot be read");
}

static const struct cargomanifest_patch *
find_patch(const struct cargomanifest_patch *v, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

/* Compares the block with the patches that the ledger has. */
static void
compare_block(struct run *r, const struct cargomanifest_block *block)
{
	const struct cargomanifest_patch *want = r->conflicts.patches;
	size_t before = r->check->nr;
	bool in_order = block->nr == r->ledger->nr;

	for (size_t i = 0; i < r->ledger->nr; i++) {
		const struct patchledger_entry *e = &r->ledger->v[i];
		const struct cargomanifest_patch *p =
		    find_patch(block->v, block->nr, e->name);

		if (p == NULL)
			patchcheck_add(r->check, PATCHCHECK_BLOCK_MISSING,
			    CARGO, e, MANIFEST, "does not lead to %s",
			    want[i].path);
		else if (strcmp(p->path, want[i].path) != 0)
			patchcheck_add(r->check, PATCHCHECK_BLOCK_OTHER, CARGO,
			    e, MANIFEST, "leads to %s, and not to %s", p->path,
			    want[i].path);
		else if (in_order)
			in_order = p == &block->v[i];
	}
	for (size_t i = 0; i < block->nr; i++) {
		cleanup_free char *name = xstrdup(block->v[i].name);
		const struct patchledger_entry orphan = { .name = name };

		if (find_patch(want, r->ledger->nr, name) == NULL)
			patchcheck_add(r->check, PATCHCHECK_BLOCK_ORPHAN, CARGO,
			    &orphan, MANIFEST,
			    "leads to %s, which is not recorded",
			    block->v[i].path);
	}
	if (r->check->nr == before && !in_order)
		patchcheck_add(r->check, PATCHCHECK_BLOCK_FOREIGN, CARGO, NULL,
		    MANIFEST, "the block is not as drydock wrote it");
}

static void
report_block(
    struct run *r, const struct cargomanifest_block *block, bool has_manifest)
{
	switch (block->state) {
	case CARGOMANIFEST_NONE:
		for (size_t i = 0; i < r->ledger->nr; i++)
			patchcheck_add(r->check, PATCHCHECK_BLOCK_MISSING,
			    CARGO, &r->ledger->v[i], MANIFEST,
			    has_manifest ? "has no block of drydock's"
					 : "missing");
		break;
	case CARGOMANIFEST_FOREIGN:
		patchcheck_add(r->check, PATCHCHECK_BLOCK_FOREIGN, CARGO, NULL,
		    MANIFEST, "the block is not as drydock wrote it");
		break;
	case CARGOMANIFEST_OURS:
		compare_block(r, block);
		break;
	}
}

/* A workspace above the project takes its members' [patch] from nobody. */
static void
find_workspace(struct run *r, const struct strbuf *manifest)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *path = NULL;

	if (fs_real_path(r->project_fd, &path) != 0)
		patchcheck_add(r->check, PATCHCHECK_CONFLICT, CARGO, NULL,
		    MANIFEST, "the path of the project cannot be read");
	else if (check_above(path, manifest, &dg) != 0)
		add_conflict(r, NULL, dg.message);
}

static int
check_manifest(struct run *r, struct diag *dg)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_cargomanifest_block struct cargomanifest_block block =
	    CARGOMANIFEST_BLOCK_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool has_manifest;
	int rc = fs_read_present(r->project_fd, MANIFEST,
	    CARGOMANIFEST_MAX_SIZE, &text, &has_manifest, &failure);

	r->conflict_path = MANIFEST;
	/* A manifest without patches may be anything, as that of a template. */
	if (r->ledger->nr == 0 &&
	    !(has_manifest && cargomanifest_has_mark(text.buf, text.len)))
		return 0;
	if (rc != 0)
		return diag_move(dg, &failure);
	if (cargomanifest_read(text.buf, text.len, &r->conflicts, &block, dg) !=
	    0)
		return -1;
	report_block(r, &block, has_manifest);
	if (r->ledger->nr > 0)
		find_workspace(r, &text);
	return 0;
}

/* Names the versions of a crate that the lock has. */
static void
add_other_version(struct run *r, const struct patchledger_entry *e,
    const struct cargolock *lock)
{
	cleanup_strvec struct strvec versions = STRVEC_INIT;
	cleanup_free char *list = NULL;

	for (size_t i = 0; i < lock->nr; i++)
		if (strcmp(lock->v[i].name, e->name) == 0 && versions.nr < 10)
			strvec_push(&versions, lock->v[i].version);
	list = strvec_join(&versions, ", ");
	if (versions.nr == 0)
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, CARGO,
		    e, LOCK, "does not have %s", e->name);
	else
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, CARGO,
		    e, LOCK, "has %s %s, and not %s", e->name, list,
		    e->version);
}

static void
check_entry(struct run *r, const struct patchledger_entry *e,
    const struct cargolock *lock)
{
	size_t count;
	size_t unused;
	const struct cargolock_package *p =
	    cargolock_find(lock->v, lock->nr, e->name, e->version, &count);

	(void)cargolock_find(
	    lock->unused, lock->nunused, e->name, e->version, &unused);
	if (count == 0)
		add_other_version(r, e, lock);
	else if (count > 1)
		patchcheck_add(r->check, PATCHCHECK_LOCK_TWICE, CARGO, e, LOCK,
		    "has %s %s from two sources", e->name, e->version);
	else if (p->source == NULL && unused > 0)
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_SOURCE, CARGO, e,
		    LOCK,
		    "has %s %s from another path: cargo does not use the patch",
		    e->name, e->version);
	else if (p->source == NULL)
		return;
	else if (cargolock_is_crates_io(p) &&
	    digest_equal(&p->checksum, &e->pristine))
		patchcheck_add(r->check, PATCHCHECK_LOCK_ORIGINAL, CARGO, e,
		    LOCK, "leads to the original of %s %s", e->name,
		    e->version);
	else if (cargolock_is_crates_io(p))
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_SOURCE, CARGO, e,
		    LOCK,
		    "has another checksum of %s %s than " PATCHLEDGER_PATH,
		    e->name, e->version);
	else
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_SOURCE, CARGO, e,
		    LOCK, "has %s %s from another source than crates.io",
		    e->name, e->version);
}

static int
check_lock(struct run *r, struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool has_lock;

	if (r->ledger->nr == 0)
		return 0;
	if (fs_read_present(r->project_fd, LOCK, CARGOLOCK_MAX_SIZE, &text,
		&has_lock, dg) != 0)
		return -1;
	for (size_t i = 0; i < r->ledger->nr && !has_lock; i++)
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, CARGO,
		    &r->ledger->v[i], LOCK, "missing");
	if (!has_lock)
		return 0;
	if (cargolock_parse(&lock, text.buf, text.len, LOCK, dg) != 0)
		return -1;
	for (size_t i = 0; i < r->ledger->nr; i++)
		check_entry(r, &r->ledger->v[i], &lock);
	return 0;
}

int
cargocheck_run(int project_fd, const struct patchledger *ledger,
    struct patchcheck *check, struct diag *dg)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;
	cleanup_free struct cargomanifest_patch *want =
	    xcalloc(ledger->nr + 1, sizeof(*want));
	struct run r = {
		.project_fd = project_fd,
		.ledger = ledger,
		.check = check,
		.conflicts = { want, ledger->nr, add_conflict, &r },
	};

	for (size_t i = 0; i < ledger->nr; i++) {
		const struct patchledger_entry *e = &ledger->v[i];

		strvec_push_given(&paths, patchledger_copy_path(e));
		want[i] = (struct cargomanifest_patch){ e->name, paths.v[i] };
	}
	/* What cannot be judged comes first, and costs little. */
	if (check_manifest(&r, dg) != 0 || check_lock(&r, dg) != 0)
		return -1;
	if (ledger->nr > 0)
		check_all_configs(&r);
	return 0;
}
