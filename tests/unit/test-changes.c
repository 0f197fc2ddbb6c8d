/* SPDX-License-Identifier: MIT */
/* changes: hostile projects, compared with their start and put back. */
#include "session/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "project-bed.h"
#include "session/restore.h"

static void
nested(int fd)
{
	bed_git(fd, "deep/er/repo/.git");
	bed_write(fd, "deep/er/repo/.git/config", "[core]\n", 0644);
}

static void
bare(int fd)
{
	bed_git(fd, "docs");
}

static void
submodule_config(int fd)
{
	bed_write(fd, ".git/modules/sub/config", "[core]\n\tpager = x\n", 0644);
}

static void
hook(int fd)
{
	bed_write(fd, ".git/hooks/post-checkout", "#!/bin/sh\n", 0755);
}

static void
hook_mode(int fd)
{
	CHECK(fchmodat(fd, ".git/hooks/pre-commit", 0644, 0) == 0);
}

static void
hook_target(int fd)
{
	bed_write(fd, "scripts/hook", "#!/bin/sh\nevil\n", 0755);
}

static void
hooks_are_a_link(int fd)
{
	bed_dirs(fd, "evil");
	bed_write(fd, "evil/pre-commit", "#!/bin/sh\nevil\n", 0755);
	CHECK(renameat(fd, ".git/hooks", fd, ".git/was") == 0);
	CHECK(symlinkat("../evil", fd, ".git/hooks") == 0);
}

static void
git_is_a_file(int fd)
{
	CHECK(renameat(fd, ".git", fd, "was") == 0);
	bed_write(fd, ".git", "gitdir: /tmp/elsewhere\n", 0644);
}

static void
commondir(int fd)
{
	bed_write(fd, ".git/commondir", "/tmp/elsewhere\n", 0644);
}

static void
vscode_is_a_link(int fd)
{
	CHECK(renameat(fd, ".vscode", fd, "was") == 0);
	CHECK(symlinkat("/etc", fd, ".vscode") == 0);
}

static void
a_fifo(int fd)
{
	CHECK(unlinkat(fd, ".git/config", 0) == 0);
	CHECK(mkfifoat(fd, ".git/config", 0600) == 0);
}

static void
a_directory(int fd)
{
	CHECK(unlinkat(fd, ".git/config", 0) == 0);
	bed_dirs(fd, ".git/config/x");
}

static void
a_huge_file(int fd)
{
	cleanup_close int f = openat(fd, ".git/config", O_WRONLY | O_CLOEXEC);

	CHECK(ftruncate(f, (off_t)1 << 40) == 0);
}

static void
unreadable(int fd)
{
	CHECK(fchmodat(fd, ".git/config", 0, 0) == 0);
}

static void
envrc_below(int fd)
{
	bed_dirs(fd, "a/b");
	bed_write(fd, "a/b/.envrc", "evil\n", 0644);
}

static void
scripts(int fd)
{
	bed_write(fd, "package.json",
	    "{\"name\": \"x\", \"scripts\": {\"prepare\": \"evil\"}}\n", 0644);
}

static void
dependencies(int fd)
{
	bed_write(fd, "package.json",
	    "{\"version\": \"2\", \"name\": \"x\", \"scripts\": {\"test\": "
	    "\"true\"}}\n",
	    0644);
	bed_dirs(fd, "lib");
	bed_write(fd, "lib/package.json", "{\"name\": \"y\"}\n", 0644);
}

static void
no_json(int fd)
{
	bed_write(fd, "package.json", "{\"scripts\": ", 0644);
}

static void
in_node_modules(int fd)
{
	bed_dirs(fd, "node_modules/x");
	bed_write(fd, "node_modules/x/package.json",
	    "{\"scripts\": {\"a\": \"b\"}}\n", 0644);
	bed_git(fd, "node_modules/y/.git");
}

static void
a_name_with_bytes(int fd)
{
	bed_write(fd, ".git/hooks/\xff\n\033[31m", "x\n", 0755);
}

