/* SPDX-License-Identifier: MIT */
/* changes: hostile projects, compared with their start and put back. */
#include "session/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "plan/datafile.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "session/restore.h"

#include "check.h"
#include "data-kit.h"

/* A session with a project, and the state directory. */
struct bed {
	struct paths paths;
	struct strbuf list;
	char *project;
	int project_fd;
	int session_fd;
};

static void
write_at(int fd, const char *name, const char *text, mode_t mode)
{
	cleanup_close int f =
	    openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (CHECK(f >= 0))
		CHECK(write(f, text, strlen(text)) == (ssize_t)strlen(text));
}

static void
make_dirs(int fd, const char *path)
{
	cleanup_free char *copy = xstrdup(path);

	for (char *at = copy; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdirat(fd, copy, 0755);
		*at = '/';
	}
	(void)mkdirat(fd, copy, 0755);
}

/* Makes a git directory. */
static void
make_git(int fd, const char *path)
{
	cleanup_free char *objects = xasprintf("%s/objects", path);
	cleanup_free char *refs = xasprintf("%s/refs", path);
	cleanup_free char *hooks = xasprintf("%s/hooks", path);
	cleanup_free char *head = xasprintf("%s/HEAD", path);
	cleanup_free char *config = xasprintf("%s/config", path);
	cleanup_free char *sample = xasprintf("%s/hooks/x.sample", path);

	make_dirs(fd, objects);
	make_dirs(fd, refs);
	make_dirs(fd, hooks);
	write_at(fd, head, "ref: refs/heads/main\n", 0644);
	write_at(fd, config, "[core]\n\tbare = false\n", 0644);
	write_at(fd, sample, "#!/bin/sh\n", 0755);
}

static void
bed_init(struct bed *bed)
{
	cleanup_free char *dir = xasprintf("%s/session", check_tmpdir());
	cleanup_free char *state = xasprintf("%s/state", check_tmpdir());
	cleanup_diag struct diag dg = DIAG_INIT;

	data_kit_paths(&bed->paths);
	strbuf_init(&bed->list);
	CHECK_INT(datafile_read(&bed->paths, WATCHLIST_NAME, WATCHLIST_MAX,
		      &bed->list, &dg),
	    0);
	bed->project = xasprintf("%s/project", check_tmpdir());
	CHECK(mkdir(bed->project, 0755) == 0 && mkdir(dir, 0700) == 0 &&
	    mkdir(state, 0700) == 0);
	CHECK_INT(fs_open_dir(bed->project, &bed->project_fd, &dg), 0);
	CHECK_INT(fs_open_dir(dir, &bed->session_fd, &dg), 0);
	CHECK_INT(fs_open_dir(state, &bed->paths.state_fd, &dg), 0);
	bed->paths.state_dir = steal_ptr(&state);
}

static void
bed_release(struct bed *bed)
{
	(void)close(bed->project_fd);
	(void)close(bed->session_fd);
	free(bed->project);
	strbuf_release(&bed->list);
	paths_release(&bed->paths);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

static void
begin(struct bed *bed, char **ret_missed)
{
	struct plan_mount mount = {
		.role = &mount_roles[MOUNT_PROJECT],
		.source = bed->project,
		.target = bed->project,
		.fd = -1,
		.st = { .st_mode = S_IFDIR },
	};
	struct plan_service agent = { .mounts = &mount, .nmounts = 1 };
	struct plan plan = { .services = &agent, .nservices = 1 };
	cleanup_free char *name = xstrdup("agent");
	cleanup_diag struct diag dg = DIAG_INIT;

	agent.name = name;
	if (!CHECK_INT(changes_begin(&plan, bed->list.buf, bed->list.len,
			   bed->session_fd, ret_missed, &dg),
		0))
		(void)fprintf(stderr, "# %s\n", dg.message);
}

static void
begin_whole(struct bed *bed)
{
	cleanup_free char *missed = NULL;

	begin(bed, &missed);
	CHECK_STR(missed, NULL);
}

/* Returned: "WORD PATH|WORD PATH" of all changes. */
static char *
described(const struct changes *c)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < c->nr; i++) {
		strbuf_addf(
		    &out, "%s%s ", i > 0 ? "|" : "", change_word(&c->v[i]));
		watched_describe(&c->start, change_file(&c->v[i]), &out);
	}
	return strbuf_detach(&out, NULL);
}

static void
check_changes(struct bed *bed, const char *what, const char *want)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *got = NULL;

	if (!CHECK_INT(changes_find(bed->session_fd, 5000, &c, &dg), 0)) {
		(void)fprintf(stderr, "# %s: %s\n", what, dg.message);
		return;
	}
	got = described(&c);
	if (!CHECK_STR(got, want))
		(void)fprintf(stderr, "# %s\n", what);
}

