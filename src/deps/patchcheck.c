/* SPDX-License-Identifier: MIT */
/* Compares what a project says about its patches with what it has. */
#include "deps/patchcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/ecosystem.h"
#include "deps/npmpackage.h"
#include "deps/patchfinding.h"
#include "deps/patchledger.h"
#include "deps/patchtext.h"
#include "deps/patchtree.h"

#define PATCHES ".drydock/patches"
#define COPIES ".drydock/patched"
#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define OPEN_DIR (O_RDONLY | O_NONBLOCK | O_DIRECTORY)

struct run {
	int project_fd; /* borrowed */
	const struct patchledger *ledger; /* borrowed */
	struct patchcheck *check; /* borrowed */
};

static bool
is_full(const struct run *r)
{
	return r->check->nr == PATCHCHECK_MAX;
}

/* Adds that a file of an entry is not there, or cannot be read. */
static void
add_unread(struct run *r, const struct patchledger_entry *e, const char *path,
    enum patchcheck_kind missing, enum patchcheck_kind changed,
    const struct diag *failure)
{
	if (fs_is_absent(failure))
		patchfinding_add(
		    r->check, missing, e->ecosystem, e, path, "missing");
	else
		patchfinding_add(r->check, changed, e->ecosystem, e, path,
		    "cannot be read: %s", failure->message);
}

static void
check_patch(struct run *r, const struct patchledger_entry *e)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = patchledger_patch_path(e);
	struct digest digest;

	if (fs_read_nolinks(
		r->project_fd, path, PATCHTEXT_MAX_SIZE, &text, &dg) != 0) {
		add_unread(r, e, path, PATCHCHECK_PATCH_MISSING,
		    PATCHCHECK_PATCH_CHANGED, &dg);
		return;
	}
	digest_of(DIGEST_SHA256, text.buf, text.len, &digest);
	if (!digest_equal(&digest, &e->patch))
		patchfinding_add(r->check, PATCHCHECK_PATCH_CHANGED,
		    e->ecosystem, e, path,
		    "not the patch that " PATCHLEDGER_PATH " records");
}

/* A copy that is being checked. */
struct copy {
	struct run *r;
	const struct patchledger_entry *e;
	const char *path;
};

/* Adds that a file of the copy is not as it should be. */
static void
add_change(
    const struct copy *c, const char *path, const char *what, const char *why)
{
	patchfinding_add(c->r->check, PATCHCHECK_COPY_CHANGED, c->e->ecosystem,
	    c->e, path, "%s%s", what, why);
}

static void
add_difference(void *arg, const char *path, enum patchtree_difference how)
{
	static const char *const words[] = {
		[PATCHTREE_CHANGED] = "changed",
		[PATCHTREE_MISSING] = "missing",
		[PATCHTREE_EXTRA] = "not a file of the patched package",
	};
	const struct copy *c = arg;
	cleanup_free char *whole = NULL;

	if (is_full(c->r))
		return;
	whole = xasprintf("%s/%s", c->path, path);
	add_change(c, whole, words[how], "");
}

/* Reads the copy's list, if that is the recorded one. */
static void
read_list(const struct copy *c, struct patchtree *ret_want)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path =
	    xasprintf("%s" PATCHTREE_LIST_SUFFIX, c->path);
	struct digest digest;

	if (fs_read_nolinks(
		c->r->project_fd, path, PATCHTREE_MAX_LIST, &text, &dg) != 0) {
		add_unread(c->r, c->e, path, PATCHCHECK_COPY_MISSING,
		    PATCHCHECK_COPY_CHANGED, &dg);
		return;
	}
	digest_of(DIGEST_SHA256, text.buf, text.len, &digest);
	if (!digest_equal(&digest, &c->e->tree))
		add_change(c, path, "changed", "");
	else if (patchtree_parse_list(ret_want, text.buf, text.len, &dg) != 0)
		add_change(c, path, "cannot be read: ", dg.message);
}

/*
 * The package manager knows the copy's package file by this digest alone, and
 * would take another file from its cache if the digest were that one's.
 */
static void
check_integrity(const struct copy *c, int copy_fd)
{
	const struct digest *want = &c->e->integrity;
	cleanup_close int fd = -1;
	cleanup_diag struct diag ignored = DIAG_INIT;
	struct digest digest;
	struct stat st;

	if (want->kind == DIGEST_NONE)
		return;
	if (fs_open_nolinks(
		copy_fd, NPMPACKAGE_FILE, OPEN_FILE, 0, &fd, &ignored) != 0 ||
	    fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    digest_file(fd, st.st_size, want->kind, &digest) != 0 ||
	    !digest_equal(&digest, want))
		patchfinding_add(c->r->check, PATCHCHECK_CONFLICT,
		    c->e->ecosystem, c->e, PATCHLEDGER_PATH,
		    "has another integrity of the patched %s %s than its copy; "
		    "restore this file, or remove the patch and make it again",
		    c->e->name, c->e->version);
}