static void
ordinary(int fd)
{
	bed_write(fd, "README", "y\n", 0644);
	bed_write(fd, ".git/hooks/y.sample", "x\n", 0755);
	bed_write(fd, ".git/HEAD", "ref: refs/heads/other\n", 0644);
}

static const struct {
	const char *what;
	void (*attack)(int fd);
	const char *want;
	bool stays; /* root reads it all the same */
} attacks[] = {
	{ "nothing that runs", ordinary, "", false },
	{ "a line of config", bed_fsmonitor, "changed .git/config", false },
	{ "a submodule's config", submodule_config,
	    "changed .git/modules/sub/config", false },
	{ "a new hook", hook, "new .git/hooks/post-checkout", false },
	{ "a hook that runs no more", hook_mode,
	    "changed .git/hooks/pre-commit", false },
	{ "the target of a hook", hook_target, "changed scripts/hook", false },
	{ "hooks elsewhere", hooks_are_a_link,
	    "new .git/hooks|removed .git/hooks/pre-commit|"
	    "removed .git/hooks/pre-push|new evil/pre-commit|"
	    "removed scripts/hook",
	    false },
	{ "a commondir", commondir, "new .git/commondir", false },
	{ "a nested repository", nested, "new deep/er/repo/.git/config",
	    false },
	{ "a bare repository", bare, "new docs/config", false },
	{ "a link in the way", vscode_is_a_link,
	    "new .vscode|removed .vscode/tasks.json", false },
	{ "a fifo", a_fifo, "changed .git/config", false },
	{ "a directory", a_directory, "removed .git/config", false },
	{ "a huge file", a_huge_file, "changed .git/config", false },
	{ "no permission", unreadable, "changed .git/config", true },
	{ "a file below", envrc_below, "new a/b/.envrc", false },
	{ "scripts", scripts, "changed package.json", false },
	{ "a version, and a package without scripts", dependencies, "", false },
	{ "no JSON", no_json, "changed package.json", false },
	{ "in node_modules", in_node_modules, "new node_modules/y/.git/config",
	    false },
	{ "a name of any bytes", a_name_with_bytes,
	    "new .git/hooks/\xff\n\033[31m", false },
};

static void
test_attacks(void)
{
	cleanup_bed struct bed bed;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_fill(&bed);
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		cleanup_free char *path =
		    xasprintf("%s/copy%zu", check_tmpdir(), i);
		cleanup_close int fd = -1;
		struct bed one = bed;

		if (attacks[i].stays && geteuid() == 0)
			continue;
		CHECK(mkdir(path, 0755) == 0);
		CHECK_INT(fs_open_dir(path, &fd, &dg), 0);
		CHECK_INT(
		    fs_copy_wanted(bed.project_fd, fd, NULL, NULL, &dg), 0);
		one.project = path;
		one.project_fd = fd;
		bed_begin_whole(&one);
		bed_expect(&one, attacks[i].what, "");
		attacks[i].attack(fd);
		bed_expect(&one, attacks[i].what, attacks[i].want);
		bed_put_back(&one, attacks[i].what);
	}
}

/* What a configuration that nobody changes leads to. */
static void
test_named_by_config(void)
{
	static const char config[] =
	    "[core]\n\thookspath = \"tools/git hooks\" ; ours\n"
	    "[include] path = ../more.config\n"
	    "[includeIf \"gitdir:a]b\"]\n\tPath = \\\n./gone\n"
	    "[include]\n\tpath = /etc/passwd\n\tpath = ../../../x\n";
	cleanup_bed struct bed bed;
	int fd;

	bed_init(&bed);
	fd = bed.project_fd;
	bed_git(fd, ".git");
	bed_write(fd, ".git/config", config, 0644);
	bed_dirs(fd, "tools/git hooks");
	bed_write(fd, "tools/git hooks/pre-commit", "#!/bin/sh\n", 0755);
	bed_write(fd, "more.config", "[include]\npath = deeper\n", 0644);
	bed_begin_whole(&bed);
	bed_expect(&bed, "nothing", "");
	bed_write(fd, "tools/git hooks/pre-commit", "#!/bin/sh\nevil\n", 0755);
	bed_write(fd, "tools/git hooks/pre-push", "#!/bin/sh\n", 0755);
	bed_write(fd, "more.config",
	    "[include]\npath = deeper\npath = more.config\n", 0644);
	bed_write(fd, "deeper", "[core]\n\tfsmonitor = evil\n", 0644);
	bed_write(fd, ".git/gone", "[core]\n\tfsmonitor = evil\n", 0644);
	bed_expect(&bed, "all",
	    "new .git/gone|new deeper|changed more.config|"
	    "changed tools/git hooks/pre-commit|new tools/git hooks/pre-push");
	bed_put_back(&bed, "all");
}

