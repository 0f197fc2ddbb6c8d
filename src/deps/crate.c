/* SPDX-License-Identifier: MIT */
/* Finds the package file of a crate, and unpacks it. */
#include "deps/crate.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/cachefile.h"
#include "deps/packages.h"
#include "deps/packagesources.h"
#include "deps/patchtree.h"

#define CHUNK ((size_t)65536)
#define TAR_END 1024 /* zero bytes that end a tar */
#define FILE_MODE ((mode_t)0644)
#define DIR_MODE ((mode_t)0755)

/*
 * Appends the crate if the directory has it.  Returns false if it does not; a
 * file of that name which is something else is told.
 */
static bool
read_from(const struct cachedir *dir, const char *file,
    const struct digest *checksum, struct strbuf *out)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	struct digest_stream *stream;
	struct digest digest;
	struct stat st;
	size_t start = out->len;
	const char *why;

	fd = cachefile_open(dir->fd, file, &st, &why);
	if (fd < 0 && why == NULL && errno == ENOENT)
		return false;
	if (fd < 0 && why == NULL)
		why = strerror(errno);
	if (fd >= 0 && st.st_size > (off_t)CRATE_MAX_SIZE)
		why = "it is too large";
	else if (fd >= 0 &&
	    fs_read_fd(fd, "the file", CRATE_MAX_SIZE, out, &dg) != 0)
		why = dg.message;
	if (why == NULL) {
		stream = digest_begin(DIGEST_SHA256);
		digest_add(stream, out->buf + start, out->len - start);
		digest_end(stream, &digest);
		if (digest_equal(&digest, checksum))
			return true;
		why = "its bytes are not what the lock names";
	}
	strbuf_setlen(out, start);
	diag_warn("%s in %s: %s", file, dir->label, why);
	return false;
}

int
crate_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *checksum, struct strbuf *out,
    struct diag *dg)
{
	cleanup_cachedirs struct cachedirs dirs = CACHEDIRS_INIT;
	cleanup_free char *file = xasprintf("%s-%s.crate", name, version);

	cachedirs_open(&dirs, &package_managers[PACKAGE_MANAGER_CARGO],
	    sources->home, sources->envp, sources->slot_fds, sources->nslots);
	/* A mirror of crates.io has its own directory. */
	for (int crates_io = 1; crates_io >= 0; crates_io--)
		for (size_t i = 0; i < dirs.nr; i++)
			if (dirs.v[i].crates_io == (crates_io == 1) &&
			    read_from(&dirs.v[i], file, checksum, out))
				return 0;
	/* cargo fetches nothing for a package that leads to a path. */
	return diag_set(dg, DIAG_NO,
	    "%s %s: no cache has the crate that the lock names; in a session "
	    "of a project without patches, add %s = \"=%s\" and run \"cargo "
	    "fetch\"",
	    name, version, name, version);
}

struct unpacking {
	z_stream z;
	bool ended; /* the gzip stream did */
	size_t size; /* of the tar so far */
	size_t zeros; /* at the end of what was read of the tar */
	char *top; /* owned; NAME-VERSION */
	int dir_fd;
	size_t nfiles;
	struct strvec dirs; /* paths of the tar's directories */
	struct archive *archive; /* owned */
	struct diag *dg;
	unsigned char chunk[CHUNK];
};

static int
refuse(struct unpacking *u, const char *path, const char *why)
{
	return diag_set(
	    u->dg, DIAG_DATA, "%s.crate: %s: %s", u->top, path, why);
}

static int
refuse_archive(struct unpacking *u, const char *why)
{
	return diag_set(u->dg, DIAG_DATA, "%s.crate: %s", u->top, why);
}

static void
count_zeros(struct unpacking *u, size_t len)
{
	size_t n = 0;

	while (n < len && u->chunk[len - 1 - n] == 0)
		n++;
	u->zeros = n < len ? n : u->zeros + n;
}

/*
 * Unpacks the next part of the gzip stream.  Returns its length; 0 at the end;
 * -1 with static text.
 *
 * This and not libarchive's filter, which also reads what cargo does not: other
 * compressions, several streams, and one without its end.
 */
