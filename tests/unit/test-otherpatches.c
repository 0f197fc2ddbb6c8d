/* SPDX-License-Identifier: MIT */
/*
 * The patches of pnpm and yarn.  The files are as pnpm 8, 9, 10 and 12, and
 * yarn 3.2, 3.8 and 4.18 wrote them, with fewer packages.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/otherpatches.h"
#include "deps/patchcheck.h"
#include "deps/pnpmlock.h"
#include "deps/yamlread.h"
#include "deps/yarnlock.h"
#include "deps/yarnpatch.h"
#include "tree-kit.h"

#define PATCH_TEXT                                           \
	"diff --git a/package.json.txt b/package.json.txt\n" \
	"new file mode 100644\n"                             \
	"index 0000000000000000000000000000000000000000.."   \
	"d14799623cc21668db450dc4becc90421d1a44da\n"         \
	"--- /dev/null\n"                                    \
	"+++ b/package.json.txt\n"                           \
	"@@ -0,0 +1 @@\n"                                    \
	"+// patched\n"
#define PATCH_CRLF                                             \
	"diff --git a/package.json.txt b/package.json.txt\r\n" \
	"new file mode 100644\r\n"                             \
	"index 0000000000000000000000000000000000000000.."     \
	"d14799623cc21668db450dc4becc90421d1a44da\r\n"         \
	"--- /dev/null\r\n"                                    \
	"+++ b/package.json.txt\r\n"                           \
	"@@ -0,0 +1 @@\r\n"                                    \
	"+// patched\r\n"
#define PATCH_SHA256 \
	"6c675ab07a8ae9410e0bf7bfa65912b7071d3f2ccc72fa0185539cef79ddb134"
#define PATCH_MD5 "lrkytv637mmqzmqdk2nz3kcvri"

#define PNPM_MANIFEST                                          \
	"{\n  \"name\": \"app\",\n  \"version\": \"1.0.0\",\n" \
	"  \"dependencies\": {\n    \"@types/estree\": \"1.0.0\"\n  }"
#define PNPM_FIELD                                           \
	",\n  \"pnpm\": {\n    \"patchedDependencies\": {\n" \
	"      \"@types/estree@1.0.0\": "                    \
	"\"patches/@types__estree@1.0.0.patch\"\n    }\n  }\n}\n"
#define PNPM_PATCH "patches/@types__estree@1.0.0.patch"
#define PNPM_WORKSPACE           \
	"patchedDependencies:\n" \
	"  '@types/estree': patches/@types__estree.patch\n"
#define PNPM_WORKSPACE_PATCH "patches/@types__estree.patch"

/* Of pnpm 8 */
#define PNPM_LOCK6                                                          \
	"lockfileVersion: '6.0'\n\nsettings:\n  autoInstallPeers: true\n\n" \
	"patchedDependencies:\n  '@types/estree@1.0.0':\n"                  \
	"    hash: " PATCH_MD5 "\n"                                         \
	"    path: patches/@types__estree@1.0.0.patch\n\n"                  \
	"dependencies:\n  '@types/estree':\n    specifier: 1.0.0\n"         \
	"    version: 1.0.0(patch_hash=" PATCH_MD5 ")\n\n"                  \
	"packages:\n\n"                                                     \
	"  /@types/estree@1.0.0(patch_hash=" PATCH_MD5 "):\n"               \
	"    resolution: {integrity: sha512-WulqXMDUTYAXCjZnk6JtIHPigp55"   \
	"cVtDgDrO2gHRwhyJto21+1zbVCtOYB2L1F9w4qCQ0rOGWBnBe0FNTiEJIQ==}\n"   \
	"    dev: false\n    patched: true\n"
#define PNPM_LOCK_TAIL(hash)                                                \
	"importers:\n\n  .:\n    dependencies:\n"                           \
	"      '@types/estree':\n        specifier: 1.0.0\n"                \
	"        version: 1.0.0(patch_hash=" hash ")\n\n"                   \
	"packages:\n\n  '@types/estree@1.0.0':\n"                           \
	"    resolution: {integrity: sha512-WulqXMDUTYAXCjZnk6JtIHPigp55"   \
	"cVtDgDrO2gHRwhyJto21+1zbVCtOYB2L1F9w4qCQ0rOGWBnBe0FNTiEJIQ==}\n\n" \
	"snapshots:\n\n"                                                    \
	"  '@types/estree@1.0.0(patch_hash=" hash ")': {}\n"
/* Of pnpm 9 (with MD5) and pnpm 10 */
#define PNPM_LOCK9(key, hash, path)                                         \
	"lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n\n" \
	"patchedDependencies:\n  '" key "':\n    hash: " hash "\n"          \
	"    path: " path "\n\n" PNPM_LOCK_TAIL(hash)