static void
test_git_file(void)
{
	cleanup_bed struct bed bed;

	bed_fill(&bed);
	git_is_a_file(bed.project_fd);
	bed_expect(&bed, "a file .git",
	    "new .git|removed .git/config|removed .git/hooks/pre-commit|"
	    "removed .git/hooks/pre-push|removed .git/modules/sub/config|"
	    "new was/config|new was/hooks/pre-commit|"
	    "new was/hooks/pre-push|new was/modules/sub/config");
}

static void
print_tell(void *arg)
{
	const struct bed *bed = arg;

	changes_tell(bed->session_fd, "abcd1234", 5000);
}

static void
test_told_once(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *none = NULL;
	cleanup_free char *first = NULL;
	cleanup_free char *again = NULL;
	cleanup_free char *other = NULL;

	bed_fill(&bed);
	none = check_stderr(print_tell, &bed);
	CHECK_STR(none, "");
	bed_fsmonitor(bed.project_fd);
	first = check_stderr(print_tell, &bed);
	CHECK_STR(first,
	    "drydock: since the start of session abcd1234, .git/config was "
	    "changed: git runs the programs that it names\n"
	    "drydock: such files can run programs on this host, outside of any "
	    "session: before you use git or an editor here, type \"drydock "
	    "diff abcd1234\"\n");
	again = check_stderr(print_tell, &bed);
	CHECK_STR(again, "");
	a_name_with_bytes(bed.project_fd);
	other = check_stderr(print_tell, &bed);
	CHECK(strstr(other, "hooks/\\377\\n\\033[31m is new") != NULL);
}

static void
test_ended(void)
{
	cleanup_bed struct bed bed;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_changes struct changes later = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *got = NULL;
	cleanup_free char *kept = NULL;

	bed_fill(&bed);
	hook(bed.project_fd);
	bed_fsmonitor(bed.project_fd);
	changes_keep(&bed.paths, bed.session_fd, "abcd1234");
	/* A change after the end is none of the session's. */
	envrc_below(bed.project_fd);
	if (!CHECK_INT(changes_find_ended(&bed.paths, "abcd1234", &c, &dg), 0))
		return;
	got = bed_describe(&c);
	CHECK_STR(got, "changed .git/config|new .git/hooks/post-checkout");
	for (size_t i = 0; i < c.nr; i++) {
		free(kept);
		kept = NULL;
		CHECK_INT(restore_change(
			      &bed.paths, "abcd1234", &c, &c.v[i], &kept, &dg),
		    0);
	}
	CHECK_INT(changes_find_ended(&bed.paths, "abcd1234", &later, &dg), 0);
	CHECK_INT(later.nr, 0);
}

/* More new hooks than a state holds: the known files are still compared. */
static void
test_many(void)
{
	cleanup_bed struct bed bed;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool config = false;

	bed_fill(&bed);
	for (int i = 0; i < 2 * WATCHED_FILES; i++) {
		cleanup_free char *name = xasprintf(".git/hooks/%d", i);

		(void)mknodat(bed.project_fd, name, S_IFREG | 0700, 0);
	}
	bed_fsmonitor(bed.project_fd);
	CHECK_INT(changes_find(bed.session_fd, 20000, &c, &dg), 0);
	CHECK(c.missed != NULL);
	CHECK(c.nr <= (size_t)WATCHED_FILES + 20);
	for (size_t i = 0; i < c.nr; i++) {
		config =
		    config || strcmp(c.v[i].before.path, ".git/config") == 0;
		CHECK(strcmp(change_word(&c.v[i]), "removed") != 0);
	}
	CHECK(config);
}

