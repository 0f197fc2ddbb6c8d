/* SPDX-License-Identifier: MIT */
/* The trees of patched copies: read as they are, or refused. */
#include "check.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/packagetar.h"
#include "deps/patchtree.h"
#include "tree-kit.h"

static void
put_list(struct patchtree *tree, const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(patchtree_parse_list(tree, text, strlen(text), &dg), 0);
	CHECK_STR(dg.message, NULL);
}

static void
paths_are_judged(void)
{
	static const char *const good[] = { "a", "a/b/c", "...", "..a", ".a",
		"a b", "-a", "f\xc3\xbc", "a:b", "*" };
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "./a", "../a", "a/.", "a/..", "a/../b", "a/./b", "a\\b",
		"a\nb", "a\rb", "\x01", "\x7f", "\xc2\x80", "\xc2\x9f", "\xff",
		"\xc3", "\xed\xa0\x80" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!patchtree_is_path(good[i]))
			CHECK_STR("refused", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (patchtree_is_path(bad[i]))
			CHECK_STR("accepted", bad[i]);
}

static void
a_path_has_a_length_and_a_depth(void)
{
	cleanup_free char *name = xcalloc(1, 257);
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	memset(name, 'a', 255);
	CHECK(patchtree_is_path(name));
	name[255] = 'a';
	CHECK(!patchtree_is_path(name));
	for (int i = 0; i < 64; i++)
		strbuf_addstr(&path, "d/");
	strbuf_addch(&path, 'f');
	CHECK(patchtree_is_path(path.buf));
	strbuf_addstr(&path, "/f");
	CHECK(!patchtree_is_path(path.buf));
	strbuf_reset(&path);
	for (int i = 0; i < 8; i++)
		strbuf_addf(&path, "%.*s/", 127, name);
	CHECK_INT(path.len, 1024);
	path.buf[1023] = 'a';
	CHECK(patchtree_is_path(path.buf));
	strbuf_addch(&path, 'a');
	CHECK(!patchtree_is_path(path.buf));
}

#define HEX_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
#define HEX_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
/* "a", "a.b" and "a0" with the text "a", "a/b" with "b". */
#define SORTED HEX_A "  a.b\n" HEX_B "  a/b\n" HEX_A "  a0\n" HEX_A "  b\n"

static void
a_tree_is_read_and_listed(void)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_patchtree struct patchtree again = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_make("tree");
	char want[DIGEST_HEX_SIZE];
	struct digest digest;

	tree_put_below(dir, "b", "a");
	tree_put_below(dir, "a0", "a");
	tree_put_below(dir, "a/b", "b");
	tree_put_below(dir, "a.b", "a");
	CHECK_INT(patchtree_read(dir, &tree, &dg), 0);
	CHECK_STR(dg.message, NULL);
	patchtree_list(&tree, &list);
	CHECK_STR(list.buf, SORTED);
	patchtree_digest(&tree, &digest);
	digest_add_hex(&hex, &digest);
	digest_bytes(SORTED, strlen(SORTED), want);
	CHECK_STR(hex.buf, want);
	CHECK_INT(digest.kind, DIGEST_SHA256);
	put_list(&again, list.buf);
	CHECK_INT(again.nr, 4);
	CHECK_STR(again.v[1].path, "a/b");
	strbuf_reset(&list);
	patchtree_list(&again, &list);
	CHECK_STR(list.buf, SORTED);
}

