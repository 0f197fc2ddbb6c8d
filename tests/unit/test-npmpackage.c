/* SPDX-License-Identifier: MIT */
/*
 * Packages of npm: only the bytes that a lock names are found, what npm would
 * install is unpacked, and a patched tree becomes one tar, the same everywhere.
 */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/npmpackage.h"
#include "deps/packages.h"
#include "deps/patchtree.h"
#include "tar-kit.h"
#include "tree-kit.h"

static const char *const no_environ[] = { NULL };

/* A home, a slot, and what is searched for in them. */
struct bed {
	int top;
	int slot;
	char *home;
	char *path; /* of the content, below a cache */
	struct digest integrity; /* of "tarball" */
	struct package_sources sources;
	struct strbuf out;
	struct diag dg;
	int rc;
};

static void
bed_make(struct bed *bed)
{
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;

	*bed = (struct bed){ .top = tree_open(),
		.home = xasprintf("%s/home", check_tmpdir()),
		.out = STRBUF_INIT,
		.dg = DIAG_INIT };
	CHECK_INT(fs_remove_tree(bed->top, "home", &bed->dg), 0);
	CHECK_INT(fs_remove_tree(bed->top, "other", &bed->dg), 0);
	CHECK_INT(fs_remove_tree(bed->top, "slot", &bed->dg), 0);
	CHECK_INT(fs_make_dir(bed->top, "slot", 0700, &bed->slot, &bed->dg), 0);
	digest_of(DIGEST_SHA512, "tarball", strlen("tarball"), &bed->integrity);
	digest_add_hex(&hex, &bed->integrity);
	bed->path = xasprintf("_cacache/content-v2/sha512/%.2s/%.2s/%s",
	    hex.buf, hex.buf + 2, hex.buf + 4);
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
	free(bed->path);
	strbuf_release(&bed->out);
	diag_clear(&bed->dg);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

static void
bed_put(struct bed *bed, const char *cache, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", cache, bed->path);

	tree_put_below(bed->top, path, text);
}

static void
find(void *arg)
{
	struct bed *bed = arg;

	strbuf_reset(&bed->out);
	diag_clear(&bed->dg);
	bed->rc = npmpackage_find(&bed->sources, "@s/foo", "1.0.0",
	    &bed->integrity, &bed->out, &bed->dg);
}

/* Finds the tarball, and compares the warnings. */
static void
check_find(struct bed *bed, int rc, const char *warnings)
{
	cleanup_free char *err = check_stderr(find, bed);

	CHECK_INT(bed->rc, rc);
	CHECK_STR(bed->out.buf, rc == 0 ? "tarball" : "");
	CHECK_STR(err, warnings);
}

static void
each_cache_is_searched(void)
{
	static const char *const caches[] = { "home/.npm", "slot/npm",
		"other" };

	for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
		cleanup_bed struct bed bed = { .top = -1 };
		cleanup_free char *set =
		    xasprintf("npm_config_cache=%s/other", check_tmpdir());
		const char *const envp[] = { set, NULL };

		bed_make(&bed);
		bed_put(&bed, caches[i], "tarball");
		if (strcmp(caches[i], "other") == 0)
			bed.sources.envp = envp;
		check_find(&bed, 0, "");
	}
}

static void
other_bytes_are_told_and_passed_over(void)
{
	cleanup_bed struct bed bed = { .top = -1 };
	cleanup_free char *warning = NULL;

	bed_make(&bed);
	bed_put(&bed, "home/.npm", "Tarball");
	bed_put(&bed, "slot/npm", "tarball");
	warning = xasprintf(
	    "drydock: warning: @s/foo@1.0.0 in %s/.npm: its bytes are not what "
	    "the lock names\n",
	    bed.home);
	check_find(&bed, 0, warning);
}

static void
an_absent_tarball_is_an_answer(void)
{
	cleanup_bed struct bed bed = { .top = -1 };

	bed_make(&bed);
	check_find(&bed, -1, "");
	CHECK_INT(bed.dg.class, DIAG_NO);
	CHECK_STR(bed.dg.message,
	    "@s/foo@1.0.0: no cache has the tarball that the lock names; in a "
	    "session of a project without patches, run \"npm cache add "
	    "@s/foo@1.0.0\"");
}

