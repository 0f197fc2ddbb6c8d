/* SPDX-License-Identifier: MIT */
/* Compares what a project says about its patches with what it has. */
#include "deps/patchcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ascii.h"
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
#include "deps/otherpatches.h"
#include "deps/patchledger.h"
#include "deps/patchtext.h"
#include "deps/patchtree.h"

#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define OPEN_DIR (O_RDONLY | O_NONBLOCK | O_DIRECTORY)
#define REMOVE "drydock patch remove NAME"
#define SEAL "drydock patch seal"

static const struct {
	const char *name;
	const char *mend;
} kinds[PATCHCHECK_NKINDS] = {
	[PATCHCHECK_COPY_MISSING] = { "copy-missing", PATCHCHECK_APPLY },
	[PATCHCHECK_COPY_CHANGED] = { "copy-changed", PATCHCHECK_APPLY },
	[PATCHCHECK_COPY_ORPHAN] = { "copy-orphan", PATCHCHECK_APPLY },
	[PATCHCHECK_PATCH_MISSING] = { "patch-missing", REMOVE },
	[PATCHCHECK_PATCH_CHANGED] = { "patch-changed", SEAL },
	[PATCHCHECK_PATCH_ORPHAN] = { "patch-orphan", SEAL },
	[PATCHCHECK_BLOCK_MISSING] = { "block-missing", PATCHCHECK_APPLY },
	[PATCHCHECK_BLOCK_OTHER] = { "block-other", PATCHCHECK_APPLY },
	[PATCHCHECK_BLOCK_FOREIGN] = { "block-foreign", PATCHCHECK_APPLY },
	[PATCHCHECK_BLOCK_ORPHAN] = { "block-orphan", PATCHCHECK_APPLY },
	[PATCHCHECK_CONFLICT] = { "conflict", PATCHCHECK_AGAIN },
	[PATCHCHECK_LOCK_ORIGINAL] = { "lock-original", PATCHCHECK_APPLY },
	[PATCHCHECK_LOCK_OTHER_VERSION] = { "lock-other-version", REMOVE },
	[PATCHCHECK_LOCK_OTHER_SOURCE] = { "lock-other-source", REMOVE },
	[PATCHCHECK_LOCK_TWICE] = { "lock-twice", REMOVE },
	/* Of another program's patches alone. */
	[PATCHCHECK_LOCK_ORPHAN] = { "lock-orphan", PATCHCHECK_AGAIN },
};

