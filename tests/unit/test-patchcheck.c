/* SPDX-License-Identifier: MIT */
/* What a check of a project's patches finds. */
#include "check.h"

#include <errno.h>
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
#include "deps/cargomanifest.h"
#include "deps/cargoredirect.h"
#include "deps/patchcheck.h"
#include "deps/patchledger.h"
#include "deps/patchtext.h"
#include "deps/patchtree.h"
#include "patch-bed.h"
#include "tree-kit.h"

#define DEP_SUM \
	"02568e7fa2d1bae36cb3a1041b850b4d6b09972fcda475e5e7c718e7e9a2533a"
#define LIB_SUM \
	"12568e7fa2d1bae36cb3a1041b850b4d6b09972fcda475e5e7c718e7e9a2533a"
#define CRATES_IO \
	"source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
#define LOCK_HEAD                                      \
	"version = 4\n\n[[package]]\nname = \"app\"\n" \
	"version = \"0.1.0\"\n\n"
#define LOCK_TEXT                                                        \
	LOCK_HEAD                                                        \
	"[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\n" CRATES_IO   \
	"checksum = \"" DEP_SUM "\"\n\n"                                 \
	"[[package]]\nname = \"lib\"\nversion = \"2.0.0+b\"\n" CRATES_IO \
	"checksum = \"" LIB_SUM "\"\n"
#define MANIFEST_TEXT "[package]\nname = \"app\"\nversion = \"0.1.0\"\n"

/* The names in the project have the first digits of the patch's digest. */
#define DEP_PATCH "--- a/src/lib.rs\tdep\n"
#define LIB_PATCH "--- a/src/lib.rs\tlib\n"
#define DEP_COPY ".drydock/patched/cargo/dep-1.0.0-460fc56f2567"
#define LIB_COPY ".drydock/patched/cargo/lib-2.0.0+b-91ba64e99636"
#define DEP_FILE ".drydock/patches/cargo/dep@1.0.0.patch"

static void
add_entry(struct patch_bed *bed, const char *name, const char *version,
    const char *sum, const char *patch, struct strbuf *lock)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf redirected = STRBUF_INIT;
	cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
	struct patchledger_entry e = {
		.ecosystem = xstrdup("cargo"),
		.name = xstrdup(name),
		.version = xstrdup(version),
	};
	const struct patch_bed_file files[] = {
		{ "Cargo.toml", name },
		{ "src/lib.rs", "patched" },
	};

	CHECK(digest_parse_hex(DIGEST_SHA256, sum, strlen(sum), &e.pristine));
	CHECK_INT(cargoredirect_add(lock->buf, lock->len, name, version,
		      &redirected, &fragment, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	strbuf_reset(lock);
	strbuf_add(lock, redirected.buf, redirected.len);
	e.fragment = strbuf_detach(&fragment, NULL);
	patch_bed_add(bed, &e, patch, files, ARRAY_SIZE(files));
}

static void
write_manifest(const struct patch_bed *bed)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct cargomanifest_patch patches[] = {
		{ "dep", DEP_COPY },
		{ "lib", LIB_COPY },
	};

	CHECK_INT(cargomanifest_set(MANIFEST_TEXT, strlen(MANIFEST_TEXT),
		      patches, 2, &text, &dg),
	    0);
	patch_bed_put(bed->fd, "Cargo.toml", text.buf);
}

static void
bed_open(struct patch_bed *bed)
{
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;

	patch_bed_init(bed, "cargo");
	CHECK_INT(mkdirat(bed->fd, ".cargo", 0700), 0);
	strbuf_addstr(&lock, LOCK_TEXT);
	add_entry(bed, "dep", "1.0.0", DEP_SUM, DEP_PATCH, &lock);
	add_entry(bed, "lib", "2.0.0+b", LIB_SUM, LIB_PATCH, &lock);
	patch_bed_put(bed->fd, "Cargo.lock", lock.buf);
	patch_bed_write_ledger(bed);
	write_manifest(bed);
	patch_bed_put(bed->fd, ".cargo/config.toml", "");
}