/* Unpacks a tar into an empty directory, "dir" in "top". */
static int
unpack_tar(const struct strbuf *tar, int *ret_dir, struct diag *dg)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_close int top = tree_make("top");
	int rc;

	CHECK_INT(fs_make_dir(top, "dir", 0700, ret_dir, dg), 0);
	gzip_add(&bytes, tar->buf, tar->len);
	rc = npmpackage_unpack(
	    bytes.buf, bytes.len, "@s/foo", "1.0.0", *ret_dir, dg);
	/* Nothing is beside the directory, whatever happened. */
	CHECK_INT(tree_count(top), 1);
	return rc;
}

static void
check_file(int dir, const char *path, mode_t mode, const char *text)
{
	cleanup_free char *got = tree_get(dir, path);
	struct stat st = { .st_mode = 0 };

	CHECK_STR(got, text);
	CHECK_INT(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_mode, S_IFREG | mode);
}

static void
the_first_component_is_dropped_whatever_it_is(void)
{
	static const char *const names[] = { "package/package.json",
		"node/index.js", "./lib.js", "package/a/package/b.js",
		"two words/c.js", "\xc3\xa9/d.js", ".../e.js" };
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;

	tar_add(
	    &tar, &(struct tar_entry){ .name = "package", .type = TAR_DIR });
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		tar_add_file(&tar, names[i], names[i]);
	tar_end(&tar);
	CHECK_INT(unpack_tar(&tar, &dir, &dg), 0);
	CHECK_STR(dg.message, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		check_file(dir, strchr(names[i], '/') + 1, 0644, names[i]);
	CHECK_INT(tree_count(dir), 7);
}

static void
executable_files_stay_so(void)
{
	static const struct {
		const char *mode;
		mode_t want;
	} modes[] = { { "0000755", 0755 }, { "0000644", 0644 },
		{ "0000100", 0755 }, { "0000001", 0755 }, { "0000000", 0644 },
		{ "0000666", 0644 }, { "0007777", 0755 }, { "0006644", 0644 } };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;
		struct stat st;

		tar_add(&tar,
		    &(struct tar_entry){ .name = "package/d",
			.type = TAR_DIR,
			.mode = "0000000" });
		tar_add(&tar,
		    &(struct tar_entry){ .name = "package/d/f",
			.type = TAR_FILE,
			.data = "text",
			.mode = modes[i].mode,
			.owner = "J\xc3\xbcrgen" });
		tar_end(&tar);
		CHECK_INT(unpack_tar(&tar, &dir, &dg), 0);
		check_file(dir, "d/f", modes[i].want, "text");
		CHECK_INT(fstatat(dir, "d", &st, 0), 0);
		CHECK_INT(st.st_mode, S_IFDIR | 0755);
	}
}

/* npm writes a name that is not ASCII into a pax header. */
static void
names_keep_their_bytes(void)
{
	/* In the second the accent is a character of its own. */
	static const char *const names[] = { "f\xc3\xbc.js", "fu\xcc\x88.js",
		"\xe6\x97\xa5\xe6\x9c\xac.js" };
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf records = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;

	pax_add(&records, "comment", "0123456789abcdef");
	tar_add_pax(&tar, TAR_GLOBAL, records.buf);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *path = xasprintf("package/%s", names[i]);

		strbuf_reset(&records);
		pax_add(&records, "path", path);
		pax_add(&records, "uname", "J\xc3\xbcrgen");
		tar_add_pax(&tar, TAR_EXTENDED, records.buf);
		tar_add_file(&tar, "package/short", names[i]);
	}
	tar_end(&tar);
	CHECK_INT(unpack_tar(&tar, &dir, &dg), 0);
	CHECK_STR(dg.message, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		check_file(dir, names[i], 0644, names[i]);
	CHECK_INT(tree_count(dir), ARRAY_SIZE(names));
}

