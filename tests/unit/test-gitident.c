/* SPDX-License-Identifier: MIT */
/* The git identity: the user's own files, and nothing of the project's. */
#include "host/gitident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"

#include "check.h"

static void
write_file(const char *dir, const char *name, const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	cleanup_close int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (!CHECK(fd >= 0) ||
	    fs_write_all(fd, text, strlen(text), path, &dg) != 0)
		CHECK_STR(dg.message, "");
}

/* Below dir, its parents too. */
static void
make_dirs(const char *dir, const char *path)
{
	cleanup_free char *copy = xstrdup(path);
	cleanup_free char *whole = NULL;

	for (char *slash = copy; (slash = strchr(slash, '/')) != NULL;) {
		cleanup_free char *part = NULL;

		*slash = '\0';
		part = xasprintf("%s/%s", dir, copy);
		(void)mkdir(part, 0755);
		*slash++ = '/';
	}
	whole = xasprintf("%s/%s", dir, path);
	(void)mkdir(whole, 0755);
}

/* A home, with a project that is the least git takes for a repository. */
struct bed {
	struct paths paths;
	char *home;
	char *project;
	char *git;
};

static void
bed_make(struct bed *bed)
{
	cleanup_free char *real = realpath(check_tmpdir(), NULL);

	*bed = (struct bed){ .home = xasprintf("%s/home", real) };
	make_dirs(real, "home/src/p/.git/objects");
	make_dirs(real, "home/src/p/.git/refs/heads");
	make_dirs(real, "home/.config/git");
	bed->project = xasprintf("%s/src/p", bed->home);
	bed->git = xasprintf("%s/.git", bed->project);
	write_file(bed->git, "HEAD", "ref: refs/heads/main\n");
	write_file(
	    bed->git, "config", "[core]\n\trepositoryformatversion = 0\n");
	bed->paths.home = bed->home;
	bed->paths.config_dir = xasprintf("%s/.config/drydock", bed->home);
}

static void
bed_release(struct bed *bed)
{
	free(bed->paths.config_dir);
	free(bed->home);
	free(bed->project);
	free(bed->git);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

/* "NAME <EMAIL>", or what was wrong. */
static char *
identity(const struct bed *bed)
{
	cleanup_gitident struct gitident ident = GITIDENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (gitident_load(&ident, &bed->paths, bed->project, &dg) != 0) {
		CHECK_INT(dg.class, DIAG_CONFIG);
		return xstrdup(dg.message);
	}
	return xasprintf("%s <%s>", ident.name != NULL ? ident.name : "",
	    ident.email != NULL ? ident.email : "");
}

static void
check_identity(const struct bed *bed, const char *want)
{
	cleanup_free char *got = identity(bed);

	CHECK_STR(got, want);
}

static void
test_values(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "", " <>" },
		{ "[user]\n\tname = A B\n\temail = a@b\n", "A B <a@b>" },
		{ "[USER]\r\nNAME = A\r\n", "A <>" },
		{ "[user]\nname = \"A # \\\"B\\\"  \" ; c", "A # \"B\"   <>" },
		{ "[user]\nname = A\nname = B", "B <>" },
		{ "[user \"x\"]\nname = A", " <>" },
		{ "[user]\nname\nemail = a@b", " <a@b>" },
		{ "[user]\nname =\n", " <>" },
		{ "[user]\nname = \"a\\nb\"\n", " <>" },
		{ "[user]\nname = \xff\n", " <>" },
		{ "[user]\nname = \"a\\bb\"\n", " <>" },
		{ "[include]\npath = more\n[user]\nname = A", "A <m@m>" },
		{ "[user]\nname = A\n[include]\npath = more", "M <m@m>" },
	};
	cleanup_bed struct bed bed;

	bed_make(&bed);
	write_file(bed.home, "more", "[user]\nname = M\nemail = m@m\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_file(bed.home, ".gitconfig", rows[i].text);
		check_identity(&bed, rows[i].want);
	}
}