static void
test_in_sync(void)
{
	static const struct patch_row rows[] = {
		{ PUT, "other", "x", NULL, "" },
		{ PUT, ".cargo/config.toml", "[build]\njobs = 1\n", NULL, "" },
		{ PUT, ".cargo/config", "[patch.x]\ny = { path = \"z\" }\n",
		    NULL, "" },
		{ LINK, ".cargo/config", "config.toml", NULL, "" },
		{ PUT, ".drydock/patches/.x", "x", NULL, "" },
		{ PUT, ".drydock/patches/cargo/.x", "x", NULL, "" },
		{ DIRECTORY, ".drydock/patched/cargo/.dep.a", NULL, NULL, "" },
		{ PUT, ".drydock/other", "x", NULL, "" },
		{ EDIT, "Cargo.lock", "version = \"0.1.0\"",
		    "version = \"0.1.1\"", "" },
		{ EDIT, "Cargo.toml", "[package]", "# x\n[package]", "" },
	};

	patch_bed_rows(rows, ARRAY_SIZE(rows), "cargo", bed_open);
}

#define DEP "dep 1.0.0 "
#define LIB "lib 2.0.0+b "
#define NONE "- - "
#define OTHER_TREE "its files are not those of the patched package\n"

static void
test_copies(void)
{
	static const struct patch_row rows[] = {
		{ GONE, DEP_COPY, NULL, NULL,
		    "copy-missing " DEP DEP_COPY ": missing\n" },
		{ GONE, DEP_COPY ".files", NULL, NULL,
		    "copy-missing " DEP DEP_COPY ".files: missing\n" },
		{ GONE, ".drydock/patched", NULL, NULL,
		    "copy-missing " DEP DEP_COPY ": missing\n"
		    "copy-missing " LIB LIB_COPY ": missing\n" },
		{ EDIT, DEP_COPY "/src/lib.rs", "patched", "pitched",
		    "copy-changed " DEP DEP_COPY "/src/lib.rs: changed\n" },
		{ PUT, DEP_COPY "/src/x\n.rs", "", NULL,
		    "copy-changed " DEP DEP_COPY ": cannot be read: src/"
		    "x\\n.rs: a file may not have such a path\n" },
		{ PUT, DEP_COPY "/build.rs", "", NULL,
		    "copy-changed " DEP DEP_COPY
		    "/build.rs: not a file of the patched package\n" },
		{ GONE, DEP_COPY "/src/lib.rs", NULL, NULL,
		    "copy-changed " DEP DEP_COPY
		    ": cannot be read: src: a directory without files\n" },
		{ GONE, DEP_COPY "/Cargo.toml", NULL, NULL,
		    "copy-changed " DEP DEP_COPY "/Cargo.toml: missing\n" },
		{ LINK, DEP_COPY "/Cargo.toml", "../../x", NULL,
		    "copy-changed " DEP DEP_COPY
		    ": cannot be read: Cargo.toml: it is neither a file nor a "
		    "directory\n" },
		{ LINK, DEP_COPY, "../../../aside", NULL,
		    "copy-changed " DEP DEP_COPY
		    ": cannot be read: open " DEP_COPY
		    ": a symbolic link is in the way\n" },
		{ LINK, ".drydock/patched", "../aside", NULL,
		    "copy-changed " DEP DEP_COPY
		    ": cannot be read: open " DEP_COPY
		    ": a symbolic link is in the way\n"
		    "copy-changed " LIB LIB_COPY
		    ": cannot be read: open " LIB_COPY
		    ": a symbolic link is in the way\n"
		    "copy-orphan " NONE ".drydock/patched: cannot be read: "
		    "open .drydock/patched: a symbolic link is in the way\n" },
		{ FIFO, DEP_COPY, NULL, NULL,
		    "copy-changed " DEP DEP_COPY
		    ": cannot be read: open " DEP_COPY ": Not a directory\n" },
		{ HUGE_FILE, DEP_COPY "/Cargo.toml", NULL, NULL,
		    "copy-changed " DEP DEP_COPY ": cannot be read: Cargo.toml"
		    ": the files are too large\n" },
		{ HUGE_FILE, DEP_COPY ".files", NULL, NULL,
		    "copy-changed " DEP DEP_COPY
		    ".files: cannot be read: " DEP_COPY
		    ".files: larger than 33554432 bytes\n" },
		{ FIFO, DEP_COPY ".files", NULL, NULL,
		    "copy-changed " DEP DEP_COPY
		    ".files: cannot be read: " DEP_COPY
		    ".files: not a regular file\n" },
		{ EDIT, DEP_COPY ".files", "lib.rs", "lab.rs",
		    "copy-changed " DEP DEP_COPY ".files: changed\n" },
		{ PUT, ".drydock/patched/cargo/dep-1.0.0-460fc56f2568.files",
		    "x", NULL,
		    "copy-orphan " NONE ".drydock/patched/cargo/"
		    "dep-1.0.0-460fc56f2568.files: not recorded\n" },
		{ DIRECTORY, ".drydock/patched/cargo/\033x", NULL, NULL,
		    "copy-orphan " NONE
		    ".drydock/patched/cargo/\\033x: not recorded\n" },
		{ DIRECTORY, ".drydock/patched/pip", NULL, NULL,
		    "copy-orphan " NONE ".drydock/patched/pip: not "
		    "recorded\n" },
	};

	patch_bed_rows(rows, ARRAY_SIZE(rows), "cargo", bed_open);
}

