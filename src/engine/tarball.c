/* SPDX-License-Identifier: MIT */
/* tarball: writes tar streams with libarchive, with all metadata fixed. */
#include "engine/tarball.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/libarchive.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

struct tarball {
	struct libarchive lib;
	struct archive *archive; /* owned; NULL: lib could not be loaded */
	struct strbuf *out; /* borrowed */
	char *failure; /* owned; message of the first failure */
};

/*
 * Stores the first failure.  Later failures are consequences and are ignored.
 */
static void
note_failure(struct tarball *t, int status)
{
	const char *words;

	if (status >= ARCHIVE_WARN || t->failure != NULL)
		return;
	words = t->lib.error_string(t->archive);
	t->failure = xstrdup(words != NULL ? words : "unknown failure");
}

static la_ssize_t
take_bytes(struct archive *archive, void *arg, const void *data, size_t len)
{
	struct tarball *t = arg;

	(void)archive;
	strbuf_add(t->out, data, len);
	return (la_ssize_t)len;
}

struct tarball *
tarball_new(struct strbuf *out, bool gzip)
{
	struct tarball *t = xcalloc(1, sizeof(*t));
	cleanup_diag struct diag failure = DIAG_INIT;

	t->out = out;
	if (libarchive_load(&t->lib, &failure) != 0) {
		t->failure = xstrdup(failure.message);
		return t;
	}
	t->archive = t->lib.write_new();
	assert(t->archive != NULL);
	note_failure(t, t->lib.write_set_format_pax_restricted(t->archive));
	if (gzip) {
		note_failure(t, t->lib.write_add_filter_gzip(t->archive));
		note_failure(t,
		    t->lib.write_set_filter_option(
			t->archive, "gzip", "timestamp", NULL));
	}
	note_failure(t, t->lib.write_set_bytes_per_block(t->archive, 10240));
	note_failure(
	    t, t->lib.write_open(t->archive, t, NULL, take_bytes, NULL));
	return t;
}

static void
add_entry(struct tarball *t, const char *path, unsigned type, mode_t mode,
    const void *data, size_t len)
{
	struct archive_entry *entry;

	if (t->failure != NULL)
		return;
	entry = t->lib.entry_new();
	assert(entry != NULL);
	t->lib.entry_set_pathname(entry, path);
	t->lib.entry_set_filetype(entry, type);
	t->lib.entry_set_perm(entry, mode);
	t->lib.entry_set_uid(entry, 0);
	t->lib.entry_set_gid(entry, 0);
	t->lib.entry_set_mtime(entry, 0, 0);
	t->lib.entry_set_size(entry, (la_int64_t)len);
	note_failure(t, t->lib.write_header(t->archive, entry));
	if (len > 0 && t->failure == NULL &&
	    t->lib.write_data(t->archive, data, len) != (la_ssize_t)len)
		note_failure(t, ARCHIVE_FATAL);
	t->lib.entry_free(entry);
}

void
tarball_add_dir(struct tarball *t, const char *path, mode_t mode)
{
	add_entry(t, path, AE_IFDIR, mode, NULL, 0);
}

void
tarball_add_file(struct tarball *t, const char *path, mode_t mode,
    const void *data, size_t len)
{
	add_entry(t, path, AE_IFREG, mode, data, len);
}

int
tarball_finish(struct tarball *t, struct diag *dg)
{
	int ret = 0;

	if (t->failure == NULL)
		note_failure(t, t->lib.write_close(t->archive));
	if (t->failure != NULL)
		ret = diag_set(dg, DIAG_IO, "make a tar: %s", t->failure);
	if (t->archive != NULL)
		(void)t->lib.write_free(t->archive);
	free(t->failure);
	free(t);
	return ret;
}