/* Of pnpm 12, with the document that is for pnpm itself */
#define PNPM_LOCK12                                                          \
	"---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .:\n"                \
	"    configDependencies:\n      is-number:\n"                        \
	"        specifier: 7.0.0\n        version: 7.0.0\n\n"               \
	"packages:\n\n  is-number@7.0.0:\n    engines: {node: '>=0.12'}\n\n" \
	"snapshots:\n\n  is-number@7.0.0: {}\n\n"                            \
	"---\nlockfileVersion: '9.0'\n\n"                                    \
	"patchedDependencies:\n"                                             \
	"  '@types/estree': " PATCH_SHA256 "\n\n" PNPM_LOCK_TAIL(PATCH_SHA256)

#define YARN_PATCH ".yarn/patches/is-number-npm-6.0.0-30881e83e6.patch"
#define YARN_RANGE "patch:is-number@npm%3A6.0.0#~/" YARN_PATCH
#define YARN_MANIFEST                                             \
	"{\n  \"name\": \"app\",\n  \"dependencies\": {\n"        \
	"    \"is-odd\": \"3.0.1\"\n  },\n  \"resolutions\": {\n" \
	"    \"is-number@npm:^6.0.0\": \"" YARN_RANGE "\"\n  }\n}\n"
#define YARN_HEAD(version)                                              \
	"# This file is generated by running \"yarn install\" inside "  \
	"your project.\n# Manual changes might be lost - proceed with " \
	"caution!\n\n__metadata:\n  version: " version "\n"             \
	"  cacheKey: 10c0\n\n"
#define YARN_TAIL                                                       \
	"\"app@workspace:.\":\n  version: 0.0.0-use.local\n"            \
	"  resolution: \"app@workspace:.\"\n  dependencies:\n"          \
	"    is-odd: \"npm:3.0.1\"\n  languageName: unknown\n"          \
	"  linkType: soft\n\n"                                          \
	"\"is-number@npm:6.0.0\":\n  version: 6.0.0\n"                  \
	"  resolution: \"is-number@npm:6.0.0\"\n  languageName: node\n" \
	"  linkType: hard\n\n"
#define YARN_ENTRY(range, params, version, hash, more)          \
	"\"is-number@" range params "\":\n  version: 6.0.0\n"   \
	"  resolution: \"is-number@" range "::version=" version \
	"&hash=" hash more "\"\n  languageName: node\n  linkType: hard\n"
/* Of yarn 4.18; what comes with yarn is no patch of the project. */
#define YARN_LOCK                                                            \
	YARN_HEAD("10")                                                      \
	YARN_TAIL YARN_ENTRY(YARN_RANGE, "", "6.0.0", "323242",              \
	    "") "\n\"typescript@patch:typescript@npm%3A5.0.4#"               \
		"optional!builtin<compat/typescript>\":\n  version: 5.0.4\n" \
		"  resolution: \"typescript@patch:typescript@npm%3A5.0.4#"   \
		"optional!builtin<compat/typescript>::version=5.0.4&"        \
		"hash=b5f058\"\n  languageName: node\n  linkType: hard\n"
/* Of yarn 3, which has relative paths */
#define YARN3_RANGE "patch:is-number@npm%3A6.0.0#./" YARN_PATCH
#define YARN3_LOCK(hash)                                                   \
	YARN_HEAD("6")                                                     \
	YARN_TAIL YARN_ENTRY(YARN3_RANGE, "::locator=app%40workspace%3A.", \
	    "6.0.0", hash, "&locator=app%40workspace%3A.")

/* Prints what a check of an ecosystem finds: "KIND PATH: TEXT" in lines. */
static char *
findings(int fd, const char *ecosystem)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchcheck struct patchcheck c = PATCHCHECK_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (otherpatches_find(ecosystem)->check(fd, &c, &dg) != 0) {
		strbuf_addf(&out, "%d %s", diag_exit_status(&dg), dg.message);
		return strbuf_detach(&out, NULL);
	}
	strbuf_addf(&out, "%zu", c.nothers);
	for (size_t i = 0; i < c.nr; i++) {
		cleanup_free char *mend = patchcheck_mend(&c.v[i]);

		CHECK_STR(c.v[i].ecosystem, ecosystem);
		strbuf_addf(&out, "\n%s %s: %s [%s]",
		    patchcheck_kind_name(c.v[i].kind), c.v[i].path, c.v[i].text,
		    mend);
	}
	for (size_t i = 0; i < c.notes.nr; i++)
		strbuf_addf(&out, "\nnote %s", c.notes.v[i]);
	return strbuf_detach(&out, NULL);
}

#define CHECK_FINDS(fd, ecosystem, want)                            \
	do {                                                        \
		cleanup_free char *found = findings(fd, ecosystem); \
		CHECK_STR(found, want);                             \
	} while (0)
#define CHECK_PNPM(fd, want) CHECK_FINDS(fd, "pnpm", want)
#define CHECK_YARN(fd, want) CHECK_FINDS(fd, "yarn", want)

