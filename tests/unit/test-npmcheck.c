/* SPDX-License-Identifier: MIT */
/* What a check finds in a project with patches of npm's packages. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/npmfragment.h"
#include "deps/npmredirect.h"
#include "deps/patchcheck.h"
#include "deps/patchledger.h"
#include "patch-bed.h"
#include "tree-kit.h"

#define SUM(c)                                                            \
	"sha512-" c "41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv00" \
	"04MRL43QKPDlK9cGvNp6NZWZUBlbGXYxw=="
#define DEP_SUM SUM("AA")
#define LIB_SUM SUM("BB")
#define OTHER_SUM SUM("CC")
#define MANIFEST_TEXT                                      \
	"{\n  \"name\": \"app\",\n  \"dependencies\": {\n" \
	"    \"dep\": \"^1.0.0\",\n    \"other\": \"^3.0.0\"\n  }\n}\n"
#define DEP_URL "https://r.example/dep/-/dep-1.0.0.tgz"
#define LIB_URL "https://r.example/@s/lib/-/lib-2.0.0.tgz"
#define ENTRY(path, version, url, sum)                               \
	"    \"" path "\": {\n      \"version\": \"" version "\",\n" \
	"      \"resolved\": \"" url "\",\n      \"integrity\": \"" sum "\""
#define LOCK_TEXT                                                             \
	"{\n  \"name\": \"app\",\n  \"lockfileVersion\": 3,\n"                \
	"  \"packages\": {\n    \"\": {\n      \"name\": \"app\",\n"          \
	"      \"dependencies\": {\n        \"dep\": \"^1.0.0\",\n"           \
	"        \"other\": \"^3.0.0\"\n      }\n    },\n" ENTRY(             \
	    "node_modules/@s/lib", "2.0.0", LIB_URL,                          \
	    LIB_SUM) "\n    },\n" ENTRY("node_modules/dep", "1.0.0", DEP_URL, \
	    DEP_SUM) "\n    },\n" ENTRY("node_modules/other", "3.0.0",        \
	    "https://r.example/other.tgz",                                    \
	    OTHER_SUM) ",\n      \"dependencies\": {\n"                       \
		       "        \"@s/lib\": \"^2.0.0\"\n      }\n    }\n"     \
		       "  }\n}\n"

/* The names in the project have the first digits of the patch's digest. */
#define DEP_PATCH "--- a/src/lib.rs\tdep\n"
#define LIB_PATCH "--- a/src/lib.rs\tlib\n"
#define DEP_COPY ".drydock/patched/npm/dep-1.0.0-460fc56f2567"
#define LIB_COPY ".drydock/patched/npm/@s+lib-2.0.0-91ba64e99636"
#define DEP_TAR DEP_COPY "/package.tar"
#define LIB_TAR LIB_COPY "/package.tar"
#define DEP_FILE ".drydock/patches/npm/dep@1.0.0.patch"
#define LIB_FILE ".drydock/patches/npm/@s+lib@2.0.0.patch"

#define DEP "dep 1.0.0 "
#define LIB "@s/lib 2.0.0 "
#define NONE "- - "

/* Both texts, and the redirects that they get. */
struct texts {
	struct strbuf manifest;
	struct strbuf lock;
};