/* Puts all back and expects the start's state. */
static void
put_back(struct bed *bed, const char *what)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!CHECK_INT(changes_find(bed->session_fd, 5000, &c, &dg), 0))
		return;
	for (size_t i = 0; i < c.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;
		cleanup_free char *kept = NULL;

		if (!CHECK_INT(restore_change(&bed->paths, "abcd1234", &c,
				   &c.v[i], &kept, &one),
			0))
			(void)fprintf(stderr, "# %s: %s\n", what, one.message);
	}
	check_changes(bed, what, "");
}

static void
project_of_all(struct bed *bed)
{
	int fd;

	bed_init(bed);
	fd = bed->project_fd;
	make_git(fd, ".git");
	make_git(fd, ".git/modules/sub");
	make_dirs(fd, "sub");
	write_at(fd, "sub/.git", "gitdir: ../.git/modules/sub\n", 0644);
	write_at(fd, ".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n", 0755);
	make_dirs(fd, ".vscode");
	write_at(fd, ".vscode/tasks.json", "{}\n", 0644);
	write_at(fd, "package.json",
	    "{\"name\": \"x\", \"scripts\": {\"test\": \"true\"}}\n", 0644);
	make_dirs(fd, "scripts");
	write_at(fd, "scripts/hook", "#!/bin/sh\n", 0755);
	CHECK(symlinkat("../../scripts/hook", fd, ".git/hooks/pre-push") == 0);
	write_at(fd, "README", "x\n", 0644);
	begin_whole(bed);
}

static void
nested(int fd)
{
	make_git(fd, "deep/er/repo/.git");
	write_at(fd, "deep/er/repo/.git/config", "[core]\n", 0644);
}

static void
bare(int fd)
{
	make_git(fd, "docs");
}

static void
fsmonitor(int fd)
{
	write_at(fd, ".git/config", "[core]\n\tfsmonitor = /tmp/x\n", 0644);
}

static void
submodule_config(int fd)
{
	write_at(fd, ".git/modules/sub/config", "[core]\n\tpager = x\n", 0644);
}

static void
hook(int fd)
{
	write_at(fd, ".git/hooks/post-checkout", "#!/bin/sh\n", 0755);
}

static void
hook_mode(int fd)
{
	CHECK(fchmodat(fd, ".git/hooks/pre-commit", 0644, 0) == 0);
}

static void
hook_target(int fd)
{
	write_at(fd, "scripts/hook", "#!/bin/sh\nevil\n", 0755);
}

static void
hooks_are_a_link(int fd)
{
	make_dirs(fd, "evil");
	write_at(fd, "evil/pre-commit", "#!/bin/sh\nevil\n", 0755);
	CHECK(renameat(fd, ".git/hooks", fd, ".git/was") == 0);
	CHECK(symlinkat("../evil", fd, ".git/hooks") == 0);
}

static void
git_is_a_file(int fd)
{
	CHECK(renameat(fd, ".git", fd, "was") == 0);
	write_at(fd, ".git", "gitdir: /tmp/elsewhere\n", 0644);
}

static void
commondir(int fd)
{
	write_at(fd, ".git/commondir", "/tmp/elsewhere\n", 0644);
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
	make_dirs(fd, ".git/config/x");
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
	make_dirs(fd, "a/b");
	write_at(fd, "a/b/.envrc", "evil\n", 0644);
}

static void
scripts(int fd)
{
	write_at(fd, "package.json",
	    "{\"name\": \"x\", \"scripts\": {\"prepare\": \"evil\"}}\n", 0644);
}

static void
dependencies(int fd)
{
	write_at(fd, "package.json",
	    "{\"version\": \"2\", \"name\": \"x\", \"scripts\": {\"test\": "
	    "\"true\"}}\n",
	    0644);
	make_dirs(fd, "lib");
	write_at(fd, "lib/package.json", "{\"name\": \"y\"}\n", 0644);
}

static void
no_json(int fd)
{
	write_at(fd, "package.json", "{\"scripts\": ", 0644);
}

static void
in_node_modules(int fd)
{
	make_dirs(fd, "node_modules/x");
	write_at(fd, "node_modules/x/package.json",
	    "{\"scripts\": {\"a\": \"b\"}}\n", 0644);
	make_git(fd, "node_modules/y/.git");
}

static void
a_name_with_bytes(int fd)
{
	write_at(fd, ".git/hooks/\xff\n\033[31m", "x\n", 0755);
}