static void
a_bad_list_is_refused(void)
{
	static const struct {
		const char *text;
		int line;
	} rows[] = {
		{ HEX_A "  a", 1 },
		{ HEX_A " a\n", 1 },
		{ HEX_A " *a\n", 1 },
		{ HEX_A "  \n", 1 },
		{ "\n", 1 },
		{ HEX_A "\n", 1 },
		{ HEX_A "  a\n\n", 2 },
		{ HEX_A "  a\n" HEX_A "  a\n", 2 },
		{ HEX_A "  b\n" HEX_A "  a\n", 2 },
		{ HEX_A "  a\n" HEX_A "  ../b\n", 2 },
		{ HEX_A "  /a\n", 1 },
		{ HEX_A "  a\r\n", 1 },
		{ "CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE"
		  "48BB  a\n",
		    1 },
		{ "a978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee"
		  "48bb  a\n",
		    1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *message = xasprintf(
		    "line %d is not a line of a list of files", rows[i].line);

		CHECK_INT(patchtree_parse_list(
			      &tree, rows[i].text, strlen(rows[i].text), &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_STR(dg.message, message);
		CHECK_INT(tree.nr, 0);
	}
	{
		static const char nul[] = HEX_A "  a\0b\n";
		cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(
		    patchtree_parse_list(&tree, nul, sizeof(nul) - 1, &dg), -1);
		CHECK_INT(patchtree_parse_list(&tree, "", 0, &dg), 0);
	}
}

static void
note_difference(void *arg, const char *path, enum patchtree_difference how)
{
	static const char *const words[] = { [PATCHTREE_CHANGED] = "changed",
		[PATCHTREE_MISSING] = "missing",
		[PATCHTREE_EXTRA] = "extra" };

	strbuf_addf(arg, "%s %s\n", words[how], path);
}

static void
trees_are_compared(void)
{
	static const struct {
		const char *want;
		const char *got;
		const char *differences;
	} rows[] = {
		{ "", "", "" },
		{ SORTED, SORTED, "" },
		{ "", HEX_A "  a\n", "extra a\n" },
		{ HEX_A "  a\n", "", "missing a\n" },
		{ HEX_A "  a\n", HEX_B "  a\n", "changed a\n" },
		{ HEX_A "  a\n" HEX_A "  c\n" HEX_A "  d\n",
		    HEX_A "  b\n" HEX_B "  c\n" HEX_A "  e\n",
		    "missing a\nextra b\nchanged c\nmissing d\nextra e\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_patchtree struct patchtree want = PATCHTREE_INIT;
		cleanup_patchtree struct patchtree got = PATCHTREE_INIT;
		cleanup_strbuf struct strbuf differences = STRBUF_INIT;

		put_list(&want, rows[i].want);
		put_list(&got, rows[i].got);
		patchtree_compare(&want, &got, note_difference, &differences);
		CHECK_STR(differences.buf, rows[i].differences);
	}
}

static void
make_sparse(int dir, const char *name, off_t size)
{
	cleanup_close int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK_INT(ftruncate(fd, size), 0);
}

/* Makes one entry that a tree may not have, in the directory d. */
static void
make_hostile(int dir, int kind)
{
	if (kind == 0)
		CHECK_INT(symlinkat("../a", dir, "d/x"), 0);
	else if (kind == 1)
		CHECK_INT(symlinkat("nowhere", dir, "d/x"), 0);
	else if (kind == 2)
		CHECK_INT(mkfifoat(dir, "d/x", 0600), 0);
	else if (kind == 3)
		tree_socket(dir, "d/x");
	else if (kind == 4)
		CHECK_INT(mkdirat(dir, "d/x", 0700), 0);
	else if (kind == 5)
		tree_file(dir, "d/x\\", 0600);
	else if (kind == 6)
		tree_file(dir, "d/x\n", 0600);
	else if (kind == 7)
		tree_file(dir, "d/x\xff", 0600);
	else if (kind == 8)
		make_sparse(dir, "d/x", (off_t)PACKAGETAR_MAX_UNPACKED);
	else if (kind == 9)
		make_sparse(dir, "d/x", (off_t)1 << 40);
	else
		CHECK_INT(symlinkat("/proc/self/root", dir, "d/x"), 0);
}

static void
other_things_than_files_are_refused(void)
{
	static const char *const messages[] = {
		"d/x: it is neither a file nor a directory",
		"d/x: it is neither a file nor a directory",
		"d/x: it is neither a file nor a directory",
		"d/x: it is neither a file nor a directory",
		"d/x: a directory without files",
		"d/x\\\\: a file may not have such a path",
		"d/x\\n: a file may not have such a path",
		"d/x\\377: a file may not have such a path",
		/* Which file is beyond the limit depends on their order. */
		": the files are too large",
		"d/x: the files are too large",
		"d/x: it is neither a file nor a directory",
	};

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = tree_make("tree");

		tree_put_below(dir, "a", "a");
		tree_put_below(dir, "d/a", "a");
		make_hostile(dir, (int)i);
		CHECK_INT(patchtree_read(dir, &tree, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		if (messages[i][0] == ':')
			CHECK_HAS(dg.message, messages[i]);
		else
			CHECK_STR(dg.message, messages[i]);
		CHECK_INT(tree.nr, 0);
	}
}

static void
many_files_and_deep_trees_are_refused(void)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_make("tree");

	for (int i = 0; i < PACKAGETAR_MAX_FILES + 1; i++) {
		char name[16];
		int fd;

		(void)snprintf(name, sizeof(name), "%d", i);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		CHECK(fd >= 0);
		(void)close(fd);
	}
	CHECK_INT(patchtree_read(dir, &tree, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK(strstr(dg.message, ": there are too many files") != NULL);
	(void)close(steal_fd(&dir));
	diag_clear(&dg);
	dir = tree_make("tree");
	tree_nest(dir, 66);
	CHECK_INT(patchtree_read(dir, &tree, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK(strstr(dg.message, "more than 64 directories deep") != NULL);
}

static void
what_cannot_be_read_is_named(void)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_make("tree");

	if (geteuid() == 0) {
		check_skip("root may read it anyway");
		return;
	}
	tree_put_below(dir, "d/a", "a");
	CHECK_INT(fchmodat(dir, "d/a", 0, 0), 0);
	CHECK_INT(patchtree_read(dir, &tree, &dg), -1);
	CHECK_INT(dg.class, DIAG_IO);
	CHECK_STR(dg.message, "open d/a: Permission denied");
}

static const struct check_test tests[] = {
	{ "paths are judged", paths_are_judged },
	{ "a path has a length and a depth", a_path_has_a_length_and_a_depth },
	{ "a tree is read, listed and read from its list",
	    a_tree_is_read_and_listed },
	{ "a bad list is refused", a_bad_list_is_refused },
	{ "trees are compared", trees_are_compared },
	{ "other things than files are refused, and nothing blocks",
	    other_things_than_files_are_refused },
	{ "many files and deep trees are refused",
	    many_files_and_deep_trees_are_refused },
	{ "what cannot be read is named", what_cannot_be_read_is_named },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