static void
add_entry(struct patch_bed *bed, const char *name, const char *version,
    const char *sum, const char *patch, const struct texts *t)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
	struct patchledger_entry e = {
		.ecosystem = xstrdup("npm"),
		.name = xstrdup(name),
		.version = xstrdup(version),
	};
	const struct patch_bed_file file = { "package.tar", name };

	digest_of(DIGEST_SHA512, name, strlen(name), &e.integrity);
	sum += strlen("sha512-");
	CHECK(
	    digest_parse_base64(DIGEST_SHA512, sum, strlen(sum), &e.pristine));
	CHECK_INT(npmfragment_make(
		      &t->manifest, &t->lock, name, version, &fragment, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	e.fragment = strbuf_detach(&fragment, NULL);
	patch_bed_add(bed, &e, patch, &file, 1);
}

static void
redirect(const struct patch_bed *bed, const struct texts *t)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_npmredirects struct npmredirects want = NPMREDIRECTS_INIT;

	CHECK_INT(bed->ledger.nr, 2);
	npmredirects_fill(&want, &bed->ledger);
	CHECK_STR(want.v[0].path, LIB_TAR);
	CHECK_STR(want.v[1].path, DEP_TAR);
	CHECK_INT(
	    npmredirect_set_manifest(&t->manifest, NULL, &want, &manifest, &dg),
	    0);
	CHECK_INT(npmredirect_set_lock(&t->lock, NULL, &want, &lock, &dg), 0);
	CHECK_STR(dg.message, NULL);
	patch_bed_put(bed->fd, "package.json", manifest.buf);
	patch_bed_put(bed->fd, "package-lock.json", lock.buf);
}

static void
open_texts(struct patch_bed *bed, const char *manifest, const char *lock)
{
	cleanup_strbuf struct strbuf one = STRBUF_INIT;
	cleanup_strbuf struct strbuf two = STRBUF_INIT;
	struct texts t;

	strbuf_addstr(&one, manifest);
	strbuf_addstr(&two, lock);
	t = (struct texts){ one, two };
	patch_bed_init(bed, "npm");
	add_entry(bed, "dep", "1.0.0", DEP_SUM, DEP_PATCH, &t);
	add_entry(bed, "@s/lib", "2.0.0", LIB_SUM, LIB_PATCH, &t);
	patch_bed_write_ledger(bed);
	redirect(bed, &t);
	CHECK_INT(mkdirat(bed->fd, "node_modules", 0700), 0);
	CHECK_INT(mkdirat(bed->fd, "sub", 0700), 0);
}

static void
bed_open(struct patch_bed *bed)
{
	open_texts(bed, MANIFEST_TEXT, LOCK_TEXT);
}

static void
run_rows(const struct patch_row *rows, size_t nr)
{
	patch_bed_rows(rows, nr, "npm", bed_open);
}