static void
release_finding(struct patchcheck_finding *f)
{
	free(f->ecosystem);
	free(f->name);
	free(f->version);
	free(f->path);
	free(f->text);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
has_finding(const struct patchcheck *check, const struct patchcheck_finding *f)
{
	for (size_t i = 0; i < check->nr; i++) {
		const struct patchcheck_finding *g = &check->v[i];

		if (g->kind == f->kind &&
		    same_text(g->ecosystem, f->ecosystem) &&
		    same_text(g->name, f->name) &&
		    same_text(g->version, f->version) &&
		    strcmp(g->path, f->path) == 0 &&
		    strcmp(g->text, f->text) == 0)
			return true;
	}
	return false;
}

void
patchcheck_add(struct patchcheck *check, enum patchcheck_kind kind,
    const char *ecosystem, const struct patchledger_entry *e, const char *path,
    const char *fmt, ...)
{
	struct patchcheck_finding f = { .kind = kind };
	cleanup_strbuf struct strbuf escaped = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	if (check->nr == PATCHCHECK_MAX)
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_add_escaped(&escaped, path, strlen(path));
	if (ecosystem != NULL)
		f.ecosystem = xstrdup(ecosystem);
	if (e != NULL && e->name != NULL)
		f.name = xstrdup(e->name);
	if (e != NULL && e->version != NULL)
		f.version = xstrdup(e->version);
	f.path = strbuf_detach(&escaped, NULL);
	f.text = strbuf_detach(&text, NULL);
	if (has_finding(check, &f)) {
		release_finding(&f);
		return;
	}
	if (check->v == NULL)
		check->v = xcalloc(PATCHCHECK_MAX, sizeof(*check->v));
	check->v[check->nr++] = f;
}

void
patchcheck_note(
    struct patchcheck *check, const char *path, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf note = STRBUF_INIT;
	va_list ap;

	strbuf_add_escaped(&note, path, strlen(path));
	strbuf_addch(&note, ' ');
	va_start(ap, fmt);
	strbuf_vaddf(&note, fmt, ap);
	va_end(ap);
	if (check->notes.nr < PATCHCHECK_MAX_NOTES &&
	    !strvec_has(&check->notes, note.buf))
		strvec_push(&check->notes, note.buf);
}

void
patchcheck_add_other(struct patchcheck *check, const char *ecosystem,
    const char *name, const char *version, const char *path)
{
	check->npatches++;
	check->others = xreallocarray(
	    check->others, check->nothers + 1, sizeof(*check->others));
	check->others[check->nothers++] = (struct patchcheck_other){
		.ecosystem = ecosystem,
		.name = xstrdup(name),
		.version = version == NULL ? NULL : xstrdup(version),
		.path = xstrdup(path),
	};
}

void
patchcheck_release(struct patchcheck *check)
{
	for (size_t i = 0; i < check->nr; i++)
		release_finding(&check->v[i]);
	free(check->v);
	for (size_t i = 0; i < check->nothers; i++) {
		free(check->others[i].name);
		free(check->others[i].version);
		free(check->others[i].path);
	}
	free(check->others);
	strvec_release(&check->notes);
	*check = (struct patchcheck)PATCHCHECK_INIT;
}

const struct patchcheck_finding *
patchcheck_find(const struct patchcheck *check, const char *ecosystem,
    const char *name, const char *version)
{
	for (size_t i = 0; i < check->nr; i++) {
		const struct patchcheck_finding *f = &check->v[i];

		if (same_text(f->ecosystem, ecosystem) &&
		    same_text(f->name, name) && same_text(f->version, version))
			return f;
	}
	return NULL;
}

const char *
patchcheck_kind_name(enum patchcheck_kind kind)
{
	return kinds[kind].name;
}

/* Whether a word of another program's file can stand in a command. */
static bool
is_word(const char *text)
{
	return *text != '\0' && *text != '-' &&
	    text[strspn(text, ASCII_ALNUM "@/._+-")] == '\0';
}

/* A name that is no word stays "NAME". */
char *
patchcheck_mend(const struct patchcheck_finding *f)
{
	const struct otherpatches *other = otherpatches_find(f->ecosystem);
	const char *mend = other != NULL ? otherpatches_mend(other, f->kind)
					 : kinds[f->kind].mend;
	const char *at = strstr(mend, " NAME");
	const char *version = f->version;

	/* The ledger alone had the values that a redirect of npm replaced. */
	if (f->kind == PATCHCHECK_BLOCK_ORPHAN &&
	    same_text(f->ecosystem, PATCHLEDGER_NPM))
		return xstrdup(PATCHCHECK_AGAIN);
	if (at == NULL || f->name == NULL || !is_word(f->name) ||
	    (version == NULL ? other == NULL : !is_word(version)))
		return xstrdup(mend);
	return xasprintf("%.*s %s%s%s", (int)(at - mend), mend, f->name,
	    version == NULL ? "" : "@", version == NULL ? "" : version);
}

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
		patchcheck_add(
		    r->check, missing, e->ecosystem, e, path, "missing");
	else
		patchcheck_add(r->check, changed, e->ecosystem, e, path,
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
		patchcheck_add(r->check, PATCHCHECK_PATCH_CHANGED, e->ecosystem,
		    e, path, "not the patch that " PATCHLEDGER_PATH " records");
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
	patchcheck_add(c->r->check, PATCHCHECK_COPY_CHANGED, c->e->ecosystem,
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
		patchcheck_add(c->r->check, PATCHCHECK_CONFLICT,
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
			patchcheck_add(r->check, PATCHCHECK_COPY_MISSING,
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
		patchcheck_add(r->check, kind, ecosystem, NULL, path,
		    "cannot be read: %s", dg.message);
		return false;
	}
	for (size_t i = 0; i < names.nr && !is_full(r); i++) {
		cleanup_free char *whole = xasprintf("%s/%s", path, names.v[i]);

		if (names.v[i][0] != '.' && !strvec_has(known, whole))
			patchcheck_add(r->check, kind, ecosystem, NULL, whole,
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
	find_all_orphans(
	    r, PATCHCHECK_PATCH_ORPHAN, PATCHLEDGER_PATCHES, &patches);
	find_all_orphans(
	    r, PATCHCHECK_COPY_ORPHAN, PATCHLEDGER_COPIES, &copies);
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

	/* A file called .drydock says nothing: the manifests are judged. */
	if (patchledger_read(project_fd, &ledger, dg) != 0 &&
	    diag_ignore(dg, ENOTDIR) != 0)
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
	static const char *const entries[] = { PATCHLEDGER_PATH,
		PATCHLEDGER_PATCHES, PATCHLEDGER_COPIES };

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