/* A copy and its list that were made to agree are not the recorded ones. */
static void
test_forged_copy(void)
{
	cleanup_patch_bed struct patch_bed bed;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_free char *got = NULL;
	cleanup_close int fd = -1;

	bed_open(&bed);
	patch_bed_edit(&bed, DEP_COPY "/src/lib.rs", "patched", "other");
	CHECK_INT(fs_open_nolinks(
		      bed.fd, DEP_COPY, O_RDONLY | O_DIRECTORY, 0, &fd, &dg),
	    0);
	CHECK_INT(patchtree_read(fd, &tree, &dg), 0);
	patchtree_list(&tree, &list);
	patch_bed_put(bed.fd, DEP_COPY ".files", list.buf);
	got = patch_bed_check(&bed, "cargo");
	CHECK_STR(got,
	    "copy-changed " DEP DEP_COPY ".files: changed\n"
	    "copy-changed " DEP DEP_COPY ": " OTHER_TREE);
}

static void
test_patches(void)
{
	static const struct patch_row rows[] = {
		{ GONE, DEP_FILE, NULL, NULL,
		    "patch-missing " DEP DEP_FILE ": missing\n" },
		{ PUT, DEP_FILE, "x", NULL,
		    "patch-changed " DEP DEP_FILE
		    ": not the patch that .drydock/patches.json records\n" },
		{ LINK, DEP_FILE, "../../../aside", NULL,
		    "patch-changed " DEP DEP_FILE
		    ": cannot be read: open " DEP_FILE
		    ": a symbolic link is in the way\n" },
		{ FIFO, DEP_FILE, NULL, NULL,
		    "patch-changed " DEP DEP_FILE ": cannot be read: " DEP_FILE
		    ": not a regular file\n" },
		{ DIRECTORY, DEP_FILE, NULL, NULL,
		    "patch-changed " DEP DEP_FILE
		    ": cannot be read: read " DEP_FILE ": Is a directory\n" },
		{ HUGE_FILE, DEP_FILE, NULL, NULL,
		    "patch-changed " DEP DEP_FILE ": cannot be read: " DEP_FILE
		    ": larger than 16777216 bytes\n" },
		{ PUT, ".drydock/patches/cargo/dep@1.0.1.patch", "x", NULL,
		    "patch-orphan " NONE ".drydock/patches/cargo/"
		    "dep@1.0.1.patch: not recorded\n" },
		{ DIRECTORY, ".drydock/patches/pip", NULL, NULL,
		    "patch-orphan " NONE
		    ".drydock/patches/pip: not recorded\n" },
		{ PUT, ".drydock/patches/README", "x", NULL,
		    "patch-orphan " NONE
		    ".drydock/patches/README: not recorded\n" },
	};

	patch_bed_rows(rows, ARRAY_SIZE(rows), "cargo", bed_open);
}

