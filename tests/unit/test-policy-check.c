/* SPDX-License-Identifier: MIT */
/* The guardrail check, run as the program that the image runs. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"

#define FILE_NAME "settings.d/one.json"

/* Runs it over kit; its status, and what it said. */
static int
run_check(struct kit *kit, bool build, struct strbuf *ret_err)
{
	const char *argv[] = { "check-policy", "--policy", kit->policy,
		"--manifest", kit->manifest, build ? "--build" : NULL, NULL };
	if (!kit_spawn(kit, argv))
		return -1;
	int status = kit_wait(kit);
	kit_read_error(kit, ret_err);
	return status;
}

/* A path below the policy directory. */
static char *
below(const struct kit *kit, const char *name)
{
	return xasprintf("%s/%s", kit->policy, name);
}

static void
write_text(const char *path, const char *mode, const char *text)
{
	FILE *f = fopen(path, mode);
	if (CHECK(f != NULL)) {
		CHECK(fputs(text, f) >= 0);
		CHECK_INT(fclose(f), 0);
	}
}

/* Writes into a file that is 0444 in a directory that is 0555. */
static void
change_file(const struct kit *kit, const char *name, const char *text)
{
	cleanup_free char *path = below(kit, name);
	cleanup_free char *dir = below(kit, "settings.d");
	CHECK_INT(chmod(dir, 0755), 0);
	(void)chmod(path, 0644);
	write_text(path, "w", text);
	CHECK_INT(chmod(path, 0444), 0);
	CHECK_INT(chmod(dir, 0555), 0);
}

static void
change_one_byte(const struct kit *kit)
{
	change_file(kit, FILE_NAME, "{\"permissionz\":{}}\n");
}

static void
truncate_it(const struct kit *kit)
{
	change_file(kit, FILE_NAME, "");
}

static void
add_file(const struct kit *kit)
{
	change_file(kit, "settings.d/two.json", "{}\n");
}

static void
make_writable(const struct kit *kit)
{
	cleanup_free char *path = below(kit, FILE_NAME);
	CHECK_INT(chmod(path, 0644), 0);
}

static void
make_unreadable(const struct kit *kit)
{
	cleanup_free char *path = below(kit, FILE_NAME);
	CHECK_INT(chmod(path, 0400), 0);
}

static void
make_set_id(const struct kit *kit)
{
	cleanup_free char *path = below(kit, FILE_NAME);
	CHECK_INT(chmod(path, 04444), 0);
}

static void
open_directory(const struct kit *kit)
{
	cleanup_free char *path = below(kit, "settings.d");
	CHECK_INT(chmod(path, 0755), 0);
}

static void
open_top(const struct kit *kit)
{
	CHECK_INT(chmod(kit->policy, 0777), 0);
}

static void
remove_file(const struct kit *kit)
{
	cleanup_free char *dir = below(kit, "settings.d");
	cleanup_free char *path = below(kit, FILE_NAME);
	CHECK_INT(chmod(dir, 0755), 0);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(chmod(dir, 0555), 0);
}

/* The same bytes, but elsewhere. */
static void
replace_by(const struct kit *kit, int kind)
{
	cleanup_free char *dir = below(kit, "settings.d");
	cleanup_free char *path = below(kit, FILE_NAME);
	cleanup_free char *other = xasprintf("%s/other", check_tmpdir());
	CHECK_INT(chmod(dir, 0755), 0);
	CHECK_INT(rename(path, other), 0);
	CHECK_INT(kind == S_IFLNK ? symlink(other, path)
		: kind == S_IFIFO ? mkfifo(path, 0444)
				  : mkdir(path, 0555),
	    0);
	/* Whatever the umask. */
	CHECK(kind != S_IFDIR || chmod(path, 0555) == 0);
	CHECK_INT(chmod(dir, 0555), 0);
}

static void
replace_by_link(const struct kit *kit)
{
	replace_by(kit, S_IFLNK);
}

static void
replace_by_fifo(const struct kit *kit)
{
	replace_by(kit, S_IFIFO);
}

static void
replace_by_directory(const struct kit *kit)
{
	replace_by(kit, S_IFDIR);
}

static void
link_the_top(const struct kit *kit)
{
	cleanup_free char *other = xasprintf("%s/elsewhere", check_tmpdir());
	CHECK_INT(chmod(kit->policy, 0755), 0);
	CHECK_INT(rename(kit->policy, other), 0);
	CHECK_INT(chmod(other, 0555), 0);
	CHECK_INT(symlink(other, kit->policy), 0);
}