/* A project of pnpm 9, in sync. */
static int
make_pnpm(void)
{
	int fd = tree_open();

	tree_put(fd, "package.json", PNPM_MANIFEST PNPM_FIELD);
	tree_put_below(fd, PNPM_PATCH, PATCH_TEXT);
	tree_put(fd, "pnpm-lock.yaml",
	    PNPM_LOCK9("@types/estree@1.0.0", PATCH_MD5, PNPM_PATCH));
	return fd;
}

/* A project of pnpm 12, in sync. */
static int
make_pnpm12(void)
{
	int fd = tree_open();

	tree_put(fd, "package.json", PNPM_MANIFEST "\n}\n");
	tree_put(fd, "pnpm-workspace.yaml", PNPM_WORKSPACE);
	tree_put_below(fd, PNPM_WORKSPACE_PATCH, PATCH_TEXT);
	tree_put(fd, "pnpm-lock.yaml", PNPM_LOCK12);
	return fd;
}

static void
pnpm_in_sync(void)
{
	cleanup_close int fd = make_pnpm();

	CHECK_PNPM(fd, "1");
	tree_put(fd, "pnpm-lock.yaml", PNPM_LOCK6);
	CHECK_PNPM(fd, "1");
	tree_put(fd, "pnpm-lock.yaml",
	    PNPM_LOCK9("@types/estree@1.0.0", PATCH_SHA256, PNPM_PATCH));
	CHECK_PNPM(fd, "1");
	/* git may have made it CRLF. */
	tree_put_below(fd, PNPM_PATCH, PATCH_CRLF);
	CHECK_PNPM(fd, "1");
	tree_put(fd, "pnpm-lock.yaml", PNPM_LOCK6);
	CHECK_PNPM(fd, "1");
}

static void
pnpm_late_in_sync(void)
{
	cleanup_close int fd = make_pnpm12();

	CHECK_PNPM(fd, "1");
	tree_put(fd, "pnpm-workspace.yaml",
	    "# a comment\npackages:\n  - 'packages/*'\n"
	    "patchedDependencies: { \"@types/estree\": "
	    "\"./patches/@types__estree.patch\" } # one\n");
	CHECK_PNPM(fd, "1");
}