#define NO_BLOCK(who) \
	"block-missing " who "Cargo.toml: has no block of drydock's\n"
#define FOREIGN                                                          \
	"block-foreign " NONE "Cargo.toml: the block is not as drydock " \
	"wrote it\n"

static void
test_block(void)
{
	static const struct patch_row rows[] = {
		{ PUT, "Cargo.toml", MANIFEST_TEXT, NULL,
		    NO_BLOCK(DEP) NO_BLOCK(LIB) },
		{ GONE, "Cargo.toml", NULL, NULL,
		    "block-missing " DEP "Cargo.toml: missing\n"
		    "block-missing " LIB "Cargo.toml: missing\n" },
		{ EDIT, "Cargo.toml",
		    "[patch.crates-io.dep]\npath = \"" DEP_COPY "\"\n", "",
		    "block-missing " DEP
		    "Cargo.toml: does not lead to " DEP_COPY "\n" },
		{ EDIT, "Cargo.toml", "460fc56f2567", "460fc56f2568",
		    "block-other " DEP "Cargo.toml: leads to .drydock/patched/"
		    "cargo/dep-1.0.0-460fc56f2568, and not to " DEP_COPY "\n" },
		{ EDIT, "Cargo.toml", "[patch.crates-io.dep]",
		    "[patch.crates-io.x]\npath = \"x\"\n"
		    "[patch.crates-io.dep]",
		    "block-orphan x - Cargo.toml: leads to x, which is not "
		    "recorded\n" },
		{ EDIT, "Cargo.toml", "[patch.crates-io.dep]",
		    "[patch.crates-io.lib]\npath = \"" LIB_COPY "\"\n"
		    "[patch.crates-io.dep]",
		    FOREIGN },
		{ EDIT, "Cargo.toml", "[patch.crates-io.dep]",
		    "# mine\n[patch.crates-io.dep]", FOREIGN },
		{ EDIT, "Cargo.toml", "# drydock patch: end\n", "", FOREIGN },
		{ EDIT, "Cargo.toml", "# drydock patch: end\n",
		    "# drydock patch: end\nversion = \"1\"\n", FOREIGN },
		{ EDIT, "Cargo.toml", "# drydock patch: begin", "#",
		    NO_BLOCK(DEP) NO_BLOCK(LIB) },
	};
	cleanup_patch_bed struct patch_bed bed;
	cleanup_free char *got = NULL;

	patch_bed_rows(rows, ARRAY_SIZE(rows) - 1, "cargo", bed_open);
	/* Without its marks the block is the user's own. */
	bed_open(&bed);
	patch_bed_spoil(&bed, &rows[ARRAY_SIZE(rows) - 1]);
	got = patch_bed_check(&bed, "cargo");
	CHECK(strncmp(got, "conflict " DEP "Cargo.toml: your own [patch.",
		  30) == 0);
	CHECK(strstr(got, NO_BLOCK(DEP) NO_BLOCK(LIB)) != NULL);
}