static void
remove_manifest(const struct kit *kit)
{
	CHECK_INT(unlink(kit->manifest), 0);
}

static void
open_manifest(const struct kit *kit)
{
	CHECK_INT(chmod(kit->manifest, 0644), 0);
}

static void
set_manifest(const struct kit *kit, const char *mode, const char *text)
{
	CHECK_INT(chmod(kit->manifest, 0644), 0);
	write_text(kit->manifest, mode, text);
	CHECK_INT(chmod(kit->manifest, 0444), 0);
}

#define HEX "0123456789012345678901234567890123456789012345678901234567890123"

static void
empty_manifest(const struct kit *kit)
{
	set_manifest(kit, "w", "");
}

static void
cut_manifest(const struct kit *kit)
{
	set_manifest(kit, "a", HEX);
}

static void
short_digest(const struct kit *kit)
{
	set_manifest(kit, "a", "012345  z\n");
}

static void
leave_directory(const struct kit *kit)
{
	set_manifest(kit, "a", HEX "  settings.d/../../z\n");
}

static void
absolute_path(const struct kit *kit)
{
	set_manifest(kit, "a", HEX "  /etc/passwd\n");
}

static void
unsorted(const struct kit *kit)
{
	set_manifest(kit, "a", HEX "  a\n");
}

static void
twice(const struct kit *kit)
{
	set_manifest(kit, "a", HEX "  " FILE_NAME "\n");
}

static void
names_a_missing_one(const struct kit *kit)
{
	set_manifest(kit, "a", HEX "  settings.d/two.json\n");
}

static const struct row {
	void (*damage)(const struct kit *kit);
	const char *said;
} rows[] = {
	{ change_one_byte, FILE_NAME ": changed since" },
	{ truncate_it, FILE_NAME ": changed since" },
	{ add_file, "settings.d/two.json: not one of" },
	{ make_writable, FILE_NAME ": mode 0644 instead of 0444" },
	{ make_unreadable, FILE_NAME ": mode 0400 instead of 0444" },
	{ make_set_id, FILE_NAME ": mode 4444 instead of 0444" },
	{ open_directory, "settings.d: mode 0755 instead of 0555" },
	{ open_top, "policy: mode 0777 instead of 0555" },
	{ remove_file, FILE_NAME ": missing" },
	{ replace_by_link, FILE_NAME ": a symbolic link" },
	{ replace_by_fifo, FILE_NAME ": not a regular file" },
	{ replace_by_directory, FILE_NAME ": missing" },
	{ link_the_top, "policy: a symbolic link" },
	{ remove_manifest, "manifest: No such file" },
	{ open_manifest, "manifest: mode 0644 instead of 0444" },
	{ empty_manifest, "manifest: empty" },
	{ cut_manifest, "manifest: empty, cut off" },
	{ short_digest, "manifest:2: malformed" },
	{ leave_directory, "manifest:2: malformed" },
	{ absolute_path, "manifest:2: malformed" },
	{ unsorted, "manifest:2: not sorted" },
	{ twice, "manifest:2: not sorted" },
	{ names_a_missing_one, "settings.d/two.json: missing" },
};

static void
whole_guardrails_pass(void)
{
	struct kit kit;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_make(&kit))
		return;
	CHECK_INT(run_check(&kit, true, &err), 0);
	CHECK_STR(err.buf, "");
}

static void
damage_is_named(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kit kit;
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		if (!kit_make(&kit))
			return;
		rows[i].damage(&kit);
		CHECK_INT(run_check(&kit, true, &err), 77);
		if (!CHECK(strstr(err.buf, rows[i].said) != NULL))
			CHECK_STR(err.buf, rows[i].said);
		/* One line, and drydock's. */
		CHECK(strncmp(err.buf, "drydock: ", 9) == 0);
		CHECK(strchr(err.buf, '\n') == err.buf + err.len - 1);
		cleanup_free char *other =
		    xasprintf("%s/other", check_tmpdir());
		(void)unlink(other);
		cleanup_free char *elsewhere =
		    xasprintf("%s/elsewhere", check_tmpdir());
		cleanup_free char *old =
		    xasprintf("%s/old-%zu", check_tmpdir(), i);
		(void)chmod(elsewhere, 0755);
		(void)rename(elsewhere, old);
	}
}