static void
ordinary(int fd)
{
	write_at(fd, "README", "y\n", 0644);
	write_at(fd, ".git/hooks/y.sample", "x\n", 0755);
	write_at(fd, ".git/HEAD", "ref: refs/heads/other\n", 0644);
}

static const struct {
	const char *what;
	void (*attack)(int fd);
	const char *want;
	bool stays; /* root reads it all the same */
} attacks[] = {
	{ "nothing that runs", ordinary, "", false },
	{ "a line of config", fsmonitor, "changed .git/config", false },
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

	project_of_all(&bed);
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
		begin_whole(&one);
		check_changes(&one, attacks[i].what, "");
		attacks[i].attack(fd);
		check_changes(&one, attacks[i].what, attacks[i].want);
		put_back(&one, attacks[i].what);
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
	make_git(fd, ".git");
	write_at(fd, ".git/config", config, 0644);
	make_dirs(fd, "tools/git hooks");
	write_at(fd, "tools/git hooks/pre-commit", "#!/bin/sh\n", 0755);
	write_at(fd, "more.config", "[include]\npath = deeper\n", 0644);
	begin_whole(&bed);
	check_changes(&bed, "nothing", "");
	write_at(fd, "tools/git hooks/pre-commit", "#!/bin/sh\nevil\n", 0755);
	write_at(fd, "tools/git hooks/pre-push", "#!/bin/sh\n", 0755);
	write_at(fd, "more.config",
	    "[include]\npath = deeper\npath = more.config\n", 0644);
	write_at(fd, "deeper", "[core]\n\tfsmonitor = evil\n", 0644);
	write_at(fd, ".git/gone", "[core]\n\tfsmonitor = evil\n", 0644);
	check_changes(&bed, "all",
	    "new .git/gone|new deeper|changed more.config|"
	    "changed tools/git hooks/pre-commit|new tools/git hooks/pre-push");
	put_back(&bed, "all");
}

static void
test_git_file(void)
{
	cleanup_bed struct bed bed;

	project_of_all(&bed);
	git_is_a_file(bed.project_fd);
	check_changes(&bed, "a file .git",
	    "new .git|removed .git/config|removed .git/hooks/pre-commit|"
	    "removed .git/hooks/pre-push|removed .git/modules/sub/config|"
	    "new was/config|new was/hooks/pre-commit|"
	    "new was/hooks/pre-push|new was/modules/sub/config");
}

static int
count_kept(const struct bed *bed, const char *want)
{
	cleanup_free char *dir =
	    xasprintf("%s/ended/abcd1234.kept", bed->paths.state_dir);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	int n = 0;

	if (fs_open_dir(dir, &fd, &dg) != 0)
		return -1;
	for (int i = 1; i < 10; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag none = DIAG_INIT;
		cleanup_free char *name = xasprintf("%d-.git%%config", i);

		if (fs_read_file(fd, name, 100, &text, &none) == 0 &&
		    strcmp(text.buf, want) == 0)
			n++;
	}
	return n;
}

static void
test_kept(void)
{
	cleanup_bed struct bed bed;

	project_of_all(&bed);
	write_at(bed.project_fd, ".git/config", "evil\n", 0600);
	put_back(&bed, "config");
	CHECK_INT(count_kept(&bed, "evil\n"), 1);
	write_at(bed.project_fd, ".git/config", "evil\n", 0600);
	put_back(&bed, "config again");
	CHECK_INT(count_kept(&bed, "evil\n"), 2);
}

/* What is changed between the comparison and the restore is kept, too. */
static void
test_swapped(void)
{
	cleanup_bed struct bed bed;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *kept = NULL;
	struct stat st;

	project_of_all(&bed);
	fsmonitor(bed.project_fd);
	CHECK_INT(changes_find(bed.session_fd, 5000, &c, &dg), 0);
	if (!CHECK_INT(c.nr, 1))
		return;
	write_at(bed.project_fd, ".git/config", "swapped\n", 0600);
	CHECK_INT(
	    restore_change(&bed.paths, "abcd1234", &c, &c.v[0], &kept, &dg), 0);
	CHECK_INT(count_kept(&bed, "swapped\n"), 1);
	/* A parent that became a link is not followed. */
	fsmonitor(bed.project_fd);
	make_dirs(bed.project_fd, "target");
	CHECK(renameat(bed.project_fd, ".git", bed.project_fd, "was") == 0);
	CHECK(symlinkat("target", bed.project_fd, ".git") == 0);
	free(kept);
	kept = NULL;
	CHECK_INT(
	    restore_change(&bed.paths, "abcd1234", &c, &c.v[0], &kept, &dg),
	    -1);
	CHECK(fstatat(bed.project_fd, "target/config", &st, 0) != 0);
}