static void
test_conflicts(void)
{
	static const struct patch_row rows[] = {
		{ PUT, ".cargo/config.toml",
		    "[patch.crates-io]\nlib = { path = \"x\", version = \"1\" "
		    "}\n",
		    NULL,
		    "conflict " LIB ".cargo/config.toml: [patch.crates-io] "
		    "has lib, and cargo takes that; remove it\n" },
		{ PUT, ".cargo/config",
		    "[patch.\"\\\\\"]\nx = { package = \"dep\" }\n", NULL,
		    "conflict " DEP ".cargo/config: [patch.\\\\\\\\] has dep, "
		    "and cargo takes that; remove it\n" },
		{ PUT, ".cargo/config.toml", "paths = [\"x\"]\n", NULL,
		    "conflict " NONE ".cargo/config.toml: \"paths\" replaces "
		    "crates, and cargo takes these; remove it\n" },
		{ PUT, ".cargo/config.toml", "x = [\n", NULL,
		    "conflict " NONE ".cargo/config.toml: cannot be judged: "
		    ".cargo/config.toml: line 1: a string, list or table that "
		    "does not end\n" },
		{ DIRECTORY, ".cargo/config", NULL, NULL,
		    "conflict " NONE ".cargo/config: cannot be read: read "
		    ".cargo/config: Is a directory\n" },
		{ FIFO, ".cargo/config", NULL, NULL,
		    "conflict " NONE ".cargo/config: cannot be read: "
		    ".cargo/config: not a regular file\n" },
		{ LINK, ".cargo/config", "../../out", NULL,
		    "conflict " NONE ".cargo/config: cannot be read: open "
		    ".cargo/config: leaves the directory\n" },
		{ HUGE_FILE, ".cargo/config.toml", NULL, NULL,
		    "conflict " NONE ".cargo/config.toml: cannot be read: "
		    ".cargo/config.toml: larger than 4194304 bytes\n" },
		{ EDIT, "Cargo.toml", "[package]\n",
		    "[package]\nworkspace = \"x\"\n",
		    "conflict " NONE "Cargo.toml: package.workspace leads to "
		    "another root, whose [patch] cargo takes instead; patch in "
		    "that directory\n" },
		{ EDIT, "Cargo.toml", "[package]\n",
		    "[patch.x]\ny.package = \"lib\"\n[package]\n",
		    "conflict " LIB "Cargo.toml: your own [patch.x] has lib; "
		    "remove that, or do not patch this crate here\n" },
	};

	patch_bed_rows(rows, ARRAY_SIZE(rows), "cargo", bed_open);
}

#define DEP_ENTRY "name = \"dep\"\nversion = \"1.0.0\"\n"
#define TWICE                                           \
	DEP_ENTRY "\n[[package]]\n" DEP_ENTRY CRATES_IO \
		  "checksum = \"" DEP_SUM "\"\n"

static void
test_lock(void)
{
	static const struct patch_row rows[] = {
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    DEP_ENTRY CRATES_IO "checksum = \"" DEP_SUM "\"\n",
		    "lock-original " DEP "Cargo.lock: leads to the original of "
		    "dep 1.0.0\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    DEP_ENTRY CRATES_IO "checksum = \"" LIB_SUM "\"\n",
		    "lock-other-source " DEP "Cargo.lock: has another checksum "
		    "of dep 1.0.0 than .drydock/patches.json\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY, DEP_ENTRY CRATES_IO,
		    "lock-other-source " DEP "Cargo.lock: has another checksum "
		    "of dep 1.0.0 than .drydock/patches.json\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    DEP_ENTRY "source = \"git+https://x\"\n",
		    "lock-other-source " DEP "Cargo.lock: has dep 1.0.0 from "
		    "another source than crates.io\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    DEP_ENTRY "\n[[patch.unused]]\n" DEP_ENTRY,
		    "lock-other-source " DEP "Cargo.lock: has dep 1.0.0 from "
		    "another path: cargo does not use the patch\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    DEP_ENTRY "\n[[patch.unused]]\nname = \"dep\"\n"
			      "version = \"1.0.1\"\n",
		    "" },
		{ EDIT, "Cargo.lock", DEP_ENTRY, TWICE,
		    "lock-twice " DEP "Cargo.lock: has dep 1.0.0 from two "
		    "sources\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    "name = \"dep\"\nversion = \"1.0.1\"\n\n[[package]]\n"
		    "name = \"dep\"\nversion = \"2.0.0\"\n",
		    "lock-other-version " DEP "Cargo.lock: has dep 1.0.1, "
		    "2.0.0, and not 1.0.0\n" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    "name = \"dop\"\nversion = \"1.0.0\"\n",
		    "lock-other-version " DEP "Cargo.lock: does not have "
		    "dep\n" },
		{ GONE, "Cargo.lock", NULL, NULL,
		    "lock-other-version " DEP "Cargo.lock: missing\n"
		    "lock-other-version " LIB "Cargo.lock: missing\n" },
	};

	patch_bed_rows(rows, ARRAY_SIZE(rows), "cargo", bed_open);
}

