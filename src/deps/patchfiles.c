/* SPDX-License-Identifier: MIT */
/* Compares the patches and copies below .drydock with the ledger. */
#include "deps/patchfiles.h"

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

#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define OPEN_DIR (O_RDONLY | O_NONBLOCK | O_DIRECTORY)

struct files {
	int project_fd; /* borrowed */
	const struct patchledger *ledger; /* borrowed */
	struct patchcheck *check; /* borrowed */
};

static bool
is_full(const struct files *f)
{
	return f->check->nr == PATCHCHECK_MAX;
}

bool
patchfiles_is_absent(const struct diag *dg)
{
	return dg->errnum == ENOENT || dg->errnum == ENOTDIR;
}

int
patchfiles_read(int project_fd, const char *path, size_t max,
    struct strbuf *out, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (fs_open_nolinks(project_fd, path, OPEN_FILE, 0, &fd, dg) != 0)
		return -1;
	return fs_read_fd(fd, path, max, out, dg);
}

bool
patchfiles_may_exist(int project_fd, const char *path)
{
	cleanup_close int fd = fs_openat2(project_fd, path, O_PATH | O_NOFOLLOW,
	    0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	return fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
}

static void
hash(const struct strbuf *text, struct digest *ret_digest)
{
	struct digest_stream *s = digest_begin(DIGEST_SHA256);

	digest_add(s, text->buf, text->len);
	digest_end(s, ret_digest);
}

static void
check_patch(struct files *f, const struct patchledger_entry *e)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = patchledger_patch_path(e);
	struct digest digest;

	if (patchfiles_read(
		f->project_fd, path, PATCHTEXT_MAX_SIZE, &text, &dg) != 0) {
		if (patchfiles_is_absent(&dg))
			patchfinding_add(f->check, PATCHCHECK_PATCH_MISSING,
			    e->ecosystem, e, path, "missing");
		else
			patchfinding_add(f->check, PATCHCHECK_PATCH_CHANGED,
			    e->ecosystem, e, path, "cannot be read: %s",
			    dg.message);
		return;
	}
	hash(&text, &digest);
	if (!digest_equal(&digest, &e->patch))
		patchfinding_add(f->check, PATCHCHECK_PATCH_CHANGED,
		    e->ecosystem, e, path,
		    "not the patch that " PATCHLEDGER_PATH " records");
}

/* A copy that is being checked. */
struct copy {
	struct files *f;
	const struct patchledger_entry *e;
	const char *path;
	const char *list_path;
};

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

	if (is_full(c->f))
		return;
	whole = xasprintf("%s/%s", c->path, path);
	patchfinding_add(c->f->check, PATCHCHECK_COPY_CHANGED, c->e->ecosystem,
	    c->e, whole, "%s", words[how]);
}

/* Returns true if the copy has a list, and that is the recorded one. */
static bool
read_list(const struct copy *c, struct patchtree *ret_want)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const enum patchcheck_kind kind = PATCHCHECK_COPY_CHANGED;
	const struct patchledger_entry *e = c->e;
	struct digest digest;

	if (patchfiles_read(c->f->project_fd, c->list_path, PATCHTREE_MAX_LIST,
		&text, &dg) != 0) {
		if (patchfiles_is_absent(&dg))
			patchfinding_add(c->f->check, PATCHCHECK_COPY_MISSING,
			    e->ecosystem, e, c->list_path, "missing");
		else
			patchfinding_add(c->f->check, kind, e->ecosystem, e,
			    c->list_path, "cannot be read: %s", dg.message);
		return false;
	}
	hash(&text, &digest);
	if (!digest_equal(&digest, &e->tree)) {
		patchfinding_add(c->f->check, kind, e->ecosystem, e,
		    c->list_path, "changed");
		return false;
	}
	if (patchtree_parse_list(ret_want, text.buf, text.len, &dg) == 0)
		return true;
	patchfinding_add(c->f->check, kind, e->ecosystem, e, c->list_path,
	    "cannot be read: %s", dg.message);
	return false;
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
		patchfinding_add(c->f->check, PATCHCHECK_CONFLICT,
		    c->e->ecosystem, c->e, PATCHLEDGER_PATH,
		    "has another integrity of the patched %s %s than its copy; "
		    "restore this file, or remove the patch and make it again",
		    c->e->name, c->e->version);
}

static void
compare_copy(struct copy *c, int fd, const struct patchtree *want,
    const struct patchtree *got)
{
	struct digest digest;

	patchtree_digest(got, &digest);
	if (digest_equal(&digest, &c->e->tree)) {
		check_integrity(c, fd);
		return;
	}
	if (want->nr > 0)
		patchtree_compare(want, got, add_difference, c);
	else
		patchfinding_add(c->f->check, PATCHCHECK_COPY_CHANGED,
		    c->e->ecosystem, c->e, c->path,
		    "its files are not those of the patched package");
}

