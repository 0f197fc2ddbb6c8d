/* SPDX-License-Identifier: MIT */
/* Projects with patches for the tests of a check. */
#include "patch-bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "deps/patchcheck.h"
#include "deps/patchtree.h"
#include "tree-kit.h"

#define NOBODY 65534

void
patch_bed_put(int dir, const char *path, const char *text)
{
	size_t len = strlen(text);
	cleanup_close int fd = -1;

	(void)unlinkat(dir, path, 0);
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	CHECK_INT(write(fd, text, len), (intmax_t)len);
}

/* Makes the copy of an entry, and notes its digest. */
static void
place(struct patch_bed *bed, struct patchledger_entry *e,
    const struct patch_bed_file *files, size_t nr)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_free char *path = patchledger_copy_path(e);
	cleanup_close int fd = -1;

	CHECK_INT(fs_make_dir(bed->fd, "tree", 0700, &fd, &dg), 0);
	for (size_t i = 0; i < nr; i++)
		tree_put_below(fd, files[i].path, files[i].text);
	CHECK_INT(patchtree_read(fd, &tree, &dg), 0);
	patchtree_digest(&tree, &e->tree);
	CHECK_INT(patchtree_place(fd, &tree, bed->fd, path, &dg), 0);
	CHECK_INT(fs_remove_tree(bed->fd, "tree", &dg), 0);
	CHECK_STR(dg.message, NULL);
}

void
patch_bed_add(struct patch_bed *bed, struct patchledger_entry *e,
    const char *patch, const struct patch_bed_file *files, size_t nr)
{
	cleanup_free char *path = NULL;

	digest_of(DIGEST_SHA256, patch, strlen(patch), &e->patch);
	path = patchledger_patch_path(e);
	patch_bed_put(bed->fd, path, patch);
	place(bed, e, files, nr);
	patchledger_put(&bed->ledger, e);
}

void
patch_bed_write_ledger(const struct patch_bed *bed)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	CHECK_INT(patchledger_write(&bed->ledger, &text, &dg), 0);
	patch_bed_put(bed->fd, PATCHLEDGER_PATH, text.buf);
}

