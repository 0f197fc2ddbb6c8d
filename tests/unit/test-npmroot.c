/* SPDX-License-Identifier: MIT */
/* What makes a package manager ignore the redirects of npm's packages. */
#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/npmroot.h"
#include "tree-kit.h"

/* npm 11 was asked what it does with each of these. */
static void
test_settings(void)
{
	static const struct {
		const char *text;
		const char *key; /* that is told, or NULL */
	} rows[] = {
		{ "", NULL },
		{ "\n\n \t\r\n", NULL },
		{ "package-lock=true\n", NULL },
		{ "package-lock\n", NULL },
		{ "package-lock = true ; x\nshrinkwrap = \"true\"\n", NULL },
		{ "# package-lock=false\n ; package-lock=false\n", NULL },
		{ "#\xc3\xa9\n", NULL },
		{ "[a]\npackage-lock=false\n", NULL },
		{ "[a] \r\npackage-lock=false\n", NULL },
		{ "no-package-lock=false\n", NULL },
		{ "Package-Lock=false\npackage_lock=false\n", NULL },
		{ "//host/:_authToken=${TOKEN}\nregistry=https://host/\n",
		    NULL },
		{ "x=package-lock=false\n=package-lock\n", NULL },
		{ "package-lock=false", "package-lock" },
		{ "x=1\n package-lock\t = false\r\n", "package-lock" },
		{ "x=1\rpackage-lock=false", "package-lock" },
		{ "x=1\\\npackage-lock=false", "package-lock" },
		{ "\xef\xbb\xbfpackage-lock=false", "package-lock" },
		{ "package-lock;x=false\n", "package-lock" },
		{ "package-lock#x=false\n", "package-lock" },
		{ "\"package-lock\"=false\n", "package-lock" },
		{ "'package-lock' = false\n", "package-lock" },
		{ "package-lock=null\n", "package-lock" },
		{ "package-lock=\n", "package-lock" },
		{ "package-lock=0\n", "package-lock" },
		{ "package-lock=${X-true}\n", "package-lock" },
		{ "package-lock[]=false\n", "package-lock" },
		{ "package-lock=false\npackage-lock=true\n", "package-lock" },
		{ "package-lock=true\nshrinkwrap=false\n", "shrinkwrap" },
		{ " [a]\npackage-lock=false\n", "package-lock" },
		{ "[a]b\npackage-lock=false\n", "package-lock" },
		{ "[a]]\npackage-lock=false\n", "package-lock" },
		{ "\"pack\\u0061ge-lock\"=false\n", "" },
		{ "${X}=false\n", "" },
		{ "\xc2\xa0package-lock=false\n", "" },
		/* npm parses what is between single quotes as JSON. */
		{ "'\"dry-run\"'=true\n", "" },
		{ "'[\"dry-run\"]'=true\n", "" },
		{ "[${X}]\n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf got = STRBUF_INIT;
		cleanup_strbuf struct strbuf want = STRBUF_INIT;

		npmroot_judge_settings(
		    rows[i].text, strlen(rows[i].text), &got);
		if (rows[i].key != NULL && *rows[i].key != '\0')
			strbuf_addf(&want,
			    "has \"%s\", and npm may ignore package-lock.json; "
			    "remove it",
			    rows[i].key);
		else if (rows[i].key != NULL)
			strbuf_addstr(&want,
			    "has a key that npm computes, which could be "
			    "\"package-lock\"; write it as it is");
		if (!CHECK_STR(got.buf, want.buf))
			CHECK_STR(rows[i].text, NULL);
	}
}

/* With these npm installs nothing, or not in the project. */
static void
test_elsewhere(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "dry-run=false\npackage-lock-only=false\nglobal=false\n"
		  "location=project\n",
		    "" },
		{ "location=user\n", "" },
		{ "dry-run\n",
		    "has \"dry-run\", and npm may leave node_modules as it is; "
		    "remove it" },
		{ "package-lock-only=true\n",
		    "has \"package-lock-only\", and npm may leave node_modules "
		    "as it is; remove it" },
		{ "global = true\n",
		    "has \"global\", and npm may install outside of the "
		    "project; remove it" },
		{ "workspaces=false\n[a.b]\ndry-run\n", "" },
		/* A section is an object, and so true. */
		{ "[a]\nx=1\n[dry-run]\n",
		    "has \"dry-run\", and npm may leave node_modules as it is; "
		    "remove it" },
		{ "[\"global\"]\n",
		    "has \"global\", and npm may install outside of the "
		    "project; remove it" },
		{ "[__proto__.dry-run.x]\n",
		    "has \"dry-run\", and npm may leave node_modules as it is; "
		    "remove it" },
		/* The original stays in the other packages. */
		{ "workspace=a\n",
		    "has \"workspace\", and npm may leave node_modules as it "
		    "is; remove it" },
		{ "workspaces=true\n",
		    "has \"workspaces\", and npm may leave node_modules as it "
		    "is; remove it" },
		{ "userconfig=./x\n",
		    "has \"userconfig\", and npm reads settings from another "
		    "file; remove it" },
		{ "prefix=./x\n",
		    "has \"prefix\", and npm reads settings below it; remove "
		    "it" },
		{ "globalconfig=./x\n",
		    "has \"globalconfig\", and npm reads settings from another "
		    "file; remove it" },
		{ "location=global\n",
		    "has \"location\", and npm may install outside of the "
		    "project; remove it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf got = STRBUF_INIT;

		npmroot_judge_settings(
		    rows[i].text, strlen(rows[i].text), &got);
		CHECK_STR(got.buf, rows[i].want);
	}
}