static void
hostile_entries_are_refused(void)
{
#define NOT_FILE "it is neither a file nor a directory"
#define OUTSIDE "it is outside of the package's directory"
#define BAD_PATH "a file may not have such a path"
	static const struct {
		struct tar_entry entry;
		const char *why;
	} hostile[] = {
		{ { .name = "package/l", .type = TAR_SYMLINK, .link = "a" },
		    NOT_FILE },
		{ { .name = "package/l",
		      .type = TAR_HARDLINK,
		      .link = "package/a" },
		    NOT_FILE },
		{ { .name = "package/p", .type = TAR_FIFO }, NOT_FILE },
		{ { .name = "package/c", .type = TAR_CHAR }, NOT_FILE },
		{ { .name = "../a" }, OUTSIDE },
		{ { .name = "/a" }, OUTSIDE },
		{ { .name = "//a" }, OUTSIDE },
		{ { .name = "..", .type = TAR_DIR }, OUTSIDE },
		{ { .name = "package" }, BAD_PATH },
		{ { .name = "a.js" }, BAD_PATH },
		{ { .name = "package/../a" }, BAD_PATH },
		{ { .name = "package/../../a" }, BAD_PATH },
		{ { .name = "./../a" }, BAD_PATH },
		{ { .name = "package//a" }, BAD_PATH },
		{ { .name = "package/b\\a" }, BAD_PATH },
		{ { .name = "package/a\nb" }, BAD_PATH },
		{ { .name = "package/\xff" }, BAD_PATH },
		{ { .name = "other/package.json" }, "it occurs twice" },
		{ { .name = "package/package.json/a" },
		    "a file is where a directory should be" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = -1;
		struct tar_entry entry = hostile[i].entry;

		if (entry.type == 0)
			entry.type = TAR_FILE;
		tar_add_file(&tar, "package/package.json", "{}");
		tar_add(&tar, &entry);
		tar_end(&tar);
		CHECK_INT(unpack_tar(&tar, &dir, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK(dg.message != NULL &&
		    strncmp(dg.message, "@s/foo@1.0.0: ", 14) == 0);
		CHECK_HAS(dg.message, hostile[i].why);
	}
}

#define LONG_PART "0123456789012345678901234567890123456789"
#define LONG_DIR LONG_PART LONG_PART "/" LONG_PART LONG_PART
/* With package/, 100 and 101 bytes. */
#define FITS LONG_PART LONG_PART "/0123456789a"
#define TOO_LONG LONG_PART LONG_PART "/0123456789ab"
#define VERY_LONG LONG_DIR "/" LONG_DIR "/a.js"

/* A small tree of all kinds of names; the caller closes. */
static int
make_tree(struct patchtree *ret_tree)
{
	static const char *const files[] = { "package.json", "index.js",
		"lib/a.js", "lib.js", "lib-b.js", "f\xc3\xbc.js", "empty", FITS,
		TOO_LONG, VERY_LONG };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_make("tree");
	cleanup_strbuf struct strbuf block = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		tree_put_below(dir, files[i],
		    strcmp(files[i], "empty") == 0 ? "" : files[i]);
	/* Files that fill their blocks, and one that is more than a read. */
	for (int i = 0; i < 512; i++)
		strbuf_addch(&block, 'b');
	tree_put(dir, "block", block.buf);
	for (int i = 0; i < 100000; i++)
		strbuf_addch(&block, 'x');
	tree_put(dir, "large", block.buf);
	CHECK_INT(fchmodat(dir, "index.js", 0700, 0), 0);
	CHECK_INT(fchmodat(dir, "lib/a.js", 0755, 0), 0);
	CHECK_INT(fchmodat(dir, "lib.js", 0604, 0), 0);
	CHECK_INT(fchmodat(dir, "empty", 0655, 0), 0);
	CHECK_INT(patchtree_read(dir, ret_tree, &dg), 0);
	return steal_fd(&dir);
}

static void
the_same_tree_gives_the_same_bytes(void)
{
	static const mode_t masks[] = { 022, 077, 0 };
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_close int dir = make_tree(&tree);

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		cleanup_strbuf struct strbuf hex = STRBUF_INIT;
		cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int out = tree_make("out");
		mode_t old = umask(masks[i]);
		struct digest digest;
		struct digest want;

		CHECK_INT(
		    npmpackage_pack(dir, &tree, dir, out, &digest, &dg), 0);
		(void)umask(old);
		CHECK_STR(dg.message, NULL);
		CHECK_INT(tree_count(out), 1);
		CHECK_INT(fs_read_file(out, NPMPACKAGE_FILE, (size_t)1 << 20,
			      &bytes, &dg),
		    0);
		digest_of(DIGEST_SHA512, bytes.buf, bytes.len, &want);
		CHECK(digest_equal(&digest, &want));
		CHECK_INT(bytes.len % 512, 0);
		digest_add_hex(&hex, &digest);
		/* Locks of projects have such digests. */
		CHECK_STR(hex.buf,
		    "c906fb2c0154f87a0cb81219d6a64323fe0c06b7046338368cf5"
		    "3c36e2bbf2d322d6fffb835b53214dd30b0150af277487ac1f64"
		    "28499feb17ac34edc0525139");
	}
}

static void
npm_gets_the_tree_that_was_packed(void)
{
	static const struct {
		const char *path;
		mode_t mode;
	} modes[] = { { "index.js", 0755 }, { "lib/a.js", 0755 },
		{ "lib.js", 0644 }, { "empty", 0644 },
		{ "package.json", 0644 } };
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_patchtree struct patchtree got = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = make_tree(&tree);
	cleanup_close int out = tree_make("out");
	cleanup_close int back = -1;
	struct digest digest;
	struct digest a;
	struct digest b;

	CHECK_INT(npmpackage_pack(dir, &tree, dir, out, &digest, &dg), 0);
	CHECK_INT(
	    fs_read_file(out, NPMPACKAGE_FILE, (size_t)1 << 20, &bytes, &dg),
	    0);
	CHECK_INT(unpack_tar(&bytes, &back, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(patchtree_read(back, &got, &dg), 0);
	patchtree_digest(&tree, &a);
	patchtree_digest(&got, &b);
	CHECK(digest_equal(&a, &b));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct stat st = { .st_mode = 0 };

		CHECK_INT(fstatat(back, modes[i].path, &st, 0), 0);
		CHECK_INT(st.st_mode, S_IFREG | modes[i].mode);
	}
}

static void
the_modes_are_those_of_the_original(void)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = make_tree(&tree);
	cleanup_close int modes = tree_make("modes");
	cleanup_close int out = tree_make("out");
	cleanup_close int back = -1;
	struct digest digest;
	struct stat st;

	/* A file of the original was where the tree has a directory. */
	tree_put(modes, "lib", "");
	tree_put(modes, "package.json", "");
	CHECK_INT(fchmodat(modes, "package.json", 0755, 0), 0);
	CHECK_INT(mkdirat(modes, "index.js", 0755), 0);
	CHECK_INT(npmpackage_pack(dir, &tree, modes, out, &digest, &dg), 0);
	CHECK_INT(
	    fs_read_file(out, NPMPACKAGE_FILE, (size_t)1 << 20, &bytes, &dg),
	    0);
	CHECK_INT(unpack_tar(&bytes, &back, &dg), 0);
	CHECK_INT(fstatat(back, "package.json", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0755);
	CHECK_INT(fstatat(back, "index.js", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0644);
	CHECK_INT(fstatat(back, "lib/a.js", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0644);
}

static void
a_file_that_changed_is_not_packed(void)
{
	enum {
		OTHER_BYTES,
		SHORTER,
		LONGER,
		LINK,
		GONE,
		NKINDS
	};

	for (int kind = 0; kind < NKINDS; kind++) {
		cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = make_tree(&tree);
		cleanup_close int out = tree_make("out");
		struct digest digest;

		if (kind <= LONGER)
			tree_put(dir, "index.js",
			    kind == SHORTER      ? ""
				: kind == LONGER ? "index.js "
						 : "Index.js");
		else
			CHECK_INT(unlinkat(dir, "index.js", 0), 0);
		if (kind == LINK)
			CHECK_INT(symlinkat("lib.js", dir, "index.js"), 0);
		CHECK_INT(
		    npmpackage_pack(dir, &tree, dir, out, &digest, &dg), -1);
		CHECK_INT(dg.class, kind <= LONGER ? DIAG_DATA : DIAG_IO);
		CHECK_HAS(dg.message, "index.js");
	}
}

static void
a_file_that_is_there_is_not_replaced(void)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = make_tree(&tree);
	cleanup_close int out = tree_make("out");
	cleanup_free char *text = NULL;
	struct digest digest;

	tree_put(out, NPMPACKAGE_FILE, "text");
	CHECK_INT(npmpackage_pack(dir, &tree, dir, out, &digest, &dg), -1);
	CHECK_INT(dg.class, DIAG_IO);
	text = tree_get(out, NPMPACKAGE_FILE);
	CHECK_STR(text, "text");
}

/* What a patch may and may not change; label is the message's, or NULL. */
static const struct {
	const char *before;
	const char *after;
	const char *label;
} changes[] = {
	{ "{\"name\":\"a\",\"main\":\"x\"}", "{\"main\":\"y\",\"name\":\"a\"}",
	    NULL },
	{ "{}", "{ }\n", NULL },
	{ "{}", "{\"exports\":{\"a\":1},\"type\":\"module\"}", NULL },
	{ "{\"devDependencies\":{\"x\":\"1\"}}", "{}", NULL },
	{ "{\"dependencies\":{\"x\":\"1\",\"y\":\"2\"}}",
	    "{\"dependencies\":{\"y\":\"2\",\"x\":\"\\u0031\"}}", NULL },
	{ "{\"a\":[1,true,null,\"x\",{\"b\":{}}]}",
	    "{\"a\":[ 1, true, null, \"x\", { \"b\": { } } ]}", NULL },
	{ "{\"dependencies\":{\"x\":\"1\",\"y\":\"2\"}}",
	    "{\"dependencies\":{\"y\":\"2\",\"x\":\"2\"}}", "dependencies.x" },
	{ "{\"dependencies\":{\"x\":\"1\"}}",
	    "{\"dependencies\":{\"x\":\"1\",\"y\":\"1\"}}", "dependencies.y" },
	{ "{\"dependencies\":{\"x\":\"1\"}}", "{\"dependencies\":{}}",
	    "dependencies.x" },
	{ "{\"dependencies\":{}}", "{}", "dependencies" },
	{ "{}", "{\"dependencies\":null}", "dependencies" },
	{ "{\"name\":\"a\"}", "{\"name\":\"b\"}", "name" },
	{ "{\"version\":\"1.0.0\"}", "{}", "version" },
	{ "{}", "{\"optionalDependencies\":{}}", "optionalDependencies" },
	{ "{}", "{\"peerDependencies\":{}}", "peerDependencies" },
	{ "{\"peerDependenciesMeta\":{\"x\":{\"optional\":true}}}",
	    "{\"peerDependenciesMeta\":{\"x\":{\"optional\":false}}}",
	    "peerDependenciesMeta.x.optional" },
	{ "{\"bundleDependencies\":[\"x\"]}",
	    "{\"bundleDependencies\":[\"x\",\"y\"]}", "bundleDependencies" },
	{ "{\"bundledDependencies\":true}", "{\"bundledDependencies\":false}",
	    "bundledDependencies" },
	{ "{\"engines\":{\"node\":\">=4\"}}",
	    "{\"engines\":{\"node\":\">=5\"}}", "engines.node" },
	{ "{\"os\":[\"a\",\"b\"]}", "{\"os\":[\"b\",\"a\"]}", "os" },
	{ "{\"cpu\":[\"x64\"]}", "{\"cpu\":\"x64\"}", "cpu" },
	{ "{}", "{\"libc\":\"musl\"}", "libc" },
	{ "{\"bin\":\"a\"}", "{\"bin\":{\"a\":\"a\"}}", "bin" },
	{ "{}", "{\"directories\":{\"bin\":\"x\"}}", "directories" },
	{ "{}", "{\"workspaces\":[]}", "workspaces" },
	{ "{}", "{\"overrides\":{}}", "overrides" },
	{ "{}", "{\"license\":\"MIT\"}", "license" },
	{ "{}", "{\"funding\":\"x\"}", "funding" },
	{ "{}", "{\"gypfile\":false}", "gypfile" },
	{ "{\"x\":1}", "{\"x\":1.0}", "x" },
	{ "{\"x\":9007199254740992}", "{\"x\":9007199254740993}", "x" },
	{ "{\"x\":{\"y\":{\"z\":1}}}", "{\"x\":{\"y\":{\"z\":2}}}", "x.y.z" },
	{ "{\"x\":0}", "{\"x\":false}", "x" },
	{ "{\"x\":[]}", "{\"x\":{}}", "x" },
	{ "{\"x\":\"\"}", "{\"x\":null}", "x" },
	{ "{\"scripts\":{\"test\":\"a\"}}", "{\"scripts\":{\"test\":\"b\"}}",
	    NULL },
	{ "{}", "{\"scripts\":{\"test\":\"b\"}}", NULL },
	{ "{\"scripts\":{}}", "{}", NULL },
	{ "{\"scripts\":{\"install\":\"a\",\"x\":\"\"}}",
	    "{\"scripts\":{\"install\":\"a\"}}", NULL },
	{ "{}", "{\"scripts\":{\"install\":\"b\"}}", "scripts.install" },
	{ "{\"scripts\":{\"preinstall\":\"a\"}}", "{}", "scripts.preinstall" },
	{ "{\"scripts\":{\"postinstall\":\"a\"}}",
	    "{\"scripts\":{\"postinstall\":\"b\"}}", "scripts.postinstall" },
	{ "{\"scripts\":{}}", "{\"scripts\":{\"prepare\":\"b\"}}",
	    "scripts.prepare" },
	{ "{}", "{\"scripts\":\"x\"}", "scripts" },
	{ "{\"scripts\":[]}", "{\"scripts\":{}}", "scripts" },
	{ "{\"x\":{\"main\":\"a\"}}", "{\"x\":{\"main\":\"b\"}}", "x.main" },
	{ "{\"x\":{\"scripts\":{}}}", "{\"x\":{\"scripts\":{\"t\":1}}}",
	    "x.scripts.t" },
};

static int
compare(const char *before, const char *after, struct diag *dg)
{
	return npmpackage_compare(
	    before, strlen(before), after, strlen(after), "foo 1.0.0", dg);
}

static void
a_patch_may_change_only_what_the_lock_does_not_have(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_diag struct diag back = DIAG_INIT;
		cleanup_free char *want = NULL;
		int rc = changes[i].label == NULL ? 0 : -1;

		CHECK_INT(
		    compare(changes[i].before, changes[i].after, &dg), rc);
		CHECK_INT(
		    compare(changes[i].after, changes[i].before, &back), rc);
		if (rc != 0)
			want = xasprintf(
			    "foo 1.0.0: the patch changes \"%s\" in "
			    "package.json, which can change what npm resolves "
			    "or what its lock records; take that out of the "
			    "patch",
			    changes[i].label);
		CHECK_INT(dg.class, rc == 0 ? DIAG_NONE : DIAG_CONFIG);
		CHECK_STR(dg.message, want);
		CHECK_STR(back.message, want);
	}
}

static void
a_manifest_that_cannot_be_judged_may_only_stay(void)
{
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ "", "foo 1.0.0: the original package.json: " },
		{ "[]",
		    "foo 1.0.0: the original package.json: it is not a JSON "
		    "object" },
		{ "{\"a\":1,\"a\":2}",
		    "foo 1.0.0: the original package.json: " },
		{ "\xef\xbb\xbf{}", "foo 1.0.0: the original package.json: " },
	};
	cleanup_strbuf struct strbuf large = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_diag struct diag now = DIAG_INIT;
		cleanup_diag struct diag then = DIAG_INIT;

		CHECK_INT(compare(bad[i].text, bad[i].text, &now), 0);
		CHECK_INT(compare(bad[i].text, "{}", &now), -1);
		CHECK_INT(now.class, DIAG_DATA);
		CHECK(
		    strncmp(now.message, bad[i].why, strlen(bad[i].why)) == 0);
		CHECK_INT(compare("{}", bad[i].text, &then), -1);
		CHECK_INT(then.class, DIAG_DATA);
		CHECK(strstr(then.message, "the patched package.json") != NULL);
	}
	while (large.len <= NPMPACKAGE_MANIFEST_MAX)
		strbuf_addstr(&large, "                                ");
	CHECK_INT(compare(large.buf, "{}", &dg), -1);
	CHECK_STR(dg.message,
	    "foo 1.0.0: the original package.json: more than 4194304 bytes");
}