static void
pnpm_no_patches(void)
{
	cleanup_close int fd = tree_open();

	CHECK_PNPM(fd, "0");
	/* Not pnpm's to judge. */
	tree_put(fd, "package.json", "{");
	CHECK_PNPM(fd, "0");
	tree_put(fd, "package.json", PNPM_MANIFEST "}");
	tree_put(fd, "pnpm-workspace.yaml", "patchedDependencies:\n");
	CHECK_PNPM(fd, "0");
	tree_put(fd, "pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
	CHECK_PNPM(fd, "0");
}

static void
pnpm_patch_file(void)
{
	cleanup_close int fd = make_pnpm();

	tree_put_below(fd, PNPM_PATCH, PATCH_TEXT "\n");
	CHECK_PNPM(fd,
	    "1\npatch-changed " PNPM_PATCH
	    ": not the patch that pnpm-lock.yaml has [pnpm install]");
	(void)unlinkat(fd, PNPM_PATCH, 0);
	CHECK_PNPM(fd,
	    "1\npatch-missing " PNPM_PATCH
	    ": missing [pnpm patch-remove @types/estree@1.0.0]");
	CHECK_INT(symlinkat("/dev/null", fd, PNPM_PATCH), 0);
	CHECK_PNPM(fd,
	    "1\npatch-changed " PNPM_PATCH ": cannot be read: open " PNPM_PATCH
	    ": a symbolic link is in the way [pnpm install]");
}

static void
pnpm_lock_without(void)
{
	cleanup_close int fd = make_pnpm();

	tree_put(fd, "pnpm-lock.yaml",
	    "lockfileVersion: '9.0'\n\npackages:\n\n"
	    "  '@types/estree@1.0.0':\n    dev: false\n");
	CHECK_PNPM(fd,
	    "1\nlock-original pnpm-lock.yaml: does not have the patch of "
	    "@types/estree@1.0.0 that package.json has [pnpm install]");
	(void)unlinkat(fd, "pnpm-lock.yaml", 0);
	CHECK_PNPM(
	    fd, "1\nlock-original pnpm-lock.yaml: missing [pnpm install]");
	tree_put(fd, "pnpm-lock.yaml",
	    PNPM_LOCK9("@types/estree@1.0.0", PATCH_MD5, "other.patch"));
	CHECK_PNPM(fd,
	    "1\nlock-other-source pnpm-lock.yaml: has other.patch as the "
	    "patch of @types/estree@1.0.0, and not the one of package.json "
	    "[pnpm install]");
}

static void
pnpm_unused(void)
{
	cleanup_close int fd = make_pnpm();

	tree_put(fd, "pnpm-lock.yaml",
	    "lockfileVersion: '9.0'\npatchedDependencies:\n"
	    "  '@types/estree@1.0.0':\n    hash: " PATCH_MD5 "\n"
	    "    path: " PNPM_PATCH "\n"
	    "snapshots:\n\n  '@types/estree@1.0.1': {}\n"
	    "  'other@1.0.0(patch_hash=" PATCH_MD5 ")': {}\n");
	CHECK_PNPM(fd,
	    "1\nlock-other-version pnpm-lock.yaml: has no package that the "
	    "patch of @types/estree@1.0.0 changes "
	    "[pnpm patch-remove @types/estree@1.0.0]");
}

/* A name of the project's does not get into a command that people copy. */
static void
pnpm_name_no_word(void)
{
	cleanup_close int fd = make_pnpm();

	(void)unlinkat(fd, "pnpm-lock.yaml", 0);
	(void)unlinkat(fd, PNPM_PATCH, 0);
	tree_put(fd, "package.json",
	    "{\"pnpm\":{\"patchedDependencies\":{"
	    "\"a;b\":\"a\",\"c@1 || 2\":\"c\",\"-d\":\"d\",\"@e/e\":\"e\"}}}");
	CHECK_PNPM(fd,
	    "4\npatch-missing a: missing [pnpm patch-remove NAME]\n"
	    "lock-original pnpm-lock.yaml: missing [pnpm install]\n"
	    "patch-missing c: missing [pnpm patch-remove NAME]\n"
	    "lock-original pnpm-lock.yaml: missing [pnpm install]\n"
	    "patch-missing d: missing [pnpm patch-remove NAME]\n"
	    "lock-original pnpm-lock.yaml: missing [pnpm install]\n"
	    "patch-missing e: missing [pnpm patch-remove @e/e]\n"
	    "lock-original pnpm-lock.yaml: missing [pnpm install]");
}

static void
pnpm_orphans(void)
{
	cleanup_close int fd = make_pnpm();

	tree_put_below(fd, "patches/old\033.patch", PATCH_TEXT);
	tree_put_below(fd, "patches/README.md", "text");
	CHECK_PNPM(fd,
	    "1\nnote patches/old\\033.patch is a patch that no manifest has");
	tree_put(fd, "package.json", PNPM_MANIFEST "}");
	CHECK_PNPM(fd,
	    "0\nlock-orphan pnpm-lock.yaml: has a patch of "
	    "@types/estree@1.0.0, which neither package.json nor "
	    "pnpm-workspace.yaml has [pnpm install]\n"
	    "note " PNPM_PATCH " is a patch that no manifest has\n"
	    "note patches/old\\033.patch is a patch that no manifest has");
}

/* pnpm 11 reads pnpm-workspace.yaml alone, and says nothing. */
static void
pnpm_manifest_unread(void)
{
	cleanup_close int fd = make_pnpm12();

	tree_put(fd, "package.json",
	    "{\"pnpm\":{\"patchedDependencies\":{\"is-odd\":\"" PNPM_WORKSPACE_PATCH
	    "\",\"@types/estree\":\"old.patch\"}}}");
	CHECK_PNPM(fd,
	    "2\nlock-original package.json: pnpm 11 and later do not read "
	    "\"pnpm\" of this file: move the patch of is-odd to "
	    "pnpm-workspace.yaml [pnpm install]");
}

/* pnpm 10 reads both, and takes package.json's. */
static void
pnpm_both_files(void)
{
	cleanup_close int fd = make_pnpm();

	tree_put(fd, "pnpm-workspace.yaml",
	    "patchedDependencies:\n  '@types/estree@1.0.0': other.patch\n"
	    "  is-odd: more.patch\n");
	tree_put(fd, "more.patch", PATCH_TEXT);
	CHECK_PNPM(fd,
	    "2\nlock-original pnpm-lock.yaml: does not have the patch of "
	    "is-odd that pnpm-workspace.yaml has [pnpm install]");
}

static void
pnpm_unreadable(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "", "65 pnpm-lock.yaml: no lockfileVersion" },
		{ "[]", "65 pnpm-lock.yaml: line 1: no mapping at the top" },
		{ "a: {",
		    "65 pnpm-lock.yaml: line 2: did not find expected node "
		    "content" },
		{ "lockfileVersion: '9.0'\n<<<<<<< HEAD\na: b\n",
		    "65 pnpm-lock.yaml: line 3: could not find expected ':'" },
		{ "lockfileVersion: '5.4'\n",
		    "78 pnpm-lock.yaml: lockfileVersion 5.4 is not known to "
		    "this version of drydock; 6 and 9 are" },
		{ "lockfileVersion: '10.0'\n",
		    "78 pnpm-lock.yaml: lockfileVersion 10.0 is not known to "
		    "this version of drydock; 6 and 9 are" },
		{ "lockfileVersion: {}\n",
		    "65 pnpm-lock.yaml: line 1: a bad lockfileVersion" },
		{ "lockfileVersion: '9.0'\nlockfileVersion: '9.0'\n",
		    "65 pnpm-lock.yaml: line 2: a bad lockfileVersion" },
		{ "lockfileVersion: '9.0'\n---\na: b\n",
		    "65 pnpm-lock.yaml: no lockfileVersion" },
		{ "lockfileVersion: '9.0'\npatchedDependencies:\n  a: b\n",
		    "65 pnpm-lock.yaml: line 3: not the hash of a patch" },
		{ "lockfileVersion: '9.0'\npatchedDependencies:\n"
		  "  a: {path: x}\n",
		    "65 pnpm-lock.yaml: a has no hash" },
		{ "lockfileVersion: '9.0'\npatchedDependencies:\n"
		  "  a: " PATCH_SHA256 "\n  a: " PATCH_SHA256 "\n",
		    "65 pnpm-lock.yaml: line 4: a patch that occurs twice" },
		{ "x: &a {}\nlockfileVersion: '9.0'\n"
		  "patchedDependencies: *a\n",
		    "65 pnpm-lock.yaml: line 3: patchedDependencies is no "
		    "mapping" },
		{ "x: &a {}\nlockfileVersion: '9.0'\n<<: *a\n",
		    "65 pnpm-lock.yaml: line 3: a merge key" },
		{ "lockfileVersion: '9.0'\n[a]: b\n",
		    "65 pnpm-lock.yaml: line 2: a key that is not a text" },
		{ "lockfileVersion: '9.0'\na: \xff\n",
		    "65 pnpm-lock.yaml: not UTF-8" },
	};
	cleanup_close int fd = make_pnpm();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_put(fd, "pnpm-lock.yaml", cases[i].text);
		CHECK_PNPM(fd, cases[i].want);
	}
}