/* The directory is the manifest's first line, unless an option names it. */
static void
manifest_names_the_directory(void)
{
	static const struct {
		const char *first; /* "%s" is the directory */
		bool files;
		int status;
		const char *said;
	} cases[] = {
		{ "# %s\n", true, 0, "" },
		{ "# none\n", false, 0, "" },
		{ "", true, 77, "manifest:1: names no directory" },
		{ "#%s\n", true, 77, "manifest:1: names no directory" },
		{ "# etc\n", true, 77, "manifest:1: names no directory" },
		{ "# /\n", true, 77, "manifest:1: names no directory" },
		{ "# /etc/../tmp\n", true, 77,
		    "manifest:1: names no directory" },
		{ "# %s/more\n", true, 77, "open " },
		{ "# %s\n", false, 77, "manifest: names no file" },
		{ "# none\n", true, 77,
		    "manifest: names files of no directory" },
		{ "# %s\n# none\n", true, 77, "manifest:2: malformed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kit kit;
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		char digest[DIGEST_HEX_SIZE];
		cleanup_strbuf struct strbuf file = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		const char *at = strstr(cases[i].first, "%s");

		if (!kit_make(&kit))
			return;
		cleanup_free char *path = below(&kit, FILE_NAME);
		cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		CHECK_INT(fs_read_fd(fd, path, 4096, &file, &dg), 0);
		digest_bytes(file.buf, file.len, digest);
		if (at == NULL)
			strbuf_addstr(&text, cases[i].first);
		else
			strbuf_addf(&text, "%.*s%s%s",
			    (int)(at - cases[i].first), cases[i].first,
			    kit.policy, at + 2);
		if (cases[i].files)
			strbuf_addf(&text, "%s  " FILE_NAME "\n", digest);
		set_manifest(&kit, "w", text.buf);
		const char *argv[] = { "check-policy", "--build", "--manifest",
			kit.manifest, NULL };
		if (!kit_spawn(&kit, argv))
			return;
		CHECK_INT(kit_wait(&kit), cases[i].status);
		kit_read_error(&kit, &err);
		if (!CHECK(strstr(err.buf, cases[i].said) != NULL))
			CHECK_STR(err.buf, cases[i].said);
	}
}

static void
owner_counts(void)
{
	struct kit kit;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (geteuid() != 0) {
		check_skip("only root can give files away");
		return;
	}
	if (!kit_make(&kit))
		return;
	cleanup_free char *path = below(&kit, FILE_NAME);
	CHECK_INT(chown(path, 12345, 0), 0);
	CHECK_INT(run_check(&kit, true, &err), 77);
	CHECK(strstr(err.buf, "owned by 12345") != NULL);
}

static void
writable_root_is_refused(void)
{
	struct kit kit;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_make(&kit))
		return;
	CHECK_INT(run_check(&kit, false, &err), 77);
	CHECK(strstr(err.buf, "manifest: on a file system that is writable") !=
	    NULL);
}

static bool
own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool
cover_directory(const struct kit *kit)
{
	cleanup_free char *path = below(kit, "settings.d");
	return own_mounts() && mount(path, path, NULL, MS_BIND, NULL) == 0;
}

static bool
cover_manifest(const struct kit *kit)
{
	return own_mounts() &&
	    mount(kit->manifest, kit->manifest, NULL, MS_BIND, NULL) == 0;
}

/* All of it on something read-only, as a container's root is. */
static bool
make_read_only(const struct kit *kit)
{
	const char *dir = check_tmpdir();
	(void)kit;
	return own_mounts() && mount(dir, dir, NULL, MS_BIND, NULL) == 0 &&
	    mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

static void
mounts_count(void)
{
	static const struct {
		bool (*in_child)(const struct kit *kit);
		bool build;
		int status;
		const char *said;
	} cases[] = {
		{ cover_directory, true, 77, "a mount over guardrail files" },
		{ cover_manifest, true, 77, "a mount over guardrail files" },
		{ make_read_only, false, 0, "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kit kit;
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		if (!kit_make(&kit))
			return;
		kit.in_child = cases[i].in_child;
		int status = run_check(&kit, cases[i].build, &err);
		if (status == 97) {
			check_skip("no mounts may be made here");
			return;
		}
		CHECK_INT(status, cases[i].status);
		CHECK(strstr(err.buf, cases[i].said) != NULL);
	}
}

static const struct check_test tests[] = {
	{ "whole guardrails pass", whole_guardrails_pass },
	{ "each damage is refused, and its file named", damage_is_named },
	{ "the manifest names the directory, or none",
	    manifest_names_the_directory },
	{ "a file that is not root's is refused", owner_counts },
	{ "outside a build a writable root is refused",
	    writable_root_is_refused },
	{ "a mount over them is refused, one read-only root passes",
	    mounts_count },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
