/* SPDX-License-Identifier: MIT */
/*
 * Unpacks a package's tar.  libarchive reads the tar; the names and the files
 * are judged here.
 */
#include "deps/packagetar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/libarchive.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchtree.h"

#define CHUNK ((size_t)65536)
#define TAR_END 1024 /* zero bytes that end a tar */
#define FILE_MODE ((mode_t)0644)
#define PROGRAM_MODE ((mode_t)0755)
#define DIR_MODE ((mode_t)0755)

struct unpacking {
	struct libarchive lib;
	z_stream z;
	bool ended; /* the gzip stream did */
	size_t size; /* of the tar so far */
	size_t zeros; /* at the end of what was read of the tar */
	const struct packagetar_spec *spec; /* borrowed */
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
	    u->dg, DIAG_DATA, "%s: %s: %s", u->spec->file, path, why);
}

static int
refuse_archive(struct unpacking *u, const char *why)
{
	return diag_set(u->dg, DIAG_DATA, "%s: %s", u->spec->file, why);
}

static void
count_zeros(struct unpacking *u, size_t len)
{
	size_t n = 0;

	/* A bomb has many such chunks. */
	if (len > 0 && u->chunk[0] == 0 &&
	    memcmp(u->chunk, u->chunk + 1, len - 1) == 0)
		n = len;
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
	if (u->size > PACKAGETAR_MAX_UNPACKED)
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
		u->lib.set_error(archive, EINVAL, "%s", why);
	*ret_data = u->chunk;
	return len;
}

static int
archive_failed(struct unpacking *u)
{
	const char *why = u->lib.error_string(u->archive);

	return refuse_archive(u, why != NULL ? why : "it is damaged");
}

/*
 * Reads the next header.  Without a locale libarchive warns of a pax name that
 * is not ASCII and keeps its bytes, which is right; in a locale of UTF-8 it
 * would compose its characters (NFC) and so change the name.
 */
static int
read_header(struct unpacking *u, struct archive_entry **ret_entry)
{
	int rc = u->lib.read_next_header(u->archive, ret_entry);
	const char *why;

	if (rc != ARCHIVE_WARN)
		return rc;
	why = u->lib.error_string(u->archive);
	return why != NULL && strstr(why, "can't be converted from ") != NULL
	    ? ARCHIVE_OK
	    : rc;
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
		    u->lib.read_data_block(u->archive, &data, &len, &offset);

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
	if (at != u->lib.entry_size(entry))
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
	return diag_move(u->dg, failure);
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
	bool is_program =
	    u->spec->has_programs && (u->lib.entry_perm(entry) & 0111) != 0;
	cleanup_close int fd = -1;

	if (u->nfiles++ == PACKAGETAR_MAX_FILES)
		return refuse_archive(u, "it has too many files");
	if (u->lib.entry_size(entry) > (la_int64_t)PACKAGETAR_MAX_UNPACKED)
		return refuse(u, path, "it is too large");
	if (make_file(u, path, &fd) != 0 ||
	    write_bytes(u, entry, path, fd) != 0)
		return -1;
	/* The umask cleared bits of the mode. */
	if (fchmod(fd, is_program ? PROGRAM_MODE : FILE_MODE) < 0)
		return diag_set_errno(u->dg, DIAG_IO, errno, "chmod %s", path);
	return 0;
}

/* Returns the part of an entry's path below the top directory, or NULL. */
static const char *
below_top(const struct unpacking *u, const char *path)
{
	const char *top = u->spec->top;
	size_t len = strcspn(path, "/");

	if (len == 0 || (len == 2 && memcmp(path, "..", 2) == 0) ||
	    (top != NULL &&
		(len != strlen(top) || memcmp(path, top, len) != 0)))
		return NULL;
	return path + len + (path[len] == '/');
}

static int
unpack_entry(struct unpacking *u, struct archive_entry *entry)
{
	const char *name = u->lib.entry_pathname(entry);
	unsigned int type = u->lib.entry_filetype(entry);
	cleanup_free char *path = NULL;
	const char *below;
	size_t len;

	if (name == NULL)
		return refuse_archive(u, "an entry has no name");
	below = below_top(u, name);
	if (below == NULL)
		return refuse(
		    u, name, "it is outside of the package's directory");
	if (u->lib.entry_hardlink(entry) != NULL ||
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
	if (type == AE_IFREG)
		return unpack_file(u, entry, path);
	if (u->dirs.nr == PACKAGETAR_MAX_FILES)
		return refuse_archive(u, "it has too many directories");
	strvec_push(&u->dirs, path);
	return make_dir(u, path);
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
	/* A patch cannot keep them, and cargo and npm do not make them. */
	for (size_t i = u->dirs.nr; i > 0; i--)
		remove_empty(u, u->dirs.v[i - 1]);
	return 0;
}

static int
finish(struct unpacking *u)
{
	size_t end = (size_t)u->lib.filter_bytes(u->archive, 0);
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
	/* npm reads on. */
	if (u->zeros < u->size - end)
		return refuse_archive(u, "it has more after its tar's end");
	return finish_dirs(u);
}

static int
unpack(struct unpacking *u)
{
	if (u->lib.read_support_format_tar(u->archive) != ARCHIVE_OK ||
	    u->lib.read_open(u->archive, u, NULL, give_bytes, NULL) !=
		ARCHIVE_OK)
		return archive_failed(u);
	for (;;) {
		struct archive_entry *entry;
		int rc = read_header(u, &entry);

		if (rc == ARCHIVE_EOF)
			return finish(u);
		if (rc != ARCHIVE_OK)
			return archive_failed(u);
		if (unpack_entry(u, entry) != 0)
			return -1;
	}
}

int
packagetar_unpack(const struct packagetar_spec *spec, const char *bytes,
    size_t len, int dir_fd, struct diag *dg)
{
	struct unpacking *u = xcalloc(1, sizeof(*u));
	int rc;

	u->spec = spec;
	u->dir_fd = dir_fd;
	u->dg = dg;
	strvec_init(&u->dirs);
	rc = libarchive_load(&u->lib, dg);
	if (rc != 0)
		goto done;
	if (len > PACKAGETAR_MAX_SIZE) {
		rc = refuse_archive(u, "it is too large");
		goto done;
	}
	/* zlib does not write to its input. */
	u->z.next_in = (unsigned char *)(uintptr_t)bytes;
	u->z.avail_in = (uInt)len;
	u->archive = u->lib.read_new();
	/* 16: a gzip stream, and nothing else. */
	if (u->archive == NULL || inflateInit2(&u->z, 16 + MAX_WBITS) != Z_OK) {
		rc = diag_set(dg, DIAG_BUG, "unpack %s", spec->file);
	} else {
		rc = unpack(u);
		(void)inflateEnd(&u->z);
	}
	(void)u->lib.read_free(u->archive);
done:
	strvec_release(&u->dirs);
	cleanup_free_fn(&u);
	return rc;
}