static void
test_both(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	check_identity(&bed, " <>");
	write_file(
	    bed.home, ".config/git/config", "[user]\nname = X\nemail = x@x\n");
	check_identity(&bed, "X <x@x>");
	write_file(bed.home, ".gitconfig", "[user]\nname = A\n");
	check_identity(&bed, "A <x@x>");
	write_file(bed.home, ".gitconfig", "[user");
	{
		cleanup_free char *got = identity(&bed);

		CHECK(strncmp(got, "git cannot read ", 16) == 0);
		CHECK(strstr(got, "/.gitconfig: ") != NULL);
	}
}

static void
test_conditions(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *other = NULL;

	bed_make(&bed);
	write_file(bed.home, ".gitconfig",
	    "[user]\nname = A\n[includeIf \"gitdir:~/src/\"]\n"
	    "path = work.inc\n[includeIf \"onbranch:main\"]\n"
	    "path = main.inc\n");
	write_file(bed.home, "work.inc", "[user]\nname = W\n");
	write_file(bed.home, "main.inc", "[user]\nemail = main@x\n");
	check_identity(&bed, "W <main@x>");
	/* No repository: no condition of one. */
	other = xasprintf("%s/other", bed.home);
	make_dirs(bed.home, "other");
	free(bed.project);
	bed.project = steal_ptr(&other);
	check_identity(&bed, "A <>");
}

/* A linked worktree's .git names a directory that names it. */
static void
test_worktree(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *linked = NULL;
	cleanup_free char *admin = NULL;
	cleanup_free char *text = NULL;

	bed_make(&bed);
	write_file(bed.home, ".gitconfig",
	    "[user]\nname = A\n[includeIf \"gitdir:~/src/\"]\n"
	    "path = work.inc\n");
	write_file(bed.home, "work.inc", "[user]\nname = W\n");
	make_dirs(bed.home, "linked");
	make_dirs(bed.git, "worktrees/linked");
	linked = xasprintf("%s/linked", bed.home);
	admin = xasprintf("%s/worktrees/linked", bed.git);
	text = xasprintf("gitdir: %s\n", admin);
	write_file(linked, ".git", text);
	write_file(admin, "HEAD", "ref: refs/heads/x\n");
	write_file(admin, "commondir", "../..\n");
	free(bed.project);
	bed.project = xstrdup(linked);

	/* Whoever writes the project's .git alone chooses nothing. */
	check_identity(&bed, "A <>");
	write_file(admin, "gitdir", "/elsewhere/.git\n");
	check_identity(&bed, "A <>");
	free(text);
	text = xasprintf("%s/.git\n", linked);
	write_file(admin, "gitdir", text);
	check_identity(&bed, "W <>");
}

/* All names that are opened below the watched directories from now on. */
static int
watch(const struct bed *bed)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	static const char *const dirs[] = { "", ".git", ".git/hooks",
		".git/objects", ".git/refs" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *path =
		    xasprintf("%s/%s", bed->project, dirs[i]);

		CHECK(inotify_add_watch(fd, path, IN_OPEN) >= 0);
	}
	return fd;
}

static void
list_opened(int fd, struct strvec *names)
{
	char buf[8192] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *at = buf; at < buf + n;) {
			struct inotify_event event;

			memcpy(&event, at, sizeof(event));
			if (event.len > 0 &&
			    !strvec_has(names, at + sizeof(event)))
				strvec_push(names, at + sizeof(event));
			at += sizeof(event) + event.len;
		}
	}
}