/* The file that the agent writes as soon as a restore has moved it, or NULL. */
static const char *rewritten;

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags);

int
__wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	int rc = __real_renameat2(from_fd, from, to_fd, to, flags);

	if (rc == 0 && rewritten != NULL) {
		write_at(to_fd, "newer", "newer\n", 0644);
		CHECK(renameat(to_fd, "newer", to_fd, rewritten) == 0);
		rewritten = NULL;
	}
	return rc;
}

/* Counts the files of the directory that begin with the text. */
static int
count_files(int fd, const char *text)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int n = 0;

	CHECK_INT(fs_list_names(fd, ".", &names, &dg), 0);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_close int in =
		    openat(fd, names.v[i], O_RDONLY | O_CLOEXEC);
		char start[16] = "";

		if (in >= 0 && read(in, start, strlen(text)) > 0)
			n += strcmp(start, text) == 0;
	}
	return n;
}

/*
 * A restore whose old version cannot be kept, because it is larger than a file
 * may be, is undone.
 */
static void
undo(const struct bed *bed, int fd, const char *name, bool rewrites)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *kept = NULL;
	struct rlimit before;
	struct rlimit little;

	CHECK_INT(changes_find(bed->session_fd, 5000, &c, &dg), 0);
	if (!CHECK_INT(c.nr, 1))
		return;
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 4 << 20;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &little), 0);
	rewritten = rewrites ? name : NULL;
	CHECK_INT(
	    restore_change(&bed->paths, "abcd1234", &c, &c.v[0], &kept, &dg),
	    -1);
	CHECK_STR(rewritten, NULL);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);

	CHECK_STR(kept, NULL);
	CHECK_INT(count_files(fd, "older\n"), 1);
	CHECK_INT(count_files(fd, "newer\n"), rewrites);
	CHECK_INT(strstr(dg.message, "another version of the file") != NULL,
	    rewrites);
}

static void
undo_with_and_without_a_writer(const char *dir, const char *name)
{
	cleanup_bed struct bed bed;
	cleanup_close int fd = -1;
	cleanup_close int file = -1;

	(void)signal(SIGXFSZ, SIG_IGN);
	project_of_all(&bed);
	fd = openat(bed.project_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_at(fd, name, "older\n", 0644);
	file = openat(fd, name, O_WRONLY | O_CLOEXEC);
	CHECK(ftruncate(file, 8 << 20) == 0);
	undo(&bed, fd, name, false);
	undo(&bed, fd, name, true);
}

static void
test_undone_change(void)
{
	undo_with_and_without_a_writer(".git", "config");
}

static void
test_undone_new(void)
{
	undo_with_and_without_a_writer(".git/hooks", "post-checkout");
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

	project_of_all(&bed);
	none = check_stderr(print_tell, &bed);
	CHECK_STR(none, "");
	fsmonitor(bed.project_fd);
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

	project_of_all(&bed);
	hook(bed.project_fd);
	fsmonitor(bed.project_fd);
	changes_keep(&bed.paths, bed.session_fd, "abcd1234");
	/* A change after the end is none of the session's. */
	envrc_below(bed.project_fd);
	if (!CHECK_INT(changes_find_ended(&bed.paths, "abcd1234", &c, &dg), 0))
		return;
	got = described(&c);
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

/* 100,000 new hooks: bounded, and the known files are still compared. */
static void
test_many(void)
{
	cleanup_bed struct bed bed;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool config = false;

	project_of_all(&bed);
	for (int i = 0; i < 100001; i++) {
		cleanup_free char *name = xasprintf(".git/hooks/%d", i);

		(void)mknodat(bed.project_fd, name, S_IFREG | 0700, 0);
	}
	fsmonitor(bed.project_fd);
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

	project_of_all(&bed);
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

	project_of_all(&bed);
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
		{ "what is replaced is kept", test_kept },
		{ "a file is swapped during a restore", test_swapped },
		{ "a restore that fails removes no version",
		    test_undone_change },
		{ "a restore that fails removes no version of a new file",
		    test_undone_new },
		{ "changes are told once", test_told_once },
		{ "changes outlive their session", test_ended },
		{ "100,000 new files are bounded", test_many },
		{ "another directory in its place", test_other_directory },
		{ "a session without a state", test_no_state },
		{ "a damaged state is refused", test_damage },
		{ "mistakes in the list are named", test_watchlist },
		{ "a file that cannot be opened is not absent",
		    test_unreadable },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
