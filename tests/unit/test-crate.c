/* SPDX-License-Identifier: MIT */
/*
 * Crates: only the bytes that a checksum names are found, and a hostile archive
 * leaves nothing outside of its directory.
 */
#include "check.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/crate.h"
#include "deps/packages.h"
#include "deps/packagetar.h"
#include "deps/patchtree.h"
#include "tar-kit.h"
#include "tree-kit.h"

#define FILE_NAME "foo-1.0.0.crate"
#define NEW_DIR "index.crates.io-1949cf8c6b5b557f"
#define OLD_DIR "github.com-1ecc6299db9ec823"
#define MIRROR_DIR "mirror.example-0123456789abcdef"
#define HOST_NEW "home/.cargo/registry/cache/" NEW_DIR
#define HOST_OLD "home/.cargo/registry/cache/" OLD_DIR
#define HOST_MIRROR "home/.cargo/registry/cache/" MIRROR_DIR
#define SLOT_NEW "slot/cargo/registry/cache/" NEW_DIR
#define BAD_BYTES "its bytes are not what the lock names"

/* A home, a slot, and what is searched for in them. */
struct bed {
	int top;
	int slot;
	char *home;
	struct digest checksum; /* of "crate" */
	struct package_sources sources;
	struct strbuf out;
	struct diag dg;
	int rc;
};

static const char *const no_environ[] = { NULL };

static void
bed_make(struct bed *bed)
{
	*bed = (struct bed){ .top = tree_open(),
		.home = xasprintf("%s/home", check_tmpdir()),
		.out = STRBUF_INIT,
		.dg = DIAG_INIT };
	CHECK_INT(fs_remove_tree(bed->top, "home", &bed->dg), 0);
	CHECK_INT(fs_remove_tree(bed->top, "slot", &bed->dg), 0);
	CHECK_INT(fs_make_dir(bed->top, "slot", 0700, &bed->slot, &bed->dg), 0);
	digest_of(DIGEST_SHA256, "crate", strlen("crate"), &bed->checksum);
	bed->sources = (struct package_sources){ .home = bed->home,
		.envp = no_environ,
		.slot_fds = &bed->slot,
		.nslots = 1 };
}

static void
bed_release(struct bed *bed)
{
	(void)close(bed->top);
	(void)close(bed->slot);
	free(bed->home);
	strbuf_release(&bed->out);
	diag_clear(&bed->dg);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

static void
find(void *arg)
{
	struct bed *bed = arg;

	strbuf_reset(&bed->out);
	diag_clear(&bed->dg);
	bed->rc = crate_find(
	    &bed->sources, "foo", "1.0.0", &bed->checksum, &bed->out, &bed->dg);
}

/* Finds the crate, and compares the warnings. */
static void
check_find(struct bed *bed, int rc, const char *warnings)
{
	cleanup_free char *err = check_stderr(find, bed);

	CHECK_INT(bed->rc, rc);
	CHECK_STR(bed->out.buf, rc == 0 ? "crate" : "");
	CHECK_STR(err, warnings);
}

static void
each_source_is_searched(void)
{
	static const char *const places[] = { HOST_NEW "/" FILE_NAME,
		HOST_OLD "/" FILE_NAME, HOST_MIRROR "/" FILE_NAME,
		SLOT_NEW "/" FILE_NAME,
		"other/registry/cache/" NEW_DIR "/" FILE_NAME };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_bed struct bed bed = { .top = -1 };
		cleanup_free char *set =
		    xasprintf("CARGO_HOME=%s/other", check_tmpdir());
		const char *const envp[] = { set, NULL };

		bed_make(&bed);
		tree_put_below(bed.top, places[i], "crate");
		if (strncmp(places[i], "other", 5) == 0)
			bed.sources.envp = envp;
		check_find(&bed, 0, "");
	}
}

static void
crates_io_comes_before_a_mirror(void)
{
	cleanup_bed struct bed bed = { .top = -1 };

	bed_make(&bed);
	tree_put_below(bed.top,
	    "home/.cargo/registry/cache/a.example-0123456789abcdef/" FILE_NAME,
	    "another crate of this name");
	tree_put_below(bed.top, HOST_NEW "/" FILE_NAME, "crate");
	check_find(&bed, 0, "");
}