static void
check_copy(struct run *r, const struct patchledger_entry *e)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchtree struct patchtree want = PATCHTREE_INIT;
	cleanup_patchtree struct patchtree got = PATCHTREE_INIT;
	cleanup_free char *path = patchledger_copy_path(e);
	cleanup_close int fd = -1;
	struct copy c = { r, e, path };
	struct digest digest;

	if (fs_open_nolinks(r->project_fd, path, OPEN_DIR, 0, &fd, &dg) != 0) {
		if (dg.errnum == ENOENT)
			patchfinding_add(r->check, PATCHCHECK_COPY_MISSING,
			    e->ecosystem, e, path, "missing");
		else
			add_change(&c, path, "cannot be read: ", dg.message);
		return;
	}
	read_list(&c, &want);
	if (patchtree_read(fd, &got, &dg) != 0) {
		add_change(&c, path, "cannot be read: ", dg.message);
		return;
	}
	patchtree_digest(&got, &digest);
	if (digest_equal(&digest, &e->tree))
		check_integrity(&c, fd);
	else if (want.nr > 0)
		patchtree_compare(&want, &got, add_difference, &c);
	else
		add_change(&c, path,
		    "its files are not those of the patched package", "");
}

/*
 * Adds a finding for each entry of a directory that is not known.  Returns false
 * if it cannot be read.
 */
static bool
find_orphans(struct run *r, enum patchcheck_kind kind, const char *ecosystem,
    const char *path, const struct strvec *known)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(r->project_fd, path, OPEN_DIR, 0, &fd, &dg) != 0 ||
	    fs_list_names(fd, path, &names, &dg) != 0) {
		if (dg.errnum == ENOENT)
			return true;
		patchfinding_add(r->check, kind, ecosystem, NULL, path,
		    "cannot be read: %s", dg.message);
		return false;
	}
	for (size_t i = 0; i < names.nr && !is_full(r); i++) {
		cleanup_free char *whole = xasprintf("%s/%s", path, names.v[i]);

		if (names.v[i][0] != '.' && !strvec_has(known, whole))
			patchfinding_add(r->check, kind, ecosystem, NULL, whole,
			    "not recorded");
	}
	return true;
}

/* top is .drydock/patches or .drydock/patched. */
static void
find_all_orphans(struct run *r, enum patchcheck_kind kind, const char *top,
    const struct strvec *known)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		strvec_pushf(&dirs, "%s/%s", top, ecosystems[i]->name);
	if (!find_orphans(r, kind, NULL, top, &dirs))
		return;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		(void)find_orphans(
		    r, kind, ecosystems[i]->name, dirs.v[i], known);
}

/* Names with a '.' in front are of files in work, and are ignored. */
static void
check_orphans(struct run *r)
{
	cleanup_strvec struct strvec patches = STRVEC_INIT;
	cleanup_strvec struct strvec copies = STRVEC_INIT;

	for (size_t i = 0; i < r->ledger->nr; i++) {
		const struct patchledger_entry *e = &r->ledger->v[i];
		cleanup_free char *copy = patchledger_copy_path(e);

		strvec_push_given(&patches, patchledger_patch_path(e));
		strvec_pushf(&copies, "%s" PATCHTREE_LIST_SUFFIX, copy);
		strvec_push(&copies, copy);
	}
	find_all_orphans(r, PATCHCHECK_PATCH_ORPHAN, PATCHES, &patches);
	find_all_orphans(r, PATCHCHECK_COPY_ORPHAN, COPIES, &copies);
}

static int
run(struct run *r, struct diag *dg)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		const struct patchledger part =
		    patchledger_part(r->ledger, ecosystems[i]->name);

		if (ecosystems[i]->check(r->project_fd, &part, r->check, dg) !=
		    0)
			return -1;
	}
	for (size_t i = 0; i < r->ledger->nr && !is_full(r); i++) {
		check_patch(r, &r->ledger->v[i]);
		check_copy(r, &r->ledger->v[i]);
	}
	check_orphans(r);
	return 0;
}

int
patchcheck_run(int project_fd, struct patchcheck *ret_check, struct diag *dg)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	struct patchcheck check = PATCHCHECK_INIT;
	struct run r = { project_fd, &ledger, &check };

	if (patchledger_read(project_fd, &ledger, dg) != 0)
		return -1;
	check.npatches = ledger.nr;
	if (run(&r, dg) != 0) {
		patchcheck_release(&check);
		return -1;
	}
	*ret_check = check;
	return 0;
}

bool
patchcheck_may_exist(int project_fd, const char *path)
{
	cleanup_close int fd = fs_openat2(project_fd, path, O_PATH | O_NOFOLLOW,
	    0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	return fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool
patchcheck_is_needed(int project_fd)
{
	static const char *const entries[] = { PATCHLEDGER_PATH, PATCHES,
		COPIES };

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (patchcheck_may_exist(project_fd, entries[i]))
			return true;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		const struct ecosystem *eco = ecosystems[i];
		cleanup_diag struct diag ignored = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (fs_read_nolinks(project_fd, eco->manifest,
			eco->manifest_max, &text, &ignored) == 0 &&
		    eco->has_mark(text.buf, text.len))
			return true;
	}
	return false;
}
