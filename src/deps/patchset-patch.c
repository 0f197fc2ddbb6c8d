/* SPDX-License-Identifier: MIT */
/* Keeps what people wrote into a patch file and nobody recorded. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-temp.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "deps/patchset.h"
#include "deps/patchtext.h"

void
patchset_digest(const struct strbuf *text, struct digest *ret)
{
	struct digest_stream *stream = digest_begin(DIGEST_SHA256);

	digest_add(stream, text->buf, text->len);
	digest_end(stream, ret);
}

/* Without a file the digest is DIGEST_NONE. */
static int
digest_patch(const struct patchset *set, const char *path, struct digest *ret,
    struct diag *dg)
{
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	*ret = (struct digest){ .kind = DIGEST_NONE };
	if (fs_open_nolinks(set->project_fd, path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &absent) != 0) {
		if (absent.errnum == ENOENT)
			return 0;
		diag_move(dg, &absent);
		return -1;
	}
	if (fs_read_fd(fd, path, PATCHTEXT_MAX_SIZE, &text, dg) != 0)
		return -1;
	patchset_digest(&text, ret);
	return 0;
}

int
patchset_check_patch(const struct patchset *set,
    const struct patchledger_entry *entry, const struct strbuf *known,
    struct diag *dg)
{
	cleanup_free char *path = patchledger_patch_path(entry);
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct digest now;

	if (digest_patch(set, path, &now, dg) != 0)
		return -1;
	if (now.kind == DIGEST_NONE)
		return 0;
	digest_add_hex(&line, &now);
	if (strstr(known->buf, line.buf) != NULL)
		return 0;
	return diag_set(dg, DIAG_NO,
	    "%s has changes that are not recorded: restore it or move it away, "
	    "or run: drydock patch seal",
	    path);
}

int
patchset_remove_patch(const struct patchset *set, const struct ecosystem *eco,
    int patches_fd, const char *name, const struct digest *recorded,
    struct patches_report *report, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf(PATCHSET_PATCHES "%s/%s", eco->name, name);
	cleanup_free char *label =
	    xasprintf("the changed " PATCHSET_PATCHES "%s", eco->name);
	cleanup_diag struct diag ignored = DIAG_INIT;
	struct digest now;

	if (recorded->kind != DIGEST_NONE &&
	    (digest_patch(set, path, &now, &ignored) != 0 ||
		!digest_equal(&now, recorded)))
		return patchset_keep(
		    set, eco, patches_fd, label, name, report, dg);
	if (unlinkat(patches_fd, name, 0) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "remove %s", path);
	strvec_pushf(&report->steps, "removed %s", path);
	return 0;
}

void
patchset_clean_patches(int patches_fd, const struct strvec *names)
{
	for (size_t i = 0; i < names->nr; i++) {
		/* .NAME@VERSION.patch.RANDOM */
		const char *name = names->v[i];
		const char *random = strrchr(name, '.');
		cleanup_free char *patch = NULL;

		if (name[0] != '.' || random <= name + 1)
			continue;
		patch = xstrndup(name + 1, (size_t)(random - name - 1));
		if (strchr(patch, '@') != NULL)
			fs_temp_clean(patches_fd, patch);
	}
}