static void
test_in_sync(void)
{
	static const struct patch_row rows[] = {
		{ PUT, "other", "x", NULL, "" },
		{ PUT, ".npmrc", "registry=https://r.example/\n", NULL, "" },
		{ PUT, ".drydock/patches/npm/.x", "x", NULL, "" },
		{ DIRECTORY, ".drydock/patched/npm/.dep.a", NULL, NULL, "" },
		/* Of another package, of another version, and of a member. */
		{ EDIT, "package.json", "^3.0.0", "^3.1.0", "" },
		{ EDIT, "package.json", "\"@s/lib@2.0.0\"",
		    "\"x\": { \"y\": \"1\" },\n    \"@s/lib@2.0.0\"", "" },
		{ EDIT, "package.json", "\"name\"",
		    "\"workspaces\": [\"sub\"],\n  \"name\"", "" },
		{ PUT, "sub/package.json",
		    "{\"dependencies\": {\"dep\": \"1.0.0\"}}", NULL, "" },
		{ PUT, "sub/package-lock.json", "{", NULL, "" },
		{ PUT, "node_modules/.package-lock.json", "{", NULL, "" },
		{ FIFO, "node_modules/.package-lock.json", NULL, NULL, "" },
		{ FIFO, "sub/package-lock.json", NULL, NULL, "" },
		{ LINK, "node_modules", "/etc", NULL, "" },
		{ HUGE_FILE, "sub/package-lock.json", NULL, NULL, "" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void
test_copies(void)
{
	static const struct patch_row rows[] = {
		{ GONE, DEP_COPY, NULL, NULL,
		    "copy-missing " DEP DEP_COPY ": missing\n" },
		{ GONE, LIB_COPY ".files", NULL, NULL,
		    "copy-missing " LIB LIB_COPY ".files: missing\n" },
		{ GONE, ".drydock/patched", NULL, NULL,
		    "copy-missing " LIB LIB_COPY ": missing\n"
		    "copy-missing " DEP DEP_COPY ": missing\n" },
		{ PUT, LIB_TAR, "pitched", NULL,
		    "copy-changed " LIB LIB_TAR ": changed\n" },
		{ PUT, LIB_COPY "/x", "", NULL,
		    "copy-changed " LIB LIB_COPY
		    "/x: not a file of the patched package\n" },
		{ LINK, LIB_TAR, "../../x", NULL,
		    "copy-changed " LIB LIB_COPY
		    ": cannot be read: package.tar: it is neither a file nor a "
		    "directory\n" },
		{ FIFO, DEP_TAR, NULL, NULL,
		    "copy-changed " DEP DEP_COPY
		    ": cannot be read: package.tar: it is neither a file nor a "
		    "directory\n" },
		{ PUT, ".drydock/patched/npm/dep-1.0.0-460fc56f2568.files", "x",
		    NULL,
		    "copy-orphan " NONE ".drydock/patched/npm/"
		    "dep-1.0.0-460fc56f2568.files: not recorded\n" },
		{ DIRECTORY, ".drydock/patched/pip", NULL, NULL,
		    "copy-orphan " NONE ".drydock/patched/pip: not "
		    "recorded\n" },
		{ GONE, LIB_FILE, NULL, NULL,
		    "patch-missing " LIB LIB_FILE ": missing\n" },
		{ PUT, DEP_FILE, "x", NULL,
		    "patch-changed " DEP DEP_FILE
		    ": not the patch that .drydock/patches.json records\n" },
		{ PUT, ".drydock/patches/npm/@s+lib@2.0.1.patch", "x", NULL,
		    "patch-orphan " NONE ".drydock/patches/npm/"
		    "@s+lib@2.0.1.patch: not recorded\n" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

#define OVERRIDES(name, version, tar)                       \
	"block-missing " name " " version " package.json: " \
	"\"overrides\" does not lead " name "@" version " to " tar "\n"
#define DIRECT(tar)                                                     \
	"block-missing " DEP "package.json: \"dependencies\" does not " \
	"lead dep to " tar "\n"

static void
test_manifest(void)
{
	static const struct patch_row rows[] = {
		{ GONE, "package.json", NULL, NULL,
		    "block-missing " LIB "package.json: missing\n"
		    "block-missing " DEP "package.json: missing\n" },
		{ PUT, "package.json", "{}", NULL,
		    OVERRIDES("@s/lib", "2.0.0", LIB_TAR)
			OVERRIDES("dep", "1.0.0", DEP_TAR) },
		{ PUT, "package.json", MANIFEST_TEXT, NULL,
		    OVERRIDES("@s/lib", "2.0.0", LIB_TAR)
			OVERRIDES("dep", "1.0.0", DEP_TAR) DIRECT(DEP_TAR) },
		{ EDIT, "package.json", "\"dep\": \"file:" DEP_TAR "\"",
		    "\"dep\": \"1.0.0\"", DIRECT(DEP_TAR) },
		{ EDIT, "package.json", "\"dep\": \"file:" DEP_TAR "\"",
		    "\"dep\": \"latest\"", DIRECT(DEP_TAR) },
		{ EDIT, "package.json", "\"dep\": \"file:" DEP_TAR "\"",
		    "\"dep\": 1", DIRECT(DEP_TAR) },
		/* Without a direct one, or with one of another version. */
		{ EDIT, "package.json", "\"dep\": \"file:" DEP_TAR "\"",
		    "\"dep\": \"^2.0.0\"",
		    "block-foreign " NONE
		    "package.json: the redirects are not as drydock wrote them\n" },
		{ EDIT, "package.json", "\"dep\": \"file:" DEP_TAR "\",\n", "",
		    "" },
		{ EDIT, "package.json", "\"dependencies\"",
		    "\"devDependencies\": { \"dep\": \"1.x\" },\n"
		    "  \"dependencies\"",
		    "block-missing " DEP "package.json: \"devDependencies\" "
		    "does not lead dep to " DEP_TAR "\n" },
		{ EDIT, "package.json", "\"dep\": \"file:" DEP_TAR "\"",
		    "\"dep\": \"file:" LIB_TAR "\"",
		    "block-other " DEP "package.json: \"dependencies\" leads "
		    "dep to " LIB_TAR ", and not to " DEP_TAR "\n" },
		{ EDIT, "package.json", "\"@s/lib@2.0.0\"", "\"x@1.0.0\"",
		    OVERRIDES("@s/lib", "2.0.0",
			LIB_TAR) "block-orphan x 1.0.0 package.json: leads to " LIB_TAR
				 ", which is not recorded\n" },
		{ EDIT, "package.json", "\"@s/lib@2.0.0\": \"file:" LIB_TAR,
		    "\"@s/lib@2.0.0\": \"file:" DEP_TAR,
		    "block-other " LIB "package.json: \"overrides\" leads "
		    "@s/lib@2.0.0 to " DEP_TAR ", and not to " LIB_TAR "\n" },
		{ EDIT, "package.json", "\"@s/lib@2.0.0\"",
		    "\"\\u001b[x\": \"file:.drydock/patched/npm/\\u001b\",\n"
		    "    \"@s/lib@2.0.0\"",
		    "block-orphan " NONE "package.json: leads to "
		    ".drydock/patched/npm/\\033, which is not recorded\n" },
		{ EDIT, "package.json", "\"other\": \"^3.0.0\"",
		    "\"other\": \"file:.drydock/patched/npm/x\"",
		    "block-orphan other - package.json: leads to "
		    ".drydock/patched/npm/x, which is not recorded\n" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

#define WINS(key, name)                                                  \
	"package.json: \"overrides\" has \"" key "\", and npm may take " \
	"that instead of the patched " name "; remove it, or do not "    \
	"patch " name " here\n"
#define ADD_OVERRIDE(text)                        \
	EDIT, "package.json", "\"@s/lib@2.0.0\"", \
	    text ",\n    "                        \
		 "\"@s/lib@2.0.0\""

static void
test_conflicts(void)
{
	static const struct patch_row rows[] = {
		{ ADD_OVERRIDE("\"dep\": \"2.0.0\""),
		    "conflict " DEP WINS("dep", "dep") },
		{ ADD_OVERRIDE("\"x\": { \"@s/lib\": \"2.0.0\" }"),
		    "conflict " LIB WINS("@s/lib", "@s/lib") },
		{ ADD_OVERRIDE("\"x\": \"$dep\""),
		    "conflict " DEP WINS("x", "dep") },
		{ EDIT, "package.json", "\"@s/lib@2.0.0\": \"file:" LIB_TAR,
		    "\"@s/lib@2.0.0\": \"2.0.0",
		    "conflict " LIB WINS("@s/lib@2.0.0", "@s/lib") },
		{ EDIT, "package.json", "\"name\"",
		    "\"packageManager\": \"yarn@4\",\n  \"name\"",
		    "conflict " NONE "package.json: \"packageManager\" is "
		    "yarn@4, which does not use patches of npm; remove it, or "
		    "do not patch packages of npm here\n" },
		{ PUT, "npm-shrinkwrap.json", "", NULL,
		    "conflict " NONE "npm-shrinkwrap.json: npm reads this file "
		    "instead of package-lock.json; rename it to that, or do "
		    "not patch packages of npm here\n" },
		{ PUT, ".npmrc", "package-lock=false\n", NULL,
		    "conflict " NONE ".npmrc: has \"package-lock\", and npm "
		    "may ignore package-lock.json; remove it\n" },
		{ LINK, ".npmrc", "../../out", NULL,
		    "conflict " NONE ".npmrc: cannot be read: open .npmrc: "
		    "leaves the directory\n" },
		{ FIFO, ".npmrc", NULL, NULL,
		    "conflict " NONE ".npmrc: cannot be read: .npmrc: not a "
		    "regular file\n" },
		{ HUGE_FILE, ".npmrc", NULL, NULL,
		    "conflict " NONE ".npmrc: cannot be read: .npmrc: larger "
		    "than 1048576 bytes\n" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

#define LIB_ENTRY "\"node_modules/@s/lib\": {\n      \"version\": \"2.0.0\",\n"
#define LIB_RESOLVED "\"resolved\": \"file:" LIB_TAR "\""

static void
test_lock(void)
{
	static const struct patch_row rows[] = {
		{ GONE, "package-lock.json", NULL, NULL,
		    "lock-other-version " LIB "package-lock.json: missing\n"
		    "lock-other-version " DEP "package-lock.json: missing\n" },
		{ PUT, "package-lock.json", LOCK_TEXT, NULL,
		    "lock-original " LIB "package-lock.json: leads to the "
		    "original of @s/lib 2.0.0\n"
		    "lock-original " DEP "package-lock.json: leads to the "
		    "original of dep 1.0.0\n" },
		{ EDIT, "package-lock.json", LIB_ENTRY,
		    "\"node_modules/@s/lib\": {\n      \"version\": "
		    "\"2.0.1\",\n",
		    "lock-other-version " LIB "package-lock.json: has @s/lib "
		    "2.0.1, and not 2.0.0\n"
		    "block-orphan @s/lib 2.0.1 package-lock.json: leads to " LIB_TAR
		    ", which is not recorded\n" },
		{ EDIT, "package-lock.json", "\"node_modules/@s/lib\"",
		    "\"node_modules/@t/lib\"",
		    "lock-other-version " LIB "package-lock.json: does not "
		    "have @s/lib\n"
		    "block-orphan @t/lib 2.0.0 package-lock.json: leads to " LIB_TAR
		    ", which is not recorded\n" },
		{ EDIT, "package-lock.json", LIB_RESOLVED,
		    "\"resolved\": \"" LIB_URL "\"",
		    "lock-other-source " LIB "package-lock.json: has another "
		    "integrity of @s/lib 2.0.0 than .drydock/patches.json\n" },
		{ EDIT, "package-lock.json", LIB_RESOLVED,
		    "\"resolved\": \"git+ssh://x\"",
		    "lock-other-source " LIB "package-lock.json: has @s/lib "
		    "2.0.0 otherwise: node_modules/@s/lib is not from a "
		    "registry\n" },
		{ EDIT, "package-lock.json", LIB_RESOLVED, "\"inBundle\": true",
		    "lock-other-source " LIB "package-lock.json: has @s/lib "
		    "2.0.0 otherwise: node_modules/@s/lib is bundled with "
		    "another package\n" },
		{ EDIT, "package-lock.json", LIB_RESOLVED, "\"name\": \"x\"",
		    "lock-other-source " LIB "package-lock.json: has @s/lib "
		    "2.0.0 otherwise: node_modules/@s/lib is an alias\n" },
		{ EDIT, "package-lock.json", LIB_RESOLVED,
		    "\"resolved\": \"file:" DEP_TAR "\"",
		    "block-other " LIB "package-lock.json: leads @s/lib 2.0.0 "
		    "to " DEP_TAR ", and not to " LIB_TAR "\n" },
		{ EDIT, "package-lock.json", LIB_RESOLVED ",",
		    LIB_RESOLVED ", \"integrity\": \"" DEP_SUM "\" }, \"x\": {",
		    "block-other " LIB "package-lock.json: has another "
		    "integrity of the patched @s/lib 2.0.0 than "
		    ".drydock/patches.json\n" },
		{ EDIT, "package-lock.json", LIB_ENTRY,
		    ENTRY("node_modules/other/node_modules/@s/lib", "2.0.0",
			LIB_URL, LIB_SUM) "},\n    " LIB_ENTRY,
		    "lock-twice " LIB "package-lock.json: has @s/lib 2.0.0 "
		    "otherwise: node_modules/@s/lib differs from another "
		    "entry of it\n" },
		/* The project's own dependencies, as the lock has them. */
		{ EDIT, "package-lock.json", "\"dep\": \"file:" DEP_TAR "\"",
		    "\"dep\": \"^1.0.0\"",
		    "block-foreign " NONE "package-lock.json: the redirects "
		    "are not as drydock wrote them\n" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

/* npm 6 reads a tree of its own in a lock of version 2. */
static void
test_legacy_tree(void)
{
	cleanup_patch_bed struct patch_bed bed;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *in_sync = NULL;
	cleanup_free char *got = NULL;

	strbuf_addstr(&text, LOCK_TEXT);
	text.buf[strcspn(text.buf, "3")] = '2';
	strbuf_setlen(&text, text.len - strlen("}\n"));
	strbuf_addstr(&text,
	    ",\n  \"dependencies\": { \"dep\": { \"version\": \"1.0.0\",\n"
	    "    \"resolved\": \"" DEP_URL "\",\n    \"dev\": true, "
	    "\"integrity\": \"" DEP_SUM "\" } }\n}\n");
	open_texts(&bed, MANIFEST_TEXT, text.buf);
	in_sync = patch_bed_check(&bed, "npm");
	CHECK_STR(in_sync, "");
	patch_bed_edit(&bed, "package-lock.json",
	    "\"dev\": true, \"integrity\": \"sha512-",
	    "\"dev\": true, \"integrity\": \"sha511-");
	got = patch_bed_check(&bed, "npm");
	CHECK_STR(got,
	    "block-foreign " NONE "package-lock.json: the redirects are not as "
	    "drydock wrote them\n");
}

/* 3: DIAG_DATA, 6: DIAG_IO, 9: DIAG_CONFIG */
static void
test_cannot_judge(void)
{
	static const struct patch_row rows[] = {
		{ LINK, "package.json", "aside", NULL,
		    "6 open package.json: a symbolic link is in the way" },
		{ FIFO, "package.json", NULL, NULL,
		    "6 package.json: not a regular file" },
		{ HUGE_FILE, "package.json", NULL, NULL,
		    "3 package.json: larger than 4194304 bytes" },
		{ PUT, "package.json", "[]", NULL,
		    "3 package.json: not an object" },
		{ LINK, "package-lock.json", "aside", NULL,
		    "6 open package-lock.json: a symbolic link is in the way" },
		{ FIFO, "package-lock.json", NULL, NULL,
		    "6 package-lock.json: not a regular file" },
		{ HUGE_FILE, "package-lock.json", NULL, NULL,
		    "3 package-lock.json: larger than 33554432 bytes" },
		{ EDIT, "package-lock.json", "\"lockfileVersion\": 3",
		    "\"lockfileVersion\": 1",
		    "3 package-lock.json: lockfileVersion is not 2 or 3" },
		{ EDIT, "package-lock.json", "node_modules/other",
		    "node_modules/../other",
		    "3 package-lock.json: node_modules/../other: not a path "
		    "below the project" },
	};

	run_rows(rows, ARRAY_SIZE(rows));
}

static void
test_unreadable(void)
{
	static const char *const paths[] = { "package.json",
		"package-lock.json", ".drydock", PATCHLEDGER_PATH, DEP_FILE,
		".drydock/patches", ".drydock/patches/npm", ".drydock/patched",
		".drydock/patched/npm", DEP_COPY, DEP_COPY ".files", DEP_TAR };

	patch_bed_unreadable(paths, ARRAY_SIZE(paths), "npm", bed_open);
}

#define BELOW(name)                                                         \
	"note: sub/package-lock.json has " name " from the registry: its "  \
	"directory is a project of its own, which the patch here does not " \
	"change\n"
#define INSTALLED(name)                                                     \
	"note: node_modules has " name " without the patch; run \"npm ci\"" \
	" in a session\n"

/* What is in sync, and good to know. */
static void
test_notes(void)
{
	static const struct patch_row rows[] = {
		{ PUT, "sub/package-lock.json", LOCK_TEXT, NULL,
		    BELOW("@s/lib 2.0.0") BELOW("dep 1.0.0") },
		{ PUT, "node_modules/package-lock.json", LOCK_TEXT, NULL, "" },
		{ PUT, "node_modules/.package-lock.json", LOCK_TEXT, NULL,
		    INSTALLED("@s/lib 2.0.0") INSTALLED("dep 1.0.0") },
		{ PUT, "yarn.lock", "", NULL,
		    "note: yarn.lock is of another package manager, which does "
		    "not use the patches of npm\n" },
		{ LINK, "pnpm-lock.yaml", "/nowhere", NULL,
		    "note: pnpm-lock.yaml is of another package manager, which "
		    "does not use the patches of npm\n" },
	};
	cleanup_patch_bed struct patch_bed bed;
	cleanup_free char *text = NULL;
	cleanup_free char *got = NULL;

	run_rows(rows, ARRAY_SIZE(rows));
	/* What npm writes after it has installed the copies. */
	bed_open(&bed);
	text = tree_get(bed.fd, "package-lock.json");
	patch_bed_put(bed.fd, "node_modules/.package-lock.json", text);
	patch_bed_put(bed.fd, "sub/package-lock.json", text);
	got = patch_bed_check(&bed, "npm");
	CHECK_STR(got, "");
}

/* An integrity in the ledger that is not the copy's leads npm elsewhere. */
static void
test_forged_integrity(void)
{
	cleanup_patch_bed struct patch_bed bed;
	cleanup_free char *got = NULL;
	cleanup_strbuf struct strbuf old = STRBUF_INIT;

	bed_open(&bed);
	digest_add_base64(&old, &bed.ledger.v[1].integrity);
	patch_bed_edit(
	    &bed, PATCHLEDGER_PATH, old.buf, strchr(DEP_SUM, '-') + 1);
	patch_bed_edit(
	    &bed, "package-lock.json", old.buf, strchr(DEP_SUM, '-') + 1);
	got = patch_bed_check(&bed, "npm");
	CHECK_STR(got,
	    "conflict " DEP ".drydock/patches.json: has another integrity of "
	    "the patched dep 1.0.0 than its copy; restore this file, or remove "
	    "the patch and make it again\n");
}

static void
test_bounded(void)
{
	cleanup_strbuf struct strbuf overrides = STRBUF_INIT;
	cleanup_strbuf struct strbuf entries = STRBUF_INIT;
	cleanup_patch_bed struct patch_bed bed;
	cleanup_patch_bed struct patch_bed lock;

	for (int n = 0; n < PATCHCHECK_MAX + 1; n++) {
		strbuf_addf(&overrides,
		    "\"x%d@1.0.0\": \"file:.drydock/patched/npm/x\",\n", n);
		strbuf_addf(&entries,
		    "\"node_modules/x%d\": { \"version\": \"1.0.0\", "
		    "\"resolved\": \"file:.drydock/patched/npm/x\" },\n",
		    n);
	}
	strbuf_addstr(&overrides, "\"@s/lib@2.0.0\"");
	strbuf_addstr(&entries, "\"node_modules/@s/lib\"");
	bed_open(&bed);
	patch_bed_edit(&bed, "package.json", "\"@s/lib@2.0.0\"", overrides.buf);
	patch_bed_check_full(&bed);
	bed_open(&lock);
	patch_bed_edit(
	    &lock, "package-lock.json", "\"node_modules/@s/lib\"", entries.buf);
	patch_bed_check_full(&lock);
}

static void
test_without_ledger(void)
{
	cleanup_patch_bed struct patch_bed bed;
	cleanup_free char *got = NULL;

	bed_open(&bed);
	CHECK_INT(unlinkat(bed.fd, PATCHLEDGER_PATH, 0), 0);
	/* This is read for the ledger's patches alone. */
	patch_bed_put(bed.fd, ".npmrc", "package-lock=false");
	got = patch_bed_check(&bed, "npm");
	CHECK_STR(got,
	    "block-orphan " DEP "package.json: leads to " DEP_TAR
	    ", which is not recorded\n"
	    "block-orphan " LIB "package.json: leads to " LIB_TAR
	    ", which is not recorded\n"
	    "block-orphan dep - package.json: leads to " DEP_TAR
	    ", which is not recorded\n"
	    "block-orphan " LIB "package-lock.json: leads to " LIB_TAR
	    ", which is not recorded\n"
	    "block-orphan " DEP "package-lock.json: leads to " DEP_TAR
	    ", which is not recorded\n"
	    "patch-orphan " NONE LIB_FILE ": not recorded\n"
	    "patch-orphan " NONE DEP_FILE ": not recorded\n"
	    "copy-orphan " NONE LIB_COPY ": not recorded\n"
	    "copy-orphan " NONE LIB_COPY ".files: not recorded\n"
	    "copy-orphan " NONE DEP_COPY ": not recorded\n"
	    "copy-orphan " NONE DEP_COPY ".files: not recorded\n");
}

/* Without patches of npm's, its files are not judged. */
static void
test_other_files(void)
{
	static const struct patch_row rows[] = {
		{ PUT, "package.json", "{", NULL, "" },
		{ PUT, "package-lock.json", "{", NULL, "" },
		{ LINK, "package.json", "aside", NULL, "" },
		{ FIFO, "package-lock.json", NULL, NULL, "" },
		{ HUGE_FILE, "package-lock.json", NULL, NULL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_patch_bed struct patch_bed bed;
		cleanup_free char *got = NULL;

		patch_bed_init(&bed, "npm");
		patch_bed_put(bed.fd, "package.json", MANIFEST_TEXT);
		patch_bed_put(bed.fd, "package-lock.json", LOCK_TEXT);
		patch_bed_spoil(&bed, &rows[i]);
		got = patch_bed_check(&bed, "npm");
		CHECK_STR(got, rows[i].want);
	}
}

static void
test_mend(void)
{
	static const struct {
		enum patchcheck_kind kind;
		const char *want;
	} rows[] = {
		{ PATCHCHECK_COPY_MISSING, "drydock patch apply" },
		{ PATCHCHECK_PATCH_MISSING,
		    "drydock patch remove @s/lib@2.0.0" },
		{ PATCHCHECK_PATCH_CHANGED, "drydock patch seal" },
		{ PATCHCHECK_BLOCK_OTHER, "drydock patch apply" },
		/* The values that stood there are not known. */
		{ PATCHCHECK_BLOCK_ORPHAN, "drydock patch check" },
		{ PATCHCHECK_LOCK_ORIGINAL, "drydock patch apply" },
		{ PATCHCHECK_LOCK_TWICE, "drydock patch remove @s/lib@2.0.0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char ecosystem[] = "npm";
		char name[] = "@s/lib";
		char version[] = "2.0.0";
		const struct patchcheck_finding finding = {
			.kind = rows[i].kind,
			.ecosystem = ecosystem,
			.name = name,
			.version = version,
		};
		cleanup_free char *mend = patchcheck_mend(&finding);

		CHECK_STR(mend, rows[i].want);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a project in sync has no finding", test_in_sync },
		{ "copies and patches that are not the recorded ones are found",
		    test_copies },
		{ "redirects in package.json that are not the ledger's are "
		  "found",
		    test_manifest },
		{ "what wins over the redirects is found", test_conflicts },
		{ "a lock that does not use the patch is found", test_lock },
		{ "the tree for npm 6 is compared, too", test_legacy_tree },
		{ "what cannot be judged is a failure", test_cannot_judge },
		{ "what cannot be read is never in sync", test_unreadable },
		{ "what npm has to do again is noted", test_notes },
		{ "a forged integrity is found", test_forged_integrity },
		{ "the findings are bounded", test_bounded },
		{ "without a ledger all else is an orphan",
		    test_without_ledger },
		{ "files without patches are not judged", test_other_files },
		{ "the command that mends names the package", test_mend },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