static void
pnpm_bad_manifest(void)
{
	cleanup_close int fd = make_pnpm();

	tree_put(fd, "package.json",
	    "{\"pnpm\":{\"patchedDependencies\":{"
	    "\"a\":1}}}");
	CHECK_PNPM(
	    fd, "65 package.json: patchedDependencies is not paths by name");
	tree_put(fd, "package.json", "{}");
	tree_put(fd, "pnpm-workspace.yaml", "patchedDependencies: [a]\n");
	CHECK_PNPM(fd,
	    "65 pnpm-workspace.yaml: line 1: patchedDependencies is not paths "
	    "by name");
	tree_put(fd, "pnpm-workspace.yaml",
	    "patchedDependencies:\n  a: x\n  a: y\n");
	CHECK_PNPM(fd, "65 pnpm-workspace.yaml: a occurs twice");
}

static void
nested_too_deep(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = make_pnpm();

	strbuf_addstr(&text, "lockfileVersion: '9.0'\na: ");
	for (int i = 0; i < YAMLREAD_MAX_DEPTH; i++)
		strbuf_addch(&text, '[');
	tree_put(fd, "pnpm-lock.yaml", text.buf);
	CHECK_PNPM(fd, "65 pnpm-lock.yaml: line 2: nested too deep");
}

/* A project of yarn 4, in sync. */
static int
make_yarn(void)
{
	int fd = tree_open();

	tree_put(fd, "package.json", YARN_MANIFEST);
	tree_put_below(fd, YARN_PATCH, PATCH_TEXT);
	tree_put(fd, "yarn.lock", YARN_LOCK);
	return fd;
}

static void
yarn_in_sync(void)
{
	cleanup_close int fd = make_yarn();

	CHECK_YARN(fd, "1");
	tree_put_below(fd, YARN_PATCH, PATCH_CRLF);
	CHECK_YARN(fd, "1");
	/* What yarn does not read is not in the hash. */
	tree_put_below(fd, YARN_PATCH, "From: me\n\n" PATCH_TEXT);
	CHECK_YARN(fd, "1");
	tree_put(fd, "package.json",
	    "{\"dependencies\":{\"is-number\":\"" YARN3_RANGE "\"}}");
	tree_put(fd, "yarn.lock", YARN3_LOCK("323242"));
	CHECK_YARN(fd, "1");
	/* yarn 3.2 hashes all bytes. */
	tree_put(fd, "yarn.lock", YARN3_LOCK("1317a2"));
	CHECK_YARN(fd,
	    "1\npatch-changed " YARN_PATCH
	    ": not the patch that yarn.lock has [yarn install]");
	tree_put_below(fd, YARN_PATCH, PATCH_TEXT);
	CHECK_YARN(fd, "1");
}