static void
found(void *arg, const char *path, const char *why)
{
	strbuf_addf(arg, "%s: %s\n", path, why);
}

static void
expect(int fd, const char *manifest, const char *want)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct strbuf *given = manifest != NULL ? &text : NULL;
	const char *why;

	if (manifest != NULL)
		strbuf_addstr(&text, manifest);
	npmroot_judge(fd, given, found, &got);
	CHECK_STR(got.buf, want);
	if (*want == '\0') {
		CHECK_INT(npmroot_check(fd, "/p", given, &dg), 0);
		return;
	}
	/* The first line. */
	CHECK_INT(npmroot_check(fd, "/p", given, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK(strncmp(dg.message, "/p: ", 4) == 0);
	why = dg.message + 4;
	CHECK(strncmp(want, why, strlen(why)) == 0);
	CHECK_INT(want[strlen(why)], '\n');
}

#define OTHER_LOCK                                                        \
	"npm-shrinkwrap.json: npm reads this file instead of "            \
	"package-lock.json; rename it to that, or do not patch packages " \
	"of npm here\n"
#define OTHER_MANAGER(name)                                            \
	"package.json: \"packageManager\" is " name ", which does not" \
	" use patches of npm; remove it, or do not patch packages of"  \
	" npm here\n"

static void
test_manifest(void)
{
	cleanup_close int fd = tree_make("manifest");

	expect(fd, NULL, "");
	expect(fd, "{", "");
	expect(fd, "[]", "");
	expect(fd, "{\"packageManager\": 1}", "");
	expect(fd, "{\"packageManager\": \"npm@11.0.0\"}", "");
	expect(fd, "{\"packageManager\": \"npm\"}", "");
	expect(fd, "{\"packageManager\": \"pnpm@9.1.0\"}",
	    OTHER_MANAGER("pnpm@9.1.0"));
	expect(fd, "{\"packageManager\": \"npmx@1\"}", OTHER_MANAGER("npmx@1"));
}

static void
test_files(void)
{
	cleanup_close int fd = tree_make("files");

	tree_put(fd, ".npmrc", "package-lock=true\n");
	expect(fd, "{}", "");
	tree_put(fd, "npm-shrinkwrap.json", "");
	expect(fd, "{}", OTHER_LOCK);
	tree_put(fd, ".npmrc", "package-lock=false\n");
	expect(fd, "{\"packageManager\": \"yarn@1\"}",
	    OTHER_LOCK
	    ".npmrc: has \"package-lock\", and npm may ignore "
	    "package-lock.json; remove it\n" OTHER_MANAGER("yarn@1"));
}

static void
test_hostile_files(void)
{
	cleanup_close int fd = tree_make("hostile");

	CHECK_INT(symlinkat("/nowhere", fd, "npm-shrinkwrap.json"), 0);
	expect(fd, NULL, OTHER_LOCK);
	CHECK_INT(unlinkat(fd, "npm-shrinkwrap.json", 0), 0);
	/* A link in the project is followed, and one to nothing is nothing. */
	CHECK_INT(symlinkat("settings", fd, ".npmrc"), 0);
	expect(fd, NULL, "");
	tree_put(fd, "settings", "shrinkwrap=false");
	expect(fd, NULL,
	    ".npmrc: has \"shrinkwrap\", and npm may ignore "
	    "package-lock.json; remove it\n");
	CHECK_INT(unlinkat(fd, ".npmrc", 0), 0);
	CHECK_INT(symlinkat("/etc/passwd", fd, ".npmrc"), 0);
	expect(fd, NULL,
	    ".npmrc: cannot be read: open .npmrc: leaves the directory\n");
	CHECK_INT(unlinkat(fd, ".npmrc", 0), 0);
	CHECK_INT(mkfifoat(fd, ".npmrc", 0600), 0);
	expect(
	    fd, NULL, ".npmrc: cannot be read: .npmrc: not a regular file\n");
	CHECK_INT(unlinkat(fd, ".npmrc", 0), 0);
	tree_put(fd, ".npmrc", "");
	{
		cleanup_close int file =
		    openat(fd, ".npmrc", O_WRONLY | O_CLOEXEC);

		CHECK_INT(ftruncate(file, (off_t)1 << 40), 0);
	}
	expect(fd, NULL,
	    ".npmrc: cannot be read: .npmrc: larger than 1048576 bytes\n");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a setting that makes npm ignore the lock is told",
		    test_settings },
		{ "a setting that installs nothing here is told",
		    test_elsewhere },
		{ "another package manager is told", test_manifest },
		{ "files that win over package-lock.json are told",
		    test_files },
		{ "hostile files are told", test_hostile_files },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