/* 3: DIAG_DATA, 6: DIAG_IO, 9: DIAG_CONFIG */
static void
test_cannot_judge(void)
{
	static const struct patch_row rows[] = {
		{ EDIT, PATCHLEDGER_PATH, "\"cargo\"", "\"pip\"",
		    "9 .drydock/patches.json: dep 1.0.0: this version of "
		    "drydock cannot check patches of pip" },
		{ PUT, PATCHLEDGER_PATH, "", NULL, NULL },
		{ EDIT, PATCHLEDGER_PATH, "\"version\": 1", "\"version\": 2",
		    NULL },
		{ EDIT, PATCHLEDGER_PATH, DEP_SUM, LIB_SUM,
		    "3 .drydock/patches.json: the kept entry of Cargo.lock has "
		    "another checksum of dep 1.0.0" },
		{ EDIT, PATCHLEDGER_PATH, "name = \\\"dep", "name = \\\"dop",
		    "3 .drydock/patches.json: the kept entry of Cargo.lock is "
		    "not that of dep 1.0.0" },
		{ LINK, PATCHLEDGER_PATH, "../aside", NULL,
		    "6 open .drydock/patches.json: a symbolic link is in the "
		    "way" },
		{ LINK, ".drydock", "aside", NULL,
		    "6 open .drydock/patches.json: a symbolic link is in the "
		    "way" },
		{ FIFO, PATCHLEDGER_PATH, NULL, NULL,
		    "6 .drydock/patches.json: not a regular file" },
		{ HUGE_FILE, PATCHLEDGER_PATH, NULL, NULL,
		    "3 .drydock/patches.json: larger than 16777216 bytes" },
		{ LINK, "Cargo.toml", "aside", NULL,
		    "6 open Cargo.toml: a symbolic link is in the way" },
		{ FIFO, "Cargo.toml", NULL, NULL,
		    "6 Cargo.toml: not a regular file" },
		{ HUGE_FILE, "Cargo.toml", NULL, NULL,
		    "3 Cargo.toml: larger than 4194304 bytes" },
		{ EDIT, "Cargo.toml", "[package]\n", "[package]\nx = \"\n",
		    "3 Cargo.toml: line 2: a string, list or table that does "
		    "not end" },
		{ LINK, "Cargo.lock", "aside", NULL,
		    "6 open Cargo.lock: a symbolic link is in the way" },
		{ FIFO, "Cargo.lock", NULL, NULL,
		    "6 Cargo.lock: not a regular file" },
		{ HUGE_FILE, "Cargo.lock", NULL, NULL,
		    "3 Cargo.lock: larger than 16777216 bytes" },
		{ EDIT, "Cargo.lock", DEP_ENTRY,
		    DEP_ENTRY "\n[[package]]\n" DEP_ENTRY,
		    "3 Cargo.lock: dep 1.0.0 occurs twice" },
		{ EDIT, "Cargo.lock", "version = 4", "version = 5",
		    "3 Cargo.lock: line 1: versions 3 and 4 are supported" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_patch_bed struct patch_bed bed;
		cleanup_free char *got = NULL;

		bed_open(&bed);
		patch_bed_spoil(&bed, &rows[i]);
		got = patch_bed_check(&bed, "cargo");
		if (rows[i].want != NULL)
			CHECK_STR(got, rows[i].want);
		else
			CHECK(
			    strncmp(got, "3 .drydock/patches.json: ", 25) == 0);
	}
}

static void
test_unreadable(void)
{
	static const char *const paths[] = { "Cargo.toml", "Cargo.lock",
		".cargo/config.toml", ".cargo", ".drydock", PATCHLEDGER_PATH,
		DEP_FILE, ".drydock/patches", ".drydock/patches/cargo",
		".drydock/patched", ".drydock/patched/cargo", DEP_COPY,
		DEP_COPY ".files", DEP_COPY "/src", DEP_COPY "/src/lib.rs" };

	patch_bed_unreadable(paths, ARRAY_SIZE(paths), "cargo", bed_open);
}

/* Each way to many findings. */
static void
test_bounded(void)
{
	static const char *const dirs[] = { DEP_COPY, ".drydock/patches/cargo",
		".drydock/patched" };
	cleanup_patch_bed struct patch_bed bed;
	cleanup_strbuf struct strbuf block = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_patch_bed struct patch_bed files;

		bed_open(&files);
		for (int n = 0; n < PATCHCHECK_MAX + 1; n++) {
			cleanup_free char *path =
			    xasprintf("%s/%d", dirs[i], n);

			patch_bed_put(files.fd, path, "");
		}
		patch_bed_check_full(&files);
	}
	for (int n = 0; n < PATCHCHECK_MAX + 1; n++)
		strbuf_addf(&block, "[patch.crates-io.x%d]\npath = \"x\"\n", n);
	strbuf_addstr(&block, "[patch.crates-io.dep]");
	bed_open(&bed);
	patch_bed_edit(&bed, "Cargo.toml", "[patch.crates-io.dep]", block.buf);
	patch_bed_check_full(&bed);
}