/* A workspace has its own, relative to it; one patch is of two files. */
static void
yarn_workspaces(void)
{
	cleanup_close int fd = make_yarn();

	tree_put(fd, "yarn.lock",
	    YARN_LOCK
	    "\n\"m@workspace:packages/m\":\n"
	    "  resolution: \"m@workspace:packages/m\"\n\n"
	    "\"is-even@patch:is-even@1.0.0#./q.patch&~/p/e.patch"
	    "::locator=m%40workspace%3Apackages%2Fm\":\n  resolution: "
	    "\"is-even@patch:is-even@npm%3A1.0.0#./q.patch&~/p/e.patch::"
	    "version=1.0.0&hash=a0919a&"
	    "locator=m%40workspace%3Apackages%2Fm\"\n");
	tree_put_below(fd, "packages/m/package.json",
	    "{\"devDependencies\":{\"is-even\":"
	    "\"patch:is-even@1.0.0#./q.patch&~/p/e.patch\"}}");
	tree_put_below(fd, "packages/m/q.patch",
	    "diff --git a/q.txt b/q.txt\nnew file mode 100644\n"
	    "index 0000000..d147996\n--- /dev/null\n+++ b/q.txt\n"
	    "@@ -0,0 +1 @@\n+// patched\n");
	tree_put_below(fd, "p/e.patch",
	    "diff --git a/e.txt b/e.txt\nnew file mode 100644\n"
	    "index 0000000..d147996\n--- /dev/null\n+++ b/e.txt\n"
	    "@@ -0,0 +1 @@\n+// patched\n");
	CHECK_YARN(fd, "2");
	(void)unlinkat(fd, "packages/m/q.patch", 0);
	CHECK_YARN(
	    fd, "2\npatch-missing packages/m/q.patch: missing [yarn install]");
	tree_put_below(fd, "packages/m/package.json", "{}");
	CHECK_YARN(fd,
	    "1\nlock-orphan yarn.lock: has a patch of is-even@npm:1.0.0, "
	    "which no package.json has [yarn install]");
	tree_put_below(fd, "packages/m/package.json", "{");
	CHECK_YARN(fd,
	    "65 packages/m/package.json: line 1: parse error: premature EOF");
}

/* "yarn patch" again makes a patch on top of what is patched. */
static void
yarn_on_top(void)
{
	cleanup_close int fd = make_yarn();

	tree_put(fd, "package.json",
	    "{\"resolutions\":{\"is-number@npm:^6.0.0\":"
	    "\"patch:is-number@patch%3Ais-number@npm%253A6.0.0%23~/" YARN_PATCH
	    "%3A%3Aversion=6.0.0&hash=323242#~/b.patch\"}}");
	tree_put_below(fd, "b.patch", PATCH_TEXT);
	tree_put(fd, "yarn.lock",
	    YARN_LOCK
	    "\n\"is-number@patch:is-number@patch%3Ais-number@npm%253A6.0.0"
	    "%23~/" YARN_PATCH "%3A%3Aversion=6.0.0&hash=323242#~/b.patch\":"
	    "\n  resolution: \"is-number@patch:is-number@patch%3Ais-number@"
	    "npm%253A6.0.0%23~/" YARN_PATCH "%3A%3Aversion=6.0.0&hash=323242"
	    "#~/b.patch::version=6.0.0&hash=323242\"\n");
	CHECK_YARN(fd, "2");
}

static void
yarn_no_patches(void)
{
	cleanup_close int fd = tree_open();

	CHECK_YARN(fd, "0");
	tree_put(fd, "package.json", "{");
	CHECK_YARN(fd, "0");
	tree_put(fd, "package.json", "{\"dependencies\":{\"a\":\"^1.0.0\"}}");
	tree_put(fd, "yarn.lock", "");
	CHECK_YARN(fd, "0");
	tree_put(fd, "yarn.lock", YARN_HEAD("8") YARN_TAIL);
	CHECK_YARN(fd, "0");
}

static void
yarn_classic(void)
{
	cleanup_close int fd = tree_open();

	tree_put(fd, "yarn.lock",
	    "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE "
	    "DIRECTLY.\n# yarn lockfile v1\n\n\nis-number@^6.0.0:\n"
	    "  version \"6.0.0\"\n");
	CHECK_YARN(fd,
	    "0\nnote yarn.lock is yarn 1's, which has no patches of its own; "
	    "those of patch-package are not judged");
}