static void
a_label_is_bounded(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	strbuf_addstr(&text, "{\"");
	for (int i = 0; i < 10000; i++)
		strbuf_addch(&text, 'k');
	strbuf_addstr(&text, "\":{\"x\":1}}");
	CHECK_INT(compare("{}", text.buf, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK(strlen(dg.message) < 400);
}

static void
packages_in_the_package_may_not_be_patched(void)
{
	static const struct {
		const char *name;
		int rc;
	} names[] = { { "index.js", 0 }, { "lib/npm-shrinkwrap.json", 0 },
		{ "lib/node_modules/a.js", 0 }, { "node_modules.js", 0 },
		{ "package.json", 0 }, { "npm-shrinkwrap.json", -1 },
		{ "node_modules/x/index.js", -1 } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_strvec struct strvec all = STRVEC_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *want = NULL;

		strvec_push(&all, "a.js");
		strvec_push(&all, names[i].name);
		CHECK_INT(npmpackage_judge_names(&all, "foo 1.0.0", &dg),
		    names[i].rc);
		if (names[i].rc != 0)
			want = xasprintf("foo 1.0.0: the patch changes %s, "
					 "which can change what npm resolves; "
					 "take that out of the patch",
			    names[i].name);
		CHECK_STR(dg.message, want);
		CHECK_INT(dg.class, names[i].rc == 0 ? DIAG_NONE : DIAG_CONFIG);
	}
}

static const struct check_test tests[] = {
	{ "each cache is searched", each_cache_is_searched },
	{ "a tarball of other bytes is told and passed over",
	    other_bytes_are_told_and_passed_over },
	{ "an absent tarball is an answer that says how to get it",
	    an_absent_tarball_is_an_answer },
	{ "the first component of a name is dropped, whatever it is",
	    the_first_component_is_dropped_whatever_it_is },
	{ "executable files stay so", executable_files_stay_so },
	{ "names keep their bytes", names_keep_their_bytes },
	{ "hostile entries are refused", hostile_entries_are_refused },
	{ "the same tree gives the same bytes",
	    the_same_tree_gives_the_same_bytes },
	{ "npm gets the tree that was packed",
	    npm_gets_the_tree_that_was_packed },
	{ "the modes are those of the original",
	    the_modes_are_those_of_the_original },
	{ "a file that changed is not packed",
	    a_file_that_changed_is_not_packed },
	{ "a file that is there is not replaced",
	    a_file_that_is_there_is_not_replaced },
	{ "a patch may change only what the lock does not have",
	    a_patch_may_change_only_what_the_lock_does_not_have },
	{ "a manifest that cannot be judged may only stay as it is",
	    a_manifest_that_cannot_be_judged_may_only_stay },
	{ "a label is bounded", a_label_is_bounded },
	{ "packages in the package may not be patched",
	    packages_in_the_package_may_not_be_patched },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