static void
test_without_ledger(void)
{
	cleanup_patch_bed struct patch_bed bed;
	cleanup_free char *got = NULL;

	bed_open(&bed);
	CHECK_INT(unlinkat(bed.fd, PATCHLEDGER_PATH, 0), 0);
	/* These are read for the ledger's patches alone. */
	CHECK_INT(unlinkat(bed.fd, "Cargo.lock", 0), 0);
	patch_bed_put(bed.fd, ".cargo/config.toml", "paths = [\"x\"]\n");
	got = patch_bed_check(&bed, "cargo");
	CHECK_STR(got,
	    "block-orphan dep - Cargo.toml: leads to " DEP_COPY
	    ", which is not recorded\n"
	    "block-orphan lib - Cargo.toml: leads to " LIB_COPY
	    ", which is not recorded\n"
	    "patch-orphan " NONE DEP_FILE ": not recorded\n"
	    "patch-orphan " NONE
	    ".drydock/patches/cargo/lib@2.0.0+b.patch: not recorded\n"
	    "copy-orphan " NONE DEP_COPY ": not recorded\n"
	    "copy-orphan " NONE DEP_COPY ".files: not recorded\n"
	    "copy-orphan " NONE LIB_COPY ": not recorded\n"
	    "copy-orphan " NONE LIB_COPY ".files: not recorded\n");
}