static void
yarn_drift(void)
{
	cleanup_close int fd = make_yarn();

	tree_put_below(fd, YARN_PATCH, PATCH_TEXT "+// more\n");
	CHECK_YARN(fd,
	    "1\npatch-changed " YARN_PATCH ": yarn cannot read it: a hunk has "
	    "another number of lines than it says [yarn install]");
	(void)unlinkat(fd, YARN_PATCH, 0);
	CHECK_YARN(
	    fd, "1\npatch-missing " YARN_PATCH ": missing [yarn install]");
	tree_put_below(fd, YARN_PATCH, PATCH_TEXT);
	tree_put_below(fd, ".yarn/patches/old.patch", PATCH_TEXT);
	tree_put(fd, "yarn.lock", YARN_HEAD("8") YARN_TAIL);
	CHECK_YARN(fd,
	    "1\nlock-original yarn.lock: does not have the patch of "
	    "is-number@npm:6.0.0 that package.json has [yarn install]\n"
	    "note .yarn/patches/old.patch is a patch that no manifest has");
	(void)unlinkat(fd, "yarn.lock", 0);
	(void)unlinkat(fd, ".yarn/patches/old.patch", 0);
	CHECK_YARN(fd, "1\nlock-original yarn.lock: missing [yarn install]");
	tree_put(fd, "yarn.lock", YARN_LOCK);
	tree_put(fd, "package.json", "{}");
	CHECK_YARN(fd,
	    "0\nlock-orphan yarn.lock: has a patch of is-number@npm:6.0.0, "
	    "which no package.json has [yarn install]\n"
	    "note " YARN_PATCH " is a patch that no manifest has");
}

/* The lock has a patch of another version than the manifest. */
static void
yarn_other_version(void)
{
	cleanup_close int fd = make_yarn();

	tree_put(fd, "package.json",
	    "{\"dependencies\":{\"is-number\":"
	    "\"patch:is-number@npm%3A7.0.0#~/" YARN_PATCH "\"}}");
	CHECK_YARN(fd,
	    "1\nlock-original yarn.lock: does not have the patch of "
	    "is-number@npm:7.0.0 that package.json has [yarn install]\n"
	    "lock-orphan yarn.lock: has a patch of is-number@npm:6.0.0, which "
	    "no package.json has [yarn install]");
}

static void
yarn_some_versions(void)
{
	cleanup_close int fd = make_yarn();

	tree_put_below(fd, YARN_PATCH, "semver exclusivity ^6\n" PATCH_TEXT);
	CHECK_YARN(fd,
	    "1\nnote " YARN_PATCH " cannot be compared with yarn.lock: it is "
	    "for some versions of the package alone");
}

static void
yarn_unreadable(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{ "a: b\n",
		    "65 yarn.lock: line 1: an entry that is no mapping" },
		{ "a: {}\n", "65 yarn.lock: no version in __metadata" },
		{ "__metadata:\n  version: 8\n<<<<<<< HEAD\n",
		    "65 yarn.lock: line 4: could not find expected ':'" },
		{ "__metadata:\n  version: 11\n",
		    "78 yarn.lock: version 11 of the format is not known to "
		    "this version of drydock; 6 to 10 are" },
		{ "__metadata:\n  version: 4\n",
		    "78 yarn.lock: version 4 of the format is not known to "
		    "this version of drydock; 6 to 10 are" },
		{ "__metadata:\n  version: x\n",
		    "65 yarn.lock: line 2: a bad version" },
		{ "__metadata:\n  version: 8\n---\na: {}\n",
		    "65 yarn.lock: line 4: a second document" },
		{ YARN_HEAD("8") "\"a@patch:a@npm%3A1#x\":\n"
				 "  resolution: \"a@patch:a@npm%3A1#x\"\n",
		    "65 yarn.lock: line 9: a patch without a hash" },
		{ YARN_HEAD("8") "\"a@npm:1\":\n"
				 "  resolution: \"a@patch:a@1#x::hash=012345\"",
		    "65 yarn.lock: line 9: a patched package whose key has no "
		    "patch" },
		{ YARN_HEAD("8") "\"a@patch:a@npm%3A1#x\":\n"
				 "  resolution: \"a@patch:a@npm%3#x\"\n",
		    "65 yarn.lock: line 9: a malformed patch" },
		{ YARN_HEAD("8") "\"a@patch:a@npm%3A1#x\":\n"
				 "  resolution: {}\n",
		    "65 yarn.lock: line 9: a resolution that is no text" },
	};
	cleanup_close int fd = make_yarn();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_put(fd, "yarn.lock", cases[i].text);
		CHECK_YARN(fd, cases[i].want);
	}
}

static void
yarn_leads_out(void)
{
	cleanup_close int fd = make_yarn();

	tree_put(fd, "package.json",
	    "{\"dependencies\":{"
	    "\"a\":\"patch:a@npm%3A1#~/../../etc/passwd\","
	    "\"b\":\"patch:b@npm%3A1#/etc/passwd\","
	    "\"c\":\"patch:c@npm%3A1\"}}");
	CHECK_YARN(fd, "65 package.json: c@patch:c@npm%3A1: a malformed patch");
	tree_put(fd, "package.json",
	    "{\"dependencies\":{"
	    "\"a\":\"patch:a@npm%3A1#~/../../etc/passwd\","
	    "\"b\":\"patch:b@npm%3A1#/etc/passwd\"}}");
	(void)unlinkat(fd, "yarn.lock", 0);
	(void)unlinkat(fd, YARN_PATCH, 0);
	CHECK_YARN(fd,
	    "2\npatch-changed ../../etc/passwd: cannot be read: open "
	    "../../etc/passwd: leaves the directory [yarn install]\n"
	    "lock-original yarn.lock: missing [yarn install]\n"
	    "patch-changed /etc/passwd: cannot be read: open /etc/passwd: "
	    "leaves the directory [yarn install]\n"
	    "lock-original yarn.lock: missing [yarn install]");
}