static void
check_copy(struct files *f, const struct patchledger_entry *e)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchtree struct patchtree want = PATCHTREE_INIT;
	cleanup_patchtree struct patchtree got = PATCHTREE_INIT;
	cleanup_free char *path = patchledger_copy_path(e);
	cleanup_free char *list = xasprintf("%s" PATCHTREE_LIST_SUFFIX, path);
	cleanup_close int fd = -1;
	struct copy c = { f, e, path, list };

	if (fs_open_nolinks(f->project_fd, path, OPEN_DIR, 0, &fd, &dg) != 0) {
		if (dg.errnum == ENOENT)
			patchfinding_add(f->check, PATCHCHECK_COPY_MISSING,
			    e->ecosystem, e, path, "missing");
		else
			patchfinding_add(f->check, PATCHCHECK_COPY_CHANGED,
			    e->ecosystem, e, path, "cannot be read: %s",
			    dg.message);
		return;
	}
	(void)read_list(&c, &want);
	if (patchtree_read(fd, &got, &dg) != 0)
		patchfinding_add(f->check, PATCHCHECK_COPY_CHANGED,
		    e->ecosystem, e, path, "cannot be read: %s", dg.message);
	else
		compare_copy(&c, fd, &want, &got);
}

/* A directory whose entries are known, and what another entry is. */
struct place {
	enum patchcheck_kind kind;
	const char *ecosystem; /* or NULL: a directory for each */
	const char *path;
	const struct strvec *known;
};

/*
 * Adds a finding for each entry of a directory that is not known.  Returns false
 * if it cannot be read.
 */
static bool
find_orphans(struct files *f, const struct place *p)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(f->project_fd, p->path, OPEN_DIR, 0, &fd, &dg) !=
	    0) {
		if (dg.errnum != ENOENT)
			patchfinding_add(f->check, p->kind, p->ecosystem, NULL,
			    p->path, "cannot be read: %s", dg.message);
		return dg.errnum == ENOENT;
	}
	if (fs_list_names(fd, p->path, &names, &dg) != 0) {
		patchfinding_add(f->check, p->kind, p->ecosystem, NULL, p->path,
		    "cannot be read: %s", dg.message);
		return false;
	}
	for (size_t i = 0; i < names.nr && !is_full(f); i++) {
		cleanup_free char *whole =
		    xasprintf("%s/%s", p->path, names.v[i]);

		if (names.v[i][0] != '.' && !strvec_has(p->known, whole))
			patchfinding_add(f->check, p->kind, p->ecosystem, NULL,
			    whole, "not recorded");
	}
	return true;
}

/* top is .drydock/patches or .drydock/patched. */
static void
find_all_orphans(struct files *f, enum patchcheck_kind kind, const char *top,
    const struct strvec *known)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	const struct place place = { kind, NULL, top, &dirs };

	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		strvec_pushf(&dirs, "%s/%s", top, ecosystems[i]->name);
	if (!find_orphans(f, &place))
		return;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		const struct place own = { kind, ecosystems[i]->name, dirs.v[i],
			known };

		(void)find_orphans(f, &own);
	}
}

static void
check_orphans(struct files *f)
{
	cleanup_strvec struct strvec patches = STRVEC_INIT;
	cleanup_strvec struct strvec copies = STRVEC_INIT;

	for (size_t i = 0; i < f->ledger->nr; i++) {
		const struct patchledger_entry *e = &f->ledger->v[i];
		cleanup_free char *copy = patchledger_copy_path(e);

		strvec_push_given(&patches, patchledger_patch_path(e));
		strvec_pushf(&copies, "%s" PATCHTREE_LIST_SUFFIX, copy);
		strvec_push(&copies, copy);
	}
	find_all_orphans(
	    f, PATCHCHECK_PATCH_ORPHAN, PATCHFILES_PATCHES, &patches);
	find_all_orphans(f, PATCHCHECK_COPY_ORPHAN, PATCHFILES_COPIES, &copies);
}

void
patchfiles_check(
    int project_fd, const struct patchledger *ledger, struct patchcheck *check)
{
	struct files f = { project_fd, ledger, check };

	for (size_t i = 0; i < ledger->nr && !is_full(&f); i++) {
		check_patch(&f, &ledger->v[i]);
		check_copy(&f, &ledger->v[i]);
	}
	check_orphans(&f);
}