/* What a repository can have run, each of which would leave a file. */
static void
make_hostile(const struct bed *bed)
{
	static const char *const keys[] = { "fsmonitor", "pager", "editor",
		"sshCommand", "askPass", "gitProxy", "attributesFile" };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf hook = STRBUF_INIT;

	make_dirs(bed->git, "hooks");
	strbuf_addf(&hook, "touch %s/owned", bed->home);
	strbuf_addstr(&text, "[core]\n\trepositoryformatversion = 0\n");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		strbuf_addf(&text, "\t%s = %s\n", keys[i], hook.buf);
	strbuf_addf(&text,
	    "\tworktree = /\n\thooksPath = %s/hooks\n"
	    "[alias]\n\tconfig = !%s\n[pager]\n\tconfig = %s\n"
	    "[credential]\n\thelper = !%s\n[filter \"x\"]\n\tclean = %s\n"
	    "[include]\n\tpath = %s/evil\n[user]\n\tname = Evil\n",
	    bed->git, hook.buf, hook.buf, hook.buf, hook.buf, bed->project);
	write_file(bed->git, "config", text.buf);
	write_file(bed->project, "evil", "[user]\nemail = evil@x\n");
	write_file(bed->git, "packed-refs", "");
	strbuf_addstr(&hook, "\n");
	write_file(bed->git, "hooks/post-checkout", hook.buf);
}

static void
test_hostile(void)
{
	static const char *const read_by_git[] = { "HEAD", "config", ".git" };
	cleanup_bed struct bed bed;
	cleanup_free char *owned = NULL;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	bed_make(&bed);
	write_file(bed.home, ".gitconfig",
	    "[user]\nname = A\n[includeIf \"gitdir:~/src/\"]\n"
	    "path = work.inc\n");
	write_file(bed.home, "work.inc", "[user]\nemail = w@x\n");
	make_hostile(&bed);
	fd = watch(&bed);
	check_identity(&bed, "A <w@x>");
	list_opened(fd, &names);
	CHECK(strvec_has(&names, "HEAD"));
	for (size_t i = 0; i < names.nr; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(read_by_git); k++)
			known =
			    known || strcmp(names.v[i], read_by_git[k]) == 0;
		if (!known)
			CHECK_STR(names.v[i], "a file that git needs");
	}
	owned = xasprintf("%s/owned", bed.home);
	CHECK(access(owned, F_OK) != 0);
}