/* The hashes are yarn 4's for these files. */
static void
yarn_hashes(void)
{
	static const struct {
		const char *text;
		const char *hash;
	} cases[] = {
		{ "diff --git a/LICENSE b/LICENSE\n"
		  "deleted file mode 100644\n"
		  "index 7cccaf9..0000000\n"
		  "--- a/LICENSE\n"
		  "+++ /dev/null\n"
		  "@@ -1,2 +0,0 @@\n"
		  "-The \"MIT\" License\n"
		  "-\n",
		    "e3b56f" },
		{ "diff --git a/index.js b/index.js\n"
		  "old mode 100644\n"
		  "new mode 100755\n"
		  "index 79d1f22..4abc130\n"
		  "--- a/index.js\n"
		  "+++ b/index.js\n"
		  "@@ -1,2 +1,3 @@ function f\n"
		  "+// \303\251\t\\\010\n"
		  " a\n"
		  "\n"
		  "@@ -9 +10 @@\n"
		  "-last\n"
		  "\\ No newline at end of file\n"
		  "+last\n"
		  "\\ No newline at end of file\n",
		    "7e4a28" },
		{ "diff --git a/old.js b/new.js\n"
		  "similarity index 90%\n"
		  "rename from old.js\n"
		  "rename to lib/../new.js\n"
		  "index 1..2\n"
		  "--- a/old.js\n"
		  "+++ b/new.js\n"
		  "@@ -1 +1 @@\n"
		  "-a\n"
		  "+b\n",
		    "e47e02" },
		{ "text in front\n"
		  "--- a/x.js\n"
		  "+++ b/./lib//x.js\n"
		  "@@ -0,0 +1 @@\n"
		  "+a\n"
		  "trailer\n"
		  "diff --git a/run b/run\n"
		  "old mode 100755\n"
		  "new mode 100644\n",
		    "48649d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		const struct yarnpatch_file file = { &text, false };
		bool same = false;

		strbuf_addstr(&text, cases[i].text);
		CHECK_INT(
		    yarnpatch_compare(&file, 1, cases[i].hash, &same, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK(same);
	}
}

static void
paths(void)
{
	static const struct {
		const char *dir;
		const char *path;
		const char *want;
	} cases[] = {
		{ "", "a", "a" },
		{ ".", "./a//b/./c", "a/b/c" },
		{ "x/y", "../a", "x/a" },
		{ "x", "../../a", "../a" },
		{ "", "../../a", "../../a" },
		{ "", "a/..", "" },
		{ "x", "/etc/passwd", "/etc/passwd" },
		{ "", "..a/...", "..a/..." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *got =
		    otherpatches_path(cases[i].dir, cases[i].path);

		CHECK_STR(got, cases[i].want);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "pnpm: a project in sync", pnpm_in_sync },
		{ "pnpm 12: a project in sync", pnpm_late_in_sync },
		{ "pnpm: a project without patches", pnpm_no_patches },
		{ "pnpm: a patch file that changed", pnpm_patch_file },
		{ "pnpm: a patch that the lock has not", pnpm_lock_without },
		{ "pnpm: a patch that changes no package", pnpm_unused },
		{ "pnpm: a name that is no word", pnpm_name_no_word },
		{ "pnpm: a patch that no manifest has", pnpm_orphans },
		{ "pnpm 12 does not read package.json", pnpm_manifest_unread },
		{ "pnpm 10 prefers package.json", pnpm_both_files },
		{ "pnpm: a lock that cannot be judged", pnpm_unreadable },
		{ "pnpm: a manifest that is malformed", pnpm_bad_manifest },
		{ "YAML that is nested too deep", nested_too_deep },
		{ "yarn: a project in sync", yarn_in_sync },
		{ "yarn: patches of a workspace", yarn_workspaces },
		{ "yarn: a patch on top of another", yarn_on_top },
		{ "yarn: a project without patches", yarn_no_patches },
		{ "yarn 1 has no patches of its own", yarn_classic },
		{ "yarn: what differs", yarn_drift },
		{ "yarn: a patch of another version", yarn_other_version },
		{ "yarn: a patch for some versions", yarn_some_versions },
		{ "yarn: a lock that cannot be judged", yarn_unreadable },
		{ "yarn: a patch outside of the project", yarn_leads_out },
		{ "yarn: the hash of a patch", yarn_hashes },
		{ "paths of patches", paths },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