static void
other_bytes_are_told_and_passed_over(void)
{
	cleanup_bed struct bed bed = { .top = -1 };
	cleanup_free char *warning = NULL;
	cleanup_free char *both = NULL;

	bed_make(&bed);
	tree_put_below(bed.top, HOST_NEW "/" FILE_NAME, "Crate");
	tree_put_below(bed.top, HOST_OLD "/" FILE_NAME, "crate");
	warning = xasprintf("drydock: warning: " FILE_NAME
			    " in %s/.cargo/registry: " BAD_BYTES "\n",
	    bed.home);
	/* The directory of the old name is read first. */
	check_find(&bed, 0, "");
	tree_put_below(bed.top, HOST_OLD "/" FILE_NAME, "");
	tree_put_below(bed.top, SLOT_NEW "/" FILE_NAME, "crate");
	both = xasprintf("%s%s", warning, warning);
	check_find(&bed, 0, both);
	tree_put_below(bed.top, HOST_OLD "/" FILE_NAME, "crate");
	bed.checksum.bytes[0] ^= 1;
	{
		cleanup_free char *all = xasprintf(
		    "%s%sdrydock: warning: " FILE_NAME
		    " in another slot of the project: " BAD_BYTES "\n",
		    warning, warning);

		check_find(&bed, -1, all);
	}
}

static void
an_absent_crate_is_an_answer(void)
{
	cleanup_bed struct bed bed = { .top = -1 };

	bed_make(&bed);
	check_find(&bed, -1, "");
	CHECK_INT(bed.dg.class, DIAG_NO);
	CHECK_STR(bed.dg.message,
	    "foo 1.0.0: no cache has the crate that the lock names; in a "
	    "session of a project without patches, add foo = \"=1.0.0\" and "
	    "run \"cargo fetch\"");
}

static void
sparse_file(int dir, const char *name, off_t size)
{
	cleanup_close int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK_INT(ftruncate(fd, size), 0);
}

static void
what_is_no_file_is_told_and_passed_over(void)
{
	enum {
		LINK,
		FIFO,
		DIR,
		LARGE,
		NKINDS
	};
	static const char *const why[] = { "it is a symbolic link",
		"it is not a regular file", "it is not a regular file",
		"it is too large" };

	for (int kind = 0; kind < NKINDS; kind++) {
		cleanup_bed struct bed bed = { .top = -1 };
		cleanup_free char *warning = NULL;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		bed_make(&bed);
		tree_put_below(bed.top, "home/" FILE_NAME, "crate");
		tree_put_below(bed.top, SLOT_NEW "/" FILE_NAME, "crate");
		CHECK_INT(fs_make_dirs(bed.top, HOST_NEW, 0755, &dir, &dg), 0);
		if (kind == LINK)
			CHECK_INT(
			    symlinkat("../../../../" FILE_NAME, dir, FILE_NAME),
			    0);
		else if (kind == FIFO)
			CHECK_INT(mkfifoat(dir, FILE_NAME, 0600), 0);
		else if (kind == DIR)
			CHECK_INT(mkdirat(dir, FILE_NAME, 0700), 0);
		else
			sparse_file(
			    dir, FILE_NAME, (off_t)PACKAGETAR_MAX_SIZE + 1);
		warning = xasprintf("drydock: warning: " FILE_NAME
				    " in %s/.cargo/registry: %s\n",
		    bed.home, why[kind]);
		check_find(&bed, 0, warning);
	}
}

/* Unpacks bytes into an empty directory, "dir" in "top". */
static int
unpack_bytes(const char *bytes, size_t len, int *ret_dir, struct diag *dg)
{
	cleanup_close int tmp = tree_open();
	cleanup_close int top = -1;
	int rc;

	CHECK_INT(fs_remove_tree(tmp, "top", dg), 0);
	CHECK_INT(fs_make_dir(tmp, "top", 0700, &top, dg), 0);
	CHECK_INT(fs_make_dir(top, "dir", 0700, ret_dir, dg), 0);
	rc = crate_unpack(bytes, len, "foo", "1.0.0", *ret_dir, dg);
	/* Nothing is beside the directory, whatever happened. */
	CHECK_INT(tree_count(top), 1);
	return rc;
}