/* Each in place of a file of .git: git would wait, or read elsewhere. */
static void
test_planted(void)
{
	static const struct {
		const char *name;
		const char *link; /* NULL: a fifo */
	} rows[] = {
		{ "config", NULL },
		{ "HEAD", NULL },
		{ "config", "/dev/zero" },
		{ "HEAD", "/dev/zero" },
		{ "commondir", NULL },
		{ "commondir", "/dev/zero" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_bed struct bed bed;
		cleanup_free char *path = NULL;
		int64_t begin;

		bed_make(&bed);
		write_file(bed.home, ".gitconfig", "[user]\nname = A\n");
		path = xasprintf("%s/%s", bed.git, rows[i].name);
		(void)unlink(path);
		CHECK_INT(rows[i].link == NULL ? mkfifo(path, 0600)
					       : symlink(rows[i].link, path),
		    0);
		begin = monotime_ms();
		check_identity(&bed, "A <>");
		CHECK(monotime_ms() - begin < 4000);
		CHECK_INT(unlink(path), 0);
	}
}

/* The user's own include may never end. */
static void
test_deadline(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *fifo = NULL;
	cleanup_free char *got = NULL;

	bed_make(&bed);
	fifo = xasprintf("%s/fifo", bed.home);
	CHECK_INT(mkfifo(fifo, 0600), 0);
	write_file(bed.home, ".gitconfig", "[include]\npath = fifo\n");
	got = identity(&bed);
	CHECK(strncmp(got, "git did not read ", 17) == 0);
	CHECK(strstr(got, " within 5 seconds") != NULL);
}

static void
test_written(void)
{
	cleanup_bed struct bed bed;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct gitident ident = { .name = xstrdup("A \"B\" \\ #;"),
		.email = xstrdup("a@b"),
		.safe = STRVEC_INIT };

	bed_make(&bed);
	gitident_write(&ident, NULL, &text);
	write_file(bed.home, ".gitconfig", text.buf);
	check_identity(&bed, "A \"B\" \\ #; <a@b>");
	gitident_release(&ident);
}

/* What git is told to trust, it trusts in a session. */
static void
test_safe(void)
{
	cleanup_bed struct bed bed;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_gitident struct gitident ident = GITIDENT_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	bed_make(&bed);
	write_file(bed.home, ".gitconfig",
	    "[safe]\ndirectory = /gone\ndirectory =\n"
	    "directory = \"/a b\"\ndirectory = *\n");
	write_file(bed.git, "config", "[safe]\ndirectory = /theirs\n");
	CHECK_INT(gitident_load(&ident, &bed.paths, bed.project, &dg), 0);
	gitident_write(&ident, NULL, &text);
	CHECK_STR(
	    text.buf, "[safe]\n\tdirectory = \"/a b\"\n\tdirectory = \"*\"\n");
}

/* Only a chosen key, and only its public half. */
static void
test_signing_key(void)
{
	static const char pub[] = "ssh-ed25519 a2V5 somebody@example.test\n";
	static const struct {
		const char *config, *want;
	} rows[] = {
		{ "[gpg]\nformat = ssh\n[user]\nsigningKey = ~/.ssh/id\n",
		    "key::ssh-ed25519 a2V5" },
		{ "[gpg]\nformat = ssh\n[user]\nsigningKey = ~/.ssh/id.pub\n",
		    "key::ssh-ed25519 a2V5" },
		{ "[gpg]\nformat = ssh\n[user]\n"
		  "signingKey = key::ssh-ed25519 a2V5 x\n",
		    "key::ssh-ed25519 a2V5" },
		{ "[gpg]\nformat = ssh\n[user]\n"
		  "signingKey = ssh-ed25519 a2V5\n",
		    "key::ssh-ed25519 a2V5" },
		{ "[gpg]\nformat = ssh\n[user]\n"
		  "signingKey = ssh-ed25519 a2V4\n",
		    NULL },
		{ "[gpg]\nformat = ssh\n[user]\nsigningKey = ~/.ssh/none\n",
		    NULL },
		{ "[gpg]\nformat = ssh\n[user]\nsigningKey = .ssh/id\n", NULL },
		{ "[user]\nsigningKey = ~/.ssh/id\n", NULL },
		{ "[gpg]\nformat = ssh\n", NULL },
	};
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_strvec struct strvec none = STRVEC_INIT;

	/* Of "key", as in test-sshproto.c. */
	strvec_push(
	    &keys, "SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_bed struct bed bed;
		cleanup_gitident struct gitident ident = GITIDENT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *key = NULL;

		bed_make(&bed);
		make_dirs(bed.home, ".ssh");
		write_file(bed.home, ".ssh/id.pub", pub);
		write_file(bed.home, ".gitconfig", rows[i].config);
		CHECK_INT(gitident_load(&ident, &bed.paths, bed.home, &dg), 0);
		key = gitident_signing_key(&ident, &bed.paths, &keys);
		if (rows[i].want == NULL)
			CHECK(key == NULL);
		else
			CHECK_STR(key == NULL ? "" : key, rows[i].want);
		CHECK(gitident_signing_key(&ident, &bed.paths, &none) == NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a chosen key signs", test_signing_key },
		{ "a name and an address are read, as git reads them",
		    test_values },
		{ "both files count, the last value wins", test_both },
		{ "conditions on the repository hold", test_conditions },
		{ "a worktree counts that its repository names",
		    test_worktree },
		{ "a hostile repository runs nothing and names nobody",
		    test_hostile },
		{ "planted files are not waited for", test_planted },
		{ "git has a deadline", test_deadline },
		{ "what is written is read back as the same", test_written },
		{ "directories that the user trusts come along", test_safe },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