static la_ssize_t
inflate_next(struct unpacking *u, const char **ret_why)
{
	size_t len;
	int rc;

	if (u->ended)
		return 0;
	u->z.next_out = u->chunk;
	u->z.avail_out = CHUNK;
	rc = inflate(&u->z, Z_NO_FLUSH);
	len = CHUNK - u->z.avail_out;
	*ret_why = "its gzip stream is damaged";
	if (rc != Z_OK && rc != Z_STREAM_END)
		return -1;
	u->ended = rc == Z_STREAM_END;
	*ret_why = "it has more after its gzip stream";
	if (u->ended && u->z.avail_in > 0)
		return -1;
	*ret_why = "it is too large when it is unpacked";
	u->size += len;
	if (u->size > CRATE_MAX_UNPACKED)
		return -1;
	count_zeros(u, len);
	return (la_ssize_t)len;
}

static la_ssize_t
give_bytes(struct archive *archive, void *arg, const void **ret_data)
{
	struct unpacking *u = arg;
	const char *why;
	la_ssize_t len;

	/* An empty part would be the end. */
	do
		len = inflate_next(u, &why);
	while (len == 0 && !u->ended);
	if (len < 0)
		archive_set_error(archive, EINVAL, "%s", why);
	*ret_data = u->chunk;
	return len;
}

static int
archive_failed(struct unpacking *u)
{
	const char *why = archive_error_string(u->archive);

	return refuse_archive(u, why != NULL ? why : "it is damaged");
}

/* Writes the bytes of the entry: all that the header promises, and no holes. */
static int
write_bytes(
    struct unpacking *u, struct archive_entry *entry, const char *path, int fd)
{
	la_int64_t at = 0;

	for (;;) {
		const void *data;
		size_t len;
		la_int64_t offset;
		int rc =
		    archive_read_data_block(u->archive, &data, &len, &offset);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return archive_failed(u);
		if (offset != at)
			return refuse(u, path, "it is a sparse file");
		if (fs_write_all(fd, data, len, path, u->dg) != 0)
			return -1;
		at += (la_int64_t)len;
	}
	if (at != archive_entry_size(entry))
		return refuse(u, path, "it has not the size that it should");
	return 0;
}

/* Two entries that cannot both be there are the crate's fault. */
static int
cannot_make(struct unpacking *u, const char *path, struct diag *failure)
{
	if (failure->errnum == EEXIST)
		return refuse(u, path, "it occurs twice");
	if (failure->errnum == ENOTDIR || failure->errnum == EISDIR)
		return refuse(u, path, "a file is where a directory should be");
	diag_move(u->dg, failure);
	return -1;
}

static int
make_dir(struct unpacking *u, const char *path)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_make_dirs(u->dir_fd, path, DIR_MODE, &fd, &failure) != 0)
		return cannot_make(u, path, &failure);
	return 0;
}

static int
make_file(struct unpacking *u, const char *path, int *ret_fd)
{
	static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	cleanup_diag struct diag failure = DIAG_INIT;
	const char *slash = strrchr(path, '/');
	int rc = fs_open_nolinks(
	    u->dir_fd, path, flags, FILE_MODE, ret_fd, &failure);

	if (rc != 0 && failure.errnum == ENOENT && slash != NULL) {
		cleanup_free char *parent =
		    xstrndup(path, (size_t)(slash - path));

		diag_clear(&failure);
		if (make_dir(u, parent) != 0)
			return -1;
		rc = fs_open_nolinks(
		    u->dir_fd, path, flags, FILE_MODE, ret_fd, &failure);
	}
	return rc == 0 ? 0 : cannot_make(u, path, &failure);
}

static int
unpack_file(struct unpacking *u, struct archive_entry *entry, const char *path)
{
	cleanup_close int fd = -1;

	if (u->nfiles++ == CRATE_MAX_FILES)
		return refuse_archive(u, "it has too many files");
	if (archive_entry_size(entry) > (la_int64_t)CRATE_MAX_UNPACKED)
		return refuse(u, path, "it is too large");
	if (make_file(u, path, &fd) != 0 ||
	    write_bytes(u, entry, path, fd) != 0)
		return -1;
	/* The umask cleared bits of the mode. */
	if (fchmod(fd, FILE_MODE) < 0)
		return diag_set_errno(u->dg, DIAG_IO, errno, "chmod %s", path);
	return 0;
}

static int
unpack_dir(struct unpacking *u, const char *path)
{
	if (u->dirs.nr == CRATE_MAX_FILES)
		return refuse_archive(u, "it has too many directories");
	strvec_push(&u->dirs, path);
	return make_dir(u, path);
}