/* Without patches of cargo's, its manifest is not judged. */
static void
test_other_manifests(void)
{
	static const struct patch_row rows[] = {
		{ PUT, "Cargo.toml", "[package\n", NULL, "" },
		{ LINK, "Cargo.toml", "aside", NULL, "" },
		{ FIFO, "Cargo.toml", NULL, NULL, "" },
		{ HUGE_FILE, "Cargo.toml", NULL, NULL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_patch_bed struct patch_bed bed;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *got = NULL;

		bed_open(&bed);
		CHECK_INT(fs_remove_tree(bed.fd, ".drydock", &dg), 0);
		CHECK_INT(mkdirat(bed.fd, ".drydock", 0700), 0);
		CHECK_INT(mkdirat(bed.fd, ".drydock/patches", 0700), 0);
		patch_bed_spoil(&bed, &rows[i]);
		got = patch_bed_check(&bed, "cargo");
		CHECK_STR(got, rows[i].want);
	}
}

static void
test_is_needed(void)
{
	static const struct {
		const char *dir;
		const char *file;
		const char *text;
		bool needed;
	} rows[] = {
		{ NULL, NULL, NULL, false },
		{ NULL, "Cargo.toml", "[package]\n", false },
		{ NULL, "Cargo.toml", "[package\n", false },
		{ NULL, "Cargo.toml",
		    "[package\n# drydock patch: begin; \"drydock patch\" "
		    "writes this block\n",
		    true },
		{ NULL, ".drydock", "x", false },
		{ ".drydock", ".drydock/other", "x", false },
		{ ".drydock", ".drydock/patches.json", "", true },
		{ ".drydock/patches", NULL, NULL, true },
		{ ".drydock/patched", NULL, NULL, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int tmp = tree_open();
		cleanup_close int fd = -1;
		cleanup_close int dir = -1;
		cleanup_close int only_path = -1;

		(void)fs_remove_tree(tmp, "p", &dg);
		CHECK_INT(fs_make_dir(tmp, "p", 0700, &fd, &dg), 0);
		if (rows[i].dir != NULL)
			CHECK_INT(
			    fs_make_dirs(fd, rows[i].dir, 0700, &dir, &dg), 0);
		if (rows[i].file != NULL)
			patch_bed_put(fd, rows[i].file, rows[i].text);
		CHECK_INT(patchcheck_is_needed(fd), rows[i].needed);
		only_path = openat(tmp, "p", O_PATH | O_DIRECTORY | O_CLOEXEC);
		CHECK_INT(patchcheck_is_needed(only_path), rows[i].needed);
	}
}

static void
test_is_needed_hostile(void)
{
	cleanup_close int fd = tree_open();

	CHECK_INT(mkfifoat(fd, "Cargo.toml", 0600), 0);
	CHECK(!patchcheck_is_needed(fd));
	CHECK_INT(symlinkat("/nowhere", fd, ".drydock"), 0);
	CHECK(patchcheck_is_needed(fd));
	CHECK_INT(unlinkat(fd, ".drydock", 0), 0);
	CHECK_INT(mkdirat(fd, ".drydock", 0700), 0);
	CHECK_INT(symlinkat("/nowhere", fd, PATCHLEDGER_PATH), 0);
	CHECK(patchcheck_is_needed(fd));
}

static void
test_kinds(void)
{
	for (int i = 0; i < PATCHCHECK_NKINDS; i++) {
		char name[] = "dep";
		char version[] = "1.0.0";
		const struct patchcheck_finding finding = {
			.kind = (enum patchcheck_kind)i,
			.name = name,
			.version = version,
		};
		cleanup_free char *mend = patchcheck_mend(&finding);

		CHECK(patchcheck_kind_name(finding.kind) != NULL);
		CHECK(strncmp(mend, "drydock patch ", 14) == 0);
		CHECK(strstr(mend, "NAME") == NULL);
		if (finding.kind == PATCHCHECK_LOCK_TWICE)
			CHECK_STR(mend, "drydock patch remove dep@1.0.0");
	}
	CHECK_STR(
	    patchcheck_kind_name(PATCHCHECK_COPY_MISSING), "copy-missing");
	CHECK_STR(patchcheck_kind_name(PATCHCHECK_LOCK_TWICE), "lock-twice");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a project in sync has no finding", test_in_sync },
		{ "a copy that is missing, changed or unknown is found",
		    test_copies },
		{ "a forged copy with its list is found", test_forged_copy },
		{ "a patch that is missing, changed or unknown is found",
		    test_patches },
		{ "a block that is not the ledger's is found", test_block },
		{ "what wins over the block is found", test_conflicts },
		{ "a lock that does not use the patch is found", test_lock },
		{ "what cannot be judged is a failure", test_cannot_judge },
		{ "what cannot be read is never in sync", test_unreadable },
		{ "the findings are bounded", test_bounded },
		{ "without a ledger all else is an orphan",
		    test_without_ledger },
		{ "a manifest without patches is not judged",
		    test_other_manifests },
		{ "a check is needed if there is something of drydock's",
		    test_is_needed },
		{ "a check is needed for what cannot be looked at",
		    test_is_needed_hostile },
		{ "each kind has a name and a command", test_kinds },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