static int
unpack_tar(const struct strbuf *tar, int *ret_dir, struct diag *dg)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;

	gzip_add(&bytes, tar->buf, tar->len);
	return unpack_bytes(bytes.buf, bytes.len, ret_dir, dg);
}

static void
check_file(int dir, const char *path, mode_t mode, const char *text)
{
	cleanup_free char *got = tree_get(dir, path);
	struct stat st = { .st_mode = 0 };

	CHECK_STR(got, text);
	CHECK_INT(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_mode, S_IFREG | mode);
	CHECK(st.st_mtime + 100 > time(NULL));
}

static void
check_mode(int dir, const char *path, mode_t mode)
{
	struct stat st = { .st_mode = 0 };

	CHECK_INT(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_mode, mode);
}

#define LONG_PART "0123456789012345678901234567890123456789"
#define LONG_PATH LONG_PART "/" LONG_PART "/" LONG_PART "/a.rs"

static void
files_and_directories_are_unpacked(void)
{
	static const mode_t masks[] = { 022, 077, 0, 0777 };
	cleanup_strbuf struct strbuf records = STRBUF_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	pax_add(&records, "comment", "0123456789abcdef");
	tar_add_pax(&tar, TAR_GLOBAL, records.buf);
	tar_add_file(&tar, "foo-1.0.0/Cargo.toml", "[package]\n");
	tar_add_file(&tar, "foo-1.0.0/src/lib.rs", "pub fn f() {}\n");
	tar_add_file(&tar, "foo-1.0.0/src/empty.rs", "");
	tar_add_long(&tar, "foo-1.0.0/" LONG_PATH, "gnu\n");
	strbuf_reset(&records);
	pax_add(&records, "path", "foo-1.0.0/pax/" LONG_PATH);
	tar_add_pax(&tar, TAR_EXTENDED, records.buf);
	tar_add_file(&tar, "foo-1.0.0/pax", "pax\n");
	tar_add_file(&tar, "foo-1.0.0/f\xc3\xbc.txt", "name\n");
	tar_end(&tar);
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;
		mode_t old = umask(masks[i]);
		int rc = unpack_tar(&tar, &dir, &dg);

		(void)umask(old);
		CHECK_INT(rc, 0);
		CHECK_STR(dg.message, NULL);
		check_file(dir, "Cargo.toml", 0644, "[package]\n");
		check_file(dir, "src/lib.rs", 0644, "pub fn f() {}\n");
		check_file(dir, "src/empty.rs", 0644, "");
		check_file(dir, LONG_PATH, 0644, "gnu\n");
		check_file(dir, "pax/" LONG_PATH, 0644, "pax\n");
		check_file(dir, "f\xc3\xbc.txt", 0644, "name\n");
		check_mode(dir, "src", S_IFDIR | 0755);
		check_mode(dir, "pax/" LONG_PART, S_IFDIR | 0755);
		CHECK_INT(tree_count(dir), 5);
	}
}