/* Returns the part of an entry's path below NAME-VERSION/, or NULL. */
static const char *
below_top(const struct unpacking *u, const char *path)
{
	size_t len = strlen(u->top);

	if (strncmp(path, u->top, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path + len + (path[len] == '/');
}

static int
unpack_entry(struct unpacking *u, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	unsigned int type = archive_entry_filetype(entry);
	cleanup_free char *path = NULL;
	const char *below;
	size_t len;

	if (name == NULL)
		return refuse_archive(u, "an entry has no name");
	below = below_top(u, name);
	if (below == NULL)
		return refuse(
		    u, name, "it is outside of the crate's directory");
	if (archive_entry_hardlink(entry) != NULL ||
	    (type != AE_IFREG && type != AE_IFDIR))
		return refuse(u, name, "it is neither a file nor a directory");
	path = xstrdup(below);
	len = strlen(path);
	if (type == AE_IFDIR && len > 0 && path[len - 1] == '/')
		path[len - 1] = '\0';
	if (type == AE_IFDIR && *path == '\0')
		return 0;
	if (!patchtree_is_path(path))
		return refuse(u, name, "a file may not have such a path");
	return type == AE_IFDIR ? unpack_dir(u, path)
				: unpack_file(u, entry, path);
}

/* Removes the directory, and those above, that have no files. */
static void
remove_empty(struct unpacking *u, const char *path)
{
	cleanup_free char *dir = xstrdup(path);
	char *slash;

	while (unlinkat(u->dir_fd, dir, AT_REMOVEDIR) == 0 &&
	    (slash = strrchr(dir, '/')) != NULL)
		*slash = '\0';
}

static int
finish_dirs(struct unpacking *u)
{
	strvec_sort(&u->dirs);
	for (size_t i = 1; i < u->dirs.nr; i++)
		if (strcmp(u->dirs.v[i - 1], u->dirs.v[i]) == 0)
			return refuse(u, u->dirs.v[i], "it occurs twice");
	/* A patch cannot keep them, and cargo does not make such crates. */
	for (size_t i = u->dirs.nr; i > 0; i--)
		remove_empty(u, u->dirs.v[i - 1]);
	return 0;
}

static int
finish(struct unpacking *u)
{
	const char *why;
	la_ssize_t len;

	if (u->nfiles == 0)
		return refuse_archive(u, "it has no files");
	/* libarchive stops at the end of the tar; the rest is its padding. */
	while (!u->ended) {
		len = inflate_next(u, &why);
		if (len < 0)
			return refuse_archive(u, why);
	}
	if (u->zeros < TAR_END)
		return refuse_archive(u, "its tar has no end");
	return finish_dirs(u);
}

static int
unpack(struct unpacking *u)
{
	if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK ||
	    archive_read_open(u->archive, u, NULL, give_bytes, NULL) !=
		ARCHIVE_OK)
		return archive_failed(u);
	for (;;) {
		struct archive_entry *entry;
		int rc = archive_read_next_header(u->archive, &entry);

		if (rc == ARCHIVE_EOF)
			return finish(u);
		if (rc != ARCHIVE_OK)
			return archive_failed(u);
		if (unpack_entry(u, entry) != 0)
			return -1;
	}
}

int
crate_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg)
{
	struct unpacking *u = xcalloc(1, sizeof(*u));
	int rc;

	u->top = xasprintf("%s-%s", name, version);
	u->dir_fd = dir_fd;
	u->dg = dg;
	strvec_init(&u->dirs);
	if (len > CRATE_MAX_SIZE) {
		rc = refuse_archive(u, "it is too large");
		goto done;
	}
	/* zlib does not write to its input. */
	u->z.next_in = (unsigned char *)(uintptr_t)bytes;
	u->z.avail_in = (uInt)len;
	u->archive = archive_read_new();
	/* 16: a gzip stream, and nothing else. */
	if (u->archive == NULL || inflateInit2(&u->z, 16 + MAX_WBITS) != Z_OK) {
		rc = diag_set(dg, DIAG_BUG, "unpack %s.crate", u->top);
	} else {
		rc = unpack(u);
		(void)inflateEnd(&u->z);
	}
	(void)archive_read_free(u->archive);
done:
	strvec_release(&u->dirs);
	cleanup_free_fn(&u->top);
	cleanup_free_fn(&u);
	return rc;
}