static void
test_other_directory(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *was = NULL;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_fill(&bed);
	was = xasprintf("%s.was", bed.project);
	CHECK(rename(bed.project, was) == 0 && mkdir(bed.project, 0755) == 0);
	CHECK_INT(changes_find(bed.session_fd, 5000, &c, &dg), -1);
	CHECK(dg.errnum != ENOENT &&
	    strstr(dg.message, "not the directory") != NULL);
}

static void
test_no_state(void)
{
	cleanup_bed struct bed bed;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_init(&bed);
	CHECK_INT(changes_find(bed.session_fd, 5000, &c, &dg), -1);
	CHECK_INT(dg.errnum, ENOENT);
}

static void
test_damage(void)
{
	cleanup_bed struct bed bed;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_fill(&bed);
	CHECK_INT(fs_read_file(
		      bed.session_fd, "watched", (size_t)1 << 20, &text, &dg),
	    0);
	/* Each shorter file is refused. */
	for (size_t len = 0; len < text.len; len += 1 + len / 50) {
		cleanup_watched struct watched w = WATCHED_INIT;
		cleanup_diag struct diag one = DIAG_INIT;

		CHECK_INT(watched_parse(text.buf, len, &w, &one), -1);
		CHECK_INT(one.class, DIAG_DATA);
	}
}

static void
test_watchlist(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "{\"git\": [{\"path\": \"../x\"}]}",
		    "watched.json: git: entry 1: path: not a relative path" },
		{ "{\"git\": [{\"path\": \"/x\"}]}",
		    "watched.json: git: entry 1: path: not a relative path" },
		{ "{\"git\": [{\"path\": \"x\", \"why\": \"y\"}]}",
		    "watched.json: git: entry 1: path, why and source are "
		    "needed" },
		{ "{\"project\": [{\"paht\": \"x\"}]}",
		    "watched.json: project: entry 1: unknown key \"paht\"" },
		{ "{\"skip\": [\"a/b\"]}",
		    "watched.json: skip: \"a/b\" is not a file name" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_watchlist struct watchlist list = WATCHLIST_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(watchlist_parse(
			      rows[i].text, strlen(rows[i].text), &list, &dg),
		    -1);
		CHECK_STR(dg.message, rows[i].want);
	}
}

/* A failure to open is not an absence: a restore would act on it. */
static void
test_unreadable(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	char root_path[] = "/";
	char path[] = "f";
	struct watched_root root = { .path = root_path };
	struct watched w = { .roots = &root, .nroots = 1 };
	const struct watched_file like = { .path = path };
	struct rlimit limit;
	struct rlimit none;
	struct watched_file got;

	CHECK_INT(fs_make_path(check_tmpdir(), 0700, &fd, &dg), 0);
	root.fd = fd;
	got = watched_read_one(&w, &like);
	CHECK_INT(got.kind, WATCHED_ABSENT);
	watched_file_release(&got);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	got = watched_read_one(&w, &like);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_INT(got.kind, WATCHED_UNREADABLE);
	watched_file_release(&got);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "each attack is found, and put back", test_attacks },
		{ "what a configuration names is found", test_named_by_config },
		{ "a file .git is found", test_git_file },
		{ "changes are told once", test_told_once },
		{ "changes outlive their session", test_ended },
		{ "more new files than a state holds", test_many },
		{ "another directory in its place", test_other_directory },
		{ "a session without a state", test_no_state },
		{ "a damaged state is refused", test_damage },
		{ "mistakes in the list are named", test_watchlist },
		{ "a file that cannot be opened is not absent",
		    test_unreadable },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