void
patch_bed_init(struct patch_bed *bed, const char *ecosystem)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *dir = xasprintf(".drydock/patches/%s", ecosystem);
	cleanup_close int tmp = tree_open();
	cleanup_close int fd = -1;

	*bed = (struct patch_bed){ .fd = -1, .ledger = PATCHLEDGER_INIT };
	(void)fs_remove_tree(tmp, "p", &dg);
	CHECK_INT(mkdirat(tmp, "p", 0700), 0);
	CHECK_INT(
	    fs_open_nolinks(tmp, "p", O_RDONLY | O_DIRECTORY, 0, &bed->fd, &dg),
	    0);
	CHECK_INT(fs_make_dirs(bed->fd, dir, 0755, &fd, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

void
patch_bed_release(struct patch_bed *bed)
{
	patchledger_release(&bed->ledger);
	cleanup_close_fn(&bed->fd);
}

char *
patch_bed_check(const struct patch_bed *bed, const char *ecosystem)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchcheck struct patchcheck found = PATCHCHECK_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	CHECK(patchcheck_is_needed(bed->fd));
	if (patchcheck_run(bed->fd, &found, &dg) != 0) {
		CHECK_INT(found.nr, 0);
		strbuf_addf(&out, "%d %s", dg.class, dg.message);
	}
	for (size_t i = 0; i < found.nr; i++) {
		const struct patchcheck_finding *f = &found.v[i];

		CHECK_STR(
		    f->ecosystem != NULL ? f->ecosystem : ecosystem, ecosystem);
		strbuf_addf(&out, "%s %s %s %s: %s\n",
		    patchcheck_kind_name(f->kind),
		    f->name != NULL ? f->name : "-",
		    f->version != NULL ? f->version : "-", f->path, f->text);
	}
	for (size_t i = 0; i < found.notes.nr; i++)
		strbuf_addf(&out, "note: %s\n", found.notes.v[i]);
	return strbuf_detach(&out, NULL);
}

void
patch_bed_check_full(const struct patch_bed *bed)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchcheck struct patchcheck found = PATCHCHECK_INIT;

	CHECK_INT(patchcheck_run(bed->fd, &found, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(found.nr, PATCHCHECK_MAX);
	CHECK_INT(found.npatches, 2);
}

void
patch_bed_edit(const struct patch_bed *bed, const char *path, const char *old,
    const char *new)
{
	cleanup_free char *text = tree_get(bed->fd, path);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *at = text == NULL ? NULL : strstr(text, old);

	if (!CHECK(at != NULL))
		return;
	strbuf_add(&out, text, (size_t)(at - text));
	strbuf_addstr(&out, new);
	strbuf_addstr(&out, at + strlen(old));
	patch_bed_put(bed->fd, path, out.buf);
}

void
patch_bed_spoil(const struct patch_bed *bed, const struct patch_row *row)
{
	cleanup_close int fd = -1;

	if (row->what == EDIT) {
		patch_bed_edit(bed, row->a, row->b, row->c);
		return;
	}
	if (row->what == PUT) {
		patch_bed_put(bed->fd, row->a, row->b);
		return;
	}
	if (tree_has(bed->fd, row->a))
		CHECK_INT(renameat(bed->fd, row->a, bed->fd, "aside"), 0);
	if (row->what == LINK)
		CHECK_INT(symlinkat(row->b, bed->fd, row->a), 0);
	if (row->what == FIFO)
		CHECK_INT(mkfifoat(bed->fd, row->a, 0600), 0);
	if (row->what == DIRECTORY)
		CHECK_INT(mkdirat(bed->fd, row->a, 0700), 0);
	if (row->what == HUGE_FILE) {
		fd = openat(
		    bed->fd, row->a, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		CHECK_INT(ftruncate(fd, (off_t)1 << 40), 0);
	}
}

void
patch_bed_rows(const struct patch_row *rows, size_t nr, const char *ecosystem,
    void (*open)(struct patch_bed *bed))
{
	for (size_t i = 0; i < nr; i++) {
		cleanup_patch_bed struct patch_bed bed;
		cleanup_free char *got = NULL;

		open(&bed);
		patch_bed_spoil(&bed, &rows[i]);
		got = patch_bed_check(&bed, ecosystem);
		if (!CHECK_STR(got, rows[i].want))
			CHECK_STR(rows[i].a, NULL);
	}
}

/* Returns true if each file and directory that is made unreadable is told. */
static bool
unreadable_is_found(const char *const *paths, size_t nr, const char *ecosystem,
    void (*open)(struct patch_bed *bed))
{
	bool found = true;

	for (size_t i = 0; i < nr; i++) {
		cleanup_patch_bed struct patch_bed bed;
		cleanup_free char *got = NULL;

		open(&bed);
		found = CHECK_INT(fchmodat(bed.fd, paths[i], 0, 0), 0) && found;
		got = patch_bed_check(&bed, ecosystem);
		if (!CHECK(strstr(got, "Permission denied") != NULL))
			found = CHECK_STR(got, paths[i]);
		CHECK_INT(fchmodat(bed.fd, paths[i], 0700, 0), 0);
	}
	return found;
}

void
patch_bed_unreadable(const char *const *paths, size_t nr, const char *ecosystem,
    void (*open)(struct patch_bed *bed))
{
	cleanup_close int dir = tree_open();
	pid_t pid;
	int status = -1;

	CHECK_INT(fchmod(dir, 0777), 0);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		/* root reads everything. */
		if (geteuid() == 0 &&
		    (setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(99);
		/* Else /proc/self belongs to root. */
		(void)prctl(PR_SET_DUMPABLE, 1);
		_exit(unreadable_is_found(paths, nr, ecosystem, open) ? 0 : 1);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}