static void
directories_without_files_are_left_out(void)
{
	static const char *const dirs[] = { "foo-1.0.0", "foo-1.0.0/",
		"foo-1.0.0/src/", "foo-1.0.0/a/b/c/", "foo-1.0.0/a/",
		"foo-1.0.0/d" };
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		tar_add(&tar,
		    &(struct tar_entry){ .name = dirs[i], .type = TAR_DIR });
	tar_add_file(&tar, "foo-1.0.0/src/lib.rs", "text");
	tar_end(&tar);
	CHECK_INT(unpack_tar(&tar, &dir, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(tree_count(dir), 1);
	CHECK_INT(patchtree_read(dir, &tree, &dg), 0);
	CHECK_INT(tree.nr, 1);
}

#define NOT_FILE "it is neither a file nor a directory"
#define OUTSIDE "it is outside of the package's directory"
#define BAD_PATH "a file may not have such a path"

static const struct {
	struct tar_entry entry;
	const char *why; /* after "foo-1.0.0.crate: NAME: " */
} hostile[] = {
	{ { .name = "foo-1.0.0/l", .type = TAR_SYMLINK, .link = "/etc/passwd" },
	    NOT_FILE },
	{ { .name = "foo-1.0.0/l",
	      .type = TAR_HARDLINK,
	      .link = "foo-1.0.0/Cargo.toml" },
	    NOT_FILE },
	{ { .name = "foo-1.0.0/l",
	      .type = TAR_HARDLINK,
	      .link = "/etc/passwd",
	      .data = "text" },
	    NOT_FILE },
	{ { .name = "foo-1.0.0/c", .type = TAR_CHAR }, NOT_FILE },
	{ { .name = "foo-1.0.0/b", .type = TAR_BLOCK }, NOT_FILE },
	{ { .name = "foo-1.0.0/p", .type = TAR_FIFO }, NOT_FILE },
	{ { .name = "/foo-1.0.0/a" }, OUTSIDE },
	{ { .name = "/etc/a" }, OUTSIDE },
	{ { .name = "../a" }, OUTSIDE },
	{ { .name = "a" }, OUTSIDE },
	{ { .name = "foo-1.0.1/a" }, OUTSIDE },
	{ { .name = "foo-1.0.0-a/a" }, OUTSIDE },
	{ { .name = "./foo-1.0.0/a" }, OUTSIDE },
	{ { .name = "foo-1.0.0" }, BAD_PATH },
	{ { .name = "foo-1.0.0/../a" }, BAD_PATH },
	{ { .name = "foo-1.0.0/a/../../../a" }, BAD_PATH },
	{ { .name = "foo-1.0.0/a/.." }, BAD_PATH },
	{ { .name = "foo-1.0.0/./a" }, BAD_PATH },
	{ { .name = "foo-1.0.0/a/." }, BAD_PATH },
	{ { .name = "foo-1.0.0//a" }, BAD_PATH },
	{ { .name = "foo-1.0.0//etc/a" }, BAD_PATH },
	{ { .name = "foo-1.0.0/a//b" }, BAD_PATH },
	{ { .name = "foo-1.0.0/a//", .type = TAR_DIR }, BAD_PATH },
	{ { .name = "foo-1.0.0/..", .type = TAR_DIR }, BAD_PATH },
	{ { .name = "foo-1.0.0/a\\b" }, BAD_PATH },
	{ { .name = "foo-1.0.0/Cargo.toml" }, "it occurs twice" },
	{ { .name = "foo-1.0.0/src" }, "it occurs twice" },
	{ { .name = "foo-1.0.0/src/", .type = TAR_DIR }, "it occurs twice" },
	{ { .name = "foo-1.0.0/Cargo.toml/a" },
	    "a file is where a directory should be" },
	{ { .name = "foo-1.0.0/Cargo.toml/a/b" },
	    "a file is where a directory should be" },
	{ { .name = "foo-1.0.0/Cargo.toml/", .type = TAR_DIR },
	    "a file is where a directory should be" },
	{ { .name = "foo-1.0.0/a", .size = PACKAGETAR_MAX_UNPACKED + 1 },
	    "it is too large" },
};

static void
hostile_entries_are_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;
		struct tar_entry entry = hostile[i].entry;

		if (entry.type == 0)
			entry.type = TAR_FILE;
		tar_add_file(&tar, "foo-1.0.0/Cargo.toml", "[package]\n");
		tar_add(&tar,
		    &(struct tar_entry){
			.name = "foo-1.0.0/src/", .type = TAR_DIR });
		tar_add_file(&tar, "foo-1.0.0/src/lib.rs", "text");
		tar_add(&tar, &entry);
		tar_end(&tar);
		CHECK_INT(unpack_tar(&tar, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK(dg.message != NULL &&
		    strncmp(dg.message, "foo-1.0.0.crate: ", 17) == 0);
		CHECK_HAS(dg.message, hostile[i].why);
		check_file(dir, "Cargo.toml", 0644, "[package]\n");
	}
}

static void
hostile_names_are_refused(void)
{
	static const char *const names[] = { "foo-1.0.0/a\nb",
		"foo-1.0.0/\033[2J", "foo-1.0.0/\x7f", "foo-1.0.0/\xc2\x85",
		"foo-1.0.0/\xff", "foo-1.0.0/\xc0\xaf" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		tar_add_file(&tar, names[i], "text");
		tar_end(&tar);
		CHECK_INT(unpack_tar(&tar, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_HAS(dg.message, BAD_PATH);
		CHECK_INT(tree_count(dir), 0);
	}
}

static void
deep_and_long_paths_are_refused(void)
{
	for (int deep = 0; deep < 2; deep++) {
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		strbuf_addstr(&path, "foo-1.0.0");
		for (int i = 0; i < (deep == 1 ? 66 : 5); i++)
			strbuf_addf(&path, "/%.*s", deep == 1 ? 1 : 200,
			    LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART
				LONG_PART);
		strbuf_addf(&path, "/%.*s", deep == 1 ? 1 : 20, LONG_PART);
		tar_add_long(&tar, path.buf, "text");
		tar_end(&tar);
		CHECK_INT(unpack_tar(&tar, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_HAS(dg.message, BAD_PATH);
	}
}

static void
add_sparse(struct strbuf *tar, size_t at, const char *number)
{
	/* The old GNU header: offset and length of data, then the size. */
	size_t start = tar->len;
	unsigned int sum = 0;

	tar_add(tar,
	    &(struct tar_entry){ .name = "foo-1.0.0/sparse",
		.type = TAR_SPARSE,
		.data = "text" });
	memcpy(tar->buf + start + 386, "00000000000", 12);
	memcpy(tar->buf + start + 398, "00000000004", 12);
	memcpy(tar->buf + start + at, number, 12);
	memset(tar->buf + start + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)tar->buf[start + i];
	{
		cleanup_free char *text = xasprintf("%06o", sum);

		memcpy(tar->buf + start + 148, text, 7);
	}
}

static void
sparse_files_are_refused(void)
{
	static const char *const messages[] = {
		"foo-1.0.0.crate: sparse: it has not the size that it should",
		"foo-1.0.0.crate: sparse: it is a sparse file",
		"foo-1.0.0.crate: sparse: it is a sparse file",
		"foo-1.0.0.crate: sparse: it is too large",
		"foo-1.0.0.crate: sparse: it has not the size that it should",
	};

	for (int kind = 0; kind < 5; kind++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;
		struct stat st;

		tar_add_file(&tar, "foo-1.0.0/a", "text");
		if (kind == 0) {
			add_sparse(&tar, 483, "00000001000");
		} else if (kind == 1) {
			add_sparse(&tar, 386, "00000001000");
		} else {
			cleanup_strbuf struct strbuf records = STRBUF_INIT;

			/* The hole is before the text, or after. */
			pax_add(&records, "GNU.sparse.size",
			    kind == 3 ? "9223372036854775807" : "100000");
			pax_add(&records, "GNU.sparse.numblocks", "1");
			pax_add(&records, "GNU.sparse.map",
			    kind == 4 ? "0,4" : "1000,4");
			tar_add_pax(&tar, TAR_EXTENDED, records.buf);
			tar_add_file(&tar, "foo-1.0.0/sparse", "text");
		}
		tar_end(&tar);
		CHECK_INT(unpack_tar(&tar, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_STR(dg.message, messages[kind]);
		if (fstatat(dir, "sparse", &st, 0) == 0)
			CHECK(st.st_size <= 8);
	}
}

/* A crate with padding after its end, as tar writes it. */
static void
make_small(struct strbuf *bytes)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	tar_add_file(&tar, "foo-1.0.0/a", "text of a\n");
	tar_add_file(&tar, "foo-1.0.0/b", "text of b\n");
	tar_end(&tar);
	tar_end(&tar);
	gzip_add(bytes, tar.buf, tar.len);
}

static void
an_archive_with_its_end_missing_is_refused(void)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	char block[512];

	make_small(&bytes);
	for (size_t len = 0; len <= bytes.len; len++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		CHECK_INT(unpack_bytes(bytes.buf, len, &dir, &dg),
		    len == bytes.len ? 0 : -1);
		CHECK_INT(dg.class, len == bytes.len ? DIAG_NONE : DIAG_DATA);
	}
	/* A file without padding: any cut takes a part of the tar's end. */
	memset(block, 'x', sizeof(block));
	tar_add(&tar,
	    &(struct tar_entry){ .name = "foo-1.0.0/a",
		.type = TAR_FILE,
		.data = block,
		.len = sizeof(block) });
	tar_end(&tar);
	for (size_t len = 0; len <= tar.len; len += 64) {
		cleanup_strbuf struct strbuf cut = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		strbuf_add(&cut, tar.buf, len);
		CHECK_INT(unpack_tar(&cut, &dir, &dg), len == tar.len ? 0 : -1);
		CHECK_INT(dg.class, len == tar.len ? DIAG_NONE : DIAG_DATA);
	}
}

static void
damaged_bytes_are_refused(void)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;

	make_small(&bytes);
	/* The first bytes hold the gzip's time, which is no content. */
	for (size_t at = 10; at < bytes.len; at++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		bytes.buf[at] = (char)(bytes.buf[at] ^ 1);
		CHECK_INT(unpack_bytes(bytes.buf, bytes.len, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		bytes.buf[at] = (char)(bytes.buf[at] ^ 1);
	}
}

static void
bytes_after_the_end_of_the_tar_are_refused(void)
{
	enum {
		FILE_AFTER,
		FILE_AFTER_HALF,
		BYTE_AFTER,
		ZEROS_AFTER,
		NKINDS
	};

	for (int kind = 0; kind < NKINDS; kind++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		tar_add_file(&tar, "foo-1.0.0/a", "text");
		tar_end(&tar);
		if (kind == FILE_AFTER_HALF)
			strbuf_setlen(&tar, tar.len - 512);
		for (int i = 0; kind == ZEROS_AFTER && i < 200; i++)
			tar_end(&tar);
		if (kind == BYTE_AFTER)
			strbuf_addch(&tar, 'x');
		else if (kind != ZEROS_AFTER)
			tar_add_file(&tar, "foo-1.0.0/b", "text");
		if (kind != ZEROS_AFTER)
			tar_end(&tar);
		CHECK_INT(
		    unpack_tar(&tar, &dir, &dg), kind == ZEROS_AFTER ? 0 : -1);
		CHECK_STR(dg.message,
		    kind == ZEROS_AFTER ? NULL
					: "foo-1.0.0.crate: it has more after "
					  "its tar's end");
	}
}

/* The same compression in another container. */
static void
add_zlib(struct strbuf *out, const struct strbuf *tar)
{
	uLongf len = compressBound(tar->len);
	cleanup_free unsigned char *buf = xmalloc(len);

	CHECK_INT(
	    compress(buf, &len, (const unsigned char *)tar->buf, tar->len),
	    Z_OK);
	strbuf_add(out, buf, len);
}

static void
other_containers_are_refused(void)
{
	enum {
		BYTES_AFTER,
		STREAM_AFTER,
		TWICE,
		PLAIN,
		ZLIB,
		ZEROS,
		NOTHING,
		NKINDS
	};
	static const char *const messages[] = {
		"foo-1.0.0.crate: it has more after its gzip stream",
		"foo-1.0.0.crate: it has more after its gzip stream",
		"foo-1.0.0.crate: Unrecognized archive format",
		"foo-1.0.0.crate: its gzip stream is damaged",
		"foo-1.0.0.crate: its gzip stream is damaged",
		"foo-1.0.0.crate: it has no files",
		"foo-1.0.0.crate: Unrecognized archive format",
	};

	for (int kind = 0; kind < NKINDS; kind++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_strbuf struct strbuf once = STRBUF_INIT;
		cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;

		if (kind < ZEROS)
			tar_add_file(&tar, "foo-1.0.0/a", "text");
		if (kind < NOTHING)
			tar_end(&tar);
		gzip_add(&once, tar.buf, tar.len);
		if (kind == TWICE)
			gzip_add(&bytes, once.buf, once.len);
		else if (kind == PLAIN)
			strbuf_add(&bytes, tar.buf, tar.len);
		else if (kind == ZLIB)
			add_zlib(&bytes, &tar);
		else
			strbuf_add(&bytes, once.buf, once.len);
		if (kind == BYTES_AFTER)
			strbuf_addstr(&bytes, "x");
		else if (kind == STREAM_AFTER)
			gzip_add(&bytes, tar.buf, tar.len);
		CHECK_INT(unpack_bytes(bytes.buf, bytes.len, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_STR(dg.message, messages[kind]);
	}
}

/* Appends a gzip stream of one file, and of n MiB of zeros after its end. */
static void
add_bomb(struct strbuf *out, size_t n)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_free char *zeros = xcalloc(1, (size_t)1 << 20);
	cleanup_free unsigned char *buf = xmalloc((size_t)1 << 16);
	z_stream z = { .next_in = NULL };
	size_t len;

	tar_add_file(&tar, "foo-1.0.0/a", "text");
	CHECK_INT(deflateInit2(
		      &z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
	    Z_OK);
	z.next_in = (unsigned char *)tar.buf;
	z.avail_in = (uInt)tar.len;
	z.next_out = buf;
	z.avail_out = 1 << 16;
	CHECK_INT(deflate(&z, Z_FULL_FLUSH), Z_OK);
	strbuf_add(out, buf, (1 << 16) - z.avail_out);
	z.next_in = (unsigned char *)zeros;
	z.avail_in = 1 << 20;
	z.next_out = buf;
	z.avail_out = 1 << 16;
	CHECK_INT(deflate(&z, Z_FULL_FLUSH), Z_OK);
	/* After a full flush the same bytes mean the same once more. */
	len = (1 << 16) - z.avail_out;
	for (size_t i = 0; i < n; i++)
		strbuf_add(out, buf, len);
	(void)deflateEnd(&z);
}

static void
a_bomb_is_refused(void)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;

	add_bomb(&bytes, 600);
	CHECK(bytes.len < PACKAGETAR_MAX_SIZE);
	CHECK_INT(unpack_bytes(bytes.buf, bytes.len, &dir, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_STR(
	    dg.message, "foo-1.0.0.crate: it is too large when it is unpacked");
}

static void
many_files_are_refused(void)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;

	for (int i = 0; i < PACKAGETAR_MAX_FILES + 1; i++) {
		cleanup_free char *name = xasprintf("foo-1.0.0/%d", i);

		tar_add_file(&tar, name, "");
	}
	tar_end(&tar);
	CHECK_INT(unpack_tar(&tar, &dir, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_STR(dg.message, "foo-1.0.0.crate: it has too many files");
}

static const struct check_test tests[] = {
	{ "each source is searched", each_source_is_searched },
	{ "crates.io's directory comes before a mirror's",
	    crates_io_comes_before_a_mirror },
	{ "a crate of other bytes is told and passed over",
	    other_bytes_are_told_and_passed_over },
	{ "an absent crate is an answer that says how to get it",
	    an_absent_crate_is_an_answer },
	{ "a link, a fifo, a directory and a huge file are passed over",
	    what_is_no_file_is_told_and_passed_over },
	{ "files and directories are unpacked whatever the umask",
	    files_and_directories_are_unpacked },
	{ "directories without files are left out",
	    directories_without_files_are_left_out },
	{ "hostile entries are refused", hostile_entries_are_refused },
	{ "names that a terminal interprets are refused",
	    hostile_names_are_refused },
	{ "deep and long paths are refused", deep_and_long_paths_are_refused },
	{ "sparse files are refused", sparse_files_are_refused },
	{ "an archive is refused if its end is missing",
	    an_archive_with_its_end_missing_is_refused },
	{ "damaged bytes are refused", damaged_bytes_are_refused },
	{ "bytes after the end of the tar are refused",
	    bytes_after_the_end_of_the_tar_are_refused },
	{ "other containers than one gzip stream are refused",
	    other_containers_are_refused },
	{ "a bomb is refused", a_bomb_is_refused },
	{ "more files than the limit are refused", many_files_are_refused },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
