/* SPDX-License-Identifier: MIT */
/* sync as a room: what is stale, who shares what, and what a reader holds. */
#include "sync/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "sync/generation.h"
#include "sync/manifest.h"

#include "check.h"

static const char rules[] =
    "{\"command\": [\"tool\"], \"sync\": {"
    "\"trees\": [{\"path\": \".tool\", \"exclude\": [\"cache\", \"*.log\"]}],"
    "\"documents\": [{\"path\": \".tool.json\", \"to\": \".tool/main.json\","
    " \"drop\": [\".secret?\"]}],"
    "\"credentials\": [\".credentials*\"]}}";

struct bed {
	struct paths paths;
	struct settings settings;
	struct agent agent;
	int home_fd;
};

static void
bed_open(struct bed *bed)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *state = xasprintf("%s/state", check_tmpdir());

	paths_init(&bed->paths);
	settings_init(&bed->settings);
	bed->agent = (struct agent)AGENT_INIT;
	CHECK_INT(agent_parse(&bed->agent, "tool", "tool.json", rules,
		      strlen(rules), &dg),
	    0);
	bed->paths.uid = geteuid();
	bed->paths.home = xasprintf("%s/home", check_tmpdir());
	bed->paths.config_dir = xasprintf("%s/config/drydock", check_tmpdir());
	CHECK_INT(fs_make_path(bed->paths.home, 0700, &bed->home_fd, &dg), 0);
	CHECK_INT(fs_make_path(state, 0700, &bed->paths.state_fd, &dg), 0);
	bed->paths.state_dir = steal_ptr(&state);
	CHECK_INT(mkdirat(bed->home_fd, ".tool", 0755), 0);
}

static void
bed_close(struct bed *bed)
{
	(void)close(bed->home_fd);
	agent_release(&bed->agent);
	settings_release(&bed->settings);
	paths_release(&bed->paths);
}

#define cleanup_bed __attribute__((cleanup(bed_close)))

static void
put(struct bed *bed, const char *path, const char *text)
{
	int fd = openat(
	    bed->home_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static int
run(struct bed *bed, bool force, struct sync_outcome *ret, struct diag *dg)
{
	const struct sync_request request = {
		.paths = &bed->paths,
		.settings = &bed->settings,
		.agent = &bed->agent,
		.force = force,
		.wait_ms = 100,
	};

	return sync_run(&request, ret, dg);
}

/* Runs one that must go well; whether it made a snapshot. */
static bool
sync_now(struct bed *bed, bool force)
{
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(run(bed, force, &outcome, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return outcome.done;
}

/* Until what was just written is older than the clock's last tick. */
static void
settle(struct bed *bed)
{
	for (int i = 0; i < 1000 && sync_now(bed, false); i++)
		continue;
}

static void
check_snapshot(struct bed *bed, const char *path, const char *want)
{
	cleanup_free char *name = xasprintf("agents/tool/snapshot/%s", path);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (fs_read_file(bed->paths.state_fd, name, 4096, &text, &dg) < 0)
		CHECK(want == NULL && dg.errnum == ENOENT);
	else
		CHECK_STR(text.buf, want);
}

static void
test_whole(void)
{
	cleanup_bed struct bed bed;

	bed_open(&bed);
	put(&bed, ".tool/a", "a");
	put(&bed, ".tool/x.log", "log");
	put(&bed, ".tool/.credentials.json", "secret");
	put(&bed, ".tool.json", "{\"secret\": 1, \"n\": 1e400}");
	CHECK(sync_now(&bed, false));
	check_snapshot(&bed, ".tool/a", "a");
	check_snapshot(&bed, ".tool/main.json", "{\"n\": 1e400}");
	check_snapshot(&bed, ".tool/x.log", NULL);
	check_snapshot(&bed, ".tool/.credentials.json", NULL);
	settle(&bed);
	CHECK(!sync_now(&bed, false));
	CHECK(sync_now(&bed, true));
}

static void
test_rules(void)
{
	cleanup_bed struct bed bed;

	bed_open(&bed);
	put(&bed, ".tool/a", "a");
	settle(&bed);
	bed.agent.digest[0] = bed.agent.digest[0] == '0' ? '1' : '0';
	CHECK(sync_now(&bed, false));
}

/* A mark that is damaged, or of another snapshot, is none. */
static void
test_marks(void)
{
	cleanup_bed struct bed bed;
	int fd;

	bed_open(&bed);
	put(&bed, ".tool/a", "a");
	settle(&bed);
	fd = openat(
	    bed.paths.state_fd, "agents/tool/manifest", O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_INT(ftruncate(fd, 60), 0);
	(void)close(fd);
	CHECK(sync_now(&bed, false));
	settle(&bed);
	CHECK_INT(renameat(bed.paths.state_fd, "agents/tool/snapshot",
		      bed.paths.state_fd, "agents/tool/gen-kept0000"),
	    0);
	CHECK(sync_now(&bed, false));
	check_snapshot(&bed, ".tool/a", "a");
	CHECK_INT(
	    faccessat(bed.paths.state_fd, "agents/tool/gen-kept0000", F_OK, 0),
	    -1);
}

static void
test_reader(void)
{
	cleanup_bed struct bed bed;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd = -1;

	bed_open(&bed);
	CHECK_INT(generation_open(&bed.paths, "tool", &fd, &dg), 0);
	CHECK_INT(fd, -1);
	put(&bed, ".tool/a", "old");
	CHECK(sync_now(&bed, false));
	CHECK_INT(generation_open(&bed.paths, "tool", &fd, &dg), 0);
	put(&bed, ".tool/a", "newer");
	CHECK(sync_now(&bed, false));
	CHECK(sync_now(&bed, true));
	check_snapshot(&bed, ".tool/a", "newer");
	CHECK_INT(fs_read_file(fd, ".tool/a", 100, &text, &dg), 0);
	CHECK_STR(text.buf, "old");
	(void)close(fd);
}

static void
test_busy(void)
{
	cleanup_bed struct bed bed;
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer = LOCK_BUSY;
	int fd = -1;

	bed_open(&bed);
	CHECK(sync_now(&bed, false));
	CHECK_INT(lock_try(bed.paths.state_fd, "agents/tool/lock", true,
		      &answer, &fd, &dg),
	    0);
	CHECK_INT(answer, LOCK_WON);
	put(&bed, ".tool/a", "a");
	CHECK_INT(run(&bed, false, &outcome, &dg), -1);
	CHECK_INT(dg.class, DIAG_BUSY);
	check_snapshot(&bed, ".tool/a", NULL);
	(void)close(fd);
	CHECK(sync_now(&bed, false));
}

/* Only the removal of an old snapshot needs the lock here. */
static void
test_fresh_without_lock(void)
{
	cleanup_bed struct bed bed;
	int state;

	bed_open(&bed);
	put(&bed, ".tool/a", "a");
	settle(&bed);
	state = bed.paths.state_fd;
	CHECK_INT(mkdirat(state, "agents/tool/gen-aaaaaaaa", 0700), 0);
	CHECK_INT(unlinkat(state, "agents/tool/lock", 0), 0);
	CHECK_INT(symlinkat("elsewhere", state, "agents/tool/lock"), 0);
	CHECK(!sync_now(&bed, false));
	CHECK_INT(faccessat(state, "agents/tool/gen-aaaaaaaa", F_OK, 0), 0);
	CHECK_INT(unlinkat(state, "agents/tool/lock", 0), 0);
	CHECK(!sync_now(&bed, false));
	CHECK_INT(faccessat(state, "agents/tool/gen-aaaaaaaa", F_OK, 0), -1);
}

/* Marks .tool/a as one that could not be read, and takes it away. */
static void
unread(struct bed *bed)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	bool marked = false;

	CHECK_INT(fs_open_nolinks(bed->paths.state_fd, "agents/tool",
		      O_RDONLY | O_DIRECTORY, 0, &fd, &dg),
	    0);
	CHECK_INT(fs_read_file(fd, "manifest", 65536, &text, &dg), 0);
	for (char *at = text.buf; at < text.buf + text.len;
	     at += strlen(at) + 1) {
		if (strstr(at, " .tool/a") == NULL)
			continue;
		CHECK(strncmp(at, "f 0 ", 4) == 0);
		at[2] = '1';
		marked = true;
	}
	CHECK(marked);
	CHECK_INT(
	    fs_replace_file(fd, "manifest", text.buf, text.len, 0600, &dg), 0);
	CHECK_INT(unlinkat(fd, "snapshot/.tool/a", 0), 0);
}

/* Nothing changed about the file: only whether it can be opened. */
static void
test_unread(void)
{
	cleanup_bed struct bed bed;

	bed_open(&bed);
	put(&bed, ".tool/a", "a");
	settle(&bed);
	unread(&bed);
	CHECK(sync_now(&bed, false));
	check_snapshot(&bed, ".tool/a", "a");
	CHECK(!sync_now(&bed, false));
	unread(&bed);
	CHECK(sync_now(&bed, true));
	check_snapshot(&bed, ".tool/a", "a");
}

/* What was elsewhere while it was due, and is back as it was before. */
static void
test_put_back(void)
{
	cleanup_bed struct bed bed;
	cleanup_scan struct scan then = SCAN_INIT;
	cleanup_scan struct scan now = SCAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct generation_spec spec = {
		.paths = &bed.paths,
		.settings = &bed.settings,
		.old_fd = -1,
	};

	bed_open(&bed);
	CHECK_INT(mkdirat(bed.home_fd, ".tool/d", 0755), 0);
	CHECK_INT(mkdirat(bed.home_fd, ".other", 0755), 0);
	put(&bed, ".tool/d/gone", "a");
	put(&bed, ".tool/d/other", "a");
	put(&bed, ".other/other", "b");
	put(&bed, ".tool/same", "c");
	CHECK_INT(
	    scan_run(&then, &bed.paths, &bed.settings, &bed.agent, &dg), 0);
	CHECK_INT(
	    fs_make_dir(bed.paths.state_fd, "gen", 0700, &spec.fd, &dg), 0);
	CHECK_INT(
	    renameat(bed.home_fd, ".tool/d", bed.home_fd, ".tool/kept"), 0);
	CHECK_INT(renameat(bed.home_fd, ".other", bed.home_fd, ".tool/d"), 0);
	CHECK_INT(generation_fill(&spec, &then, &dg), 0);
	(void)close(spec.fd);
	CHECK_INT(renameat(bed.home_fd, ".tool/d", bed.home_fd, ".other"), 0);
	CHECK_INT(
	    renameat(bed.home_fd, ".tool/kept", bed.home_fd, ".tool/d"), 0);
	CHECK_INT(
	    scan_run(&now, &bed.paths, &bed.settings, &bed.agent, &dg), 0);
	/* As if all of it had been there for long. */
	then.start.tv_sec += 3600;
	CHECK_INT(scan_compare(&now, &then, NULL, NULL), 2);
}

static void
count(void *arg, const char *what, const char *path)
{
	size_t *n = arg;

	(void)what;
	(void)path;
	(*n)++;
}

/* What was as young as the scan's start may have changed after it. */
static void
test_young(void)
{
	static const struct {
		struct timespec changed, start;
		size_t differs;
	} rows[] = {
		{ { 7, 5 }, { 8, 0 }, 0 },
		{ { 7, 5 }, { 7, 5 }, 1 },
		{ { 7, 5 }, { 7, 6 }, 0 },
		/* A file system that knows whole seconds, or two of them. */
		{ { 7, 0 }, { 7, 999999999 }, 1 },
		{ { 7, 0 }, { 9, 0 }, 1 },
		{ { 7, 0 }, { 9, 1 }, 0 },
		/* And one that knows hundredths. */
		{ { 7, 20000000 }, { 7, 29999999 }, 1 },
		{ { 7, 20000000 }, { 7, 30000000 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_scan struct scan now = SCAN_INIT;
		cleanup_scan struct scan then = SCAN_INIT;
		size_t told = 0;

		scan_add(&now, SCAN_FILE, "a")->ctime = rows[i].changed;
		scan_add(&then, SCAN_FILE, "a")->ctime = rows[i].changed;
		then.start = rows[i].start;
		CHECK_INT(
		    scan_compare(&now, &then, count, &told), rows[i].differs);
		CHECK_INT(told, rows[i].differs);
		(void)scan_add(&now, SCAN_DIR, "b");
		(void)scan_add(&then, SCAN_DIR, "c");
		CHECK_INT(scan_compare(&now, &then, count, &told),
		    2 + rows[i].differs);
	}
}

/* What happens to the document each time that one was read. */
static struct {
	struct bed *bed; /* NULL: nothing */
	int left; /* this many times */
} writer;

int __real_fs_read_fd(
    int fd, const char *what, size_t max, struct strbuf *out, struct diag *dg);
int __wrap_fs_read_fd(
    int fd, const char *what, size_t max, struct strbuf *out, struct diag *dg);

int
__wrap_fs_read_fd(
    int fd, const char *what, size_t max, struct strbuf *out, struct diag *dg)
{
	int rc = __real_fs_read_fd(fd, what, max, out, dg);
	const struct timespec times[2] = { { 1, 0 }, { 1 + writer.left, 0 } };

	if (writer.bed != NULL && writer.left > 0 &&
	    strstr(what, ".tool.json") != NULL) {
		writer.left--;
		put(writer.bed, ".tool.json", "{\"n\": 2}");
		CHECK_INT(
		    utimensat(writer.bed->home_fd, ".tool.json", times, 0), 0);
	}
	return rc;
}

/* The first half may be the old text's, and JSON with the new one's second. */
static void
test_written_in_place(void)
{
	cleanup_bed struct bed bed;
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_open(&bed);
	put(&bed, ".tool.json", "{\"n\": 1}");
	writer.bed = &bed;
	writer.left = 1;
	CHECK(sync_now(&bed, false));
	check_snapshot(&bed, ".tool/main.json", "{\"n\": 2}");
	put(&bed, ".tool.json", "{\"n\": 3}");
	writer.left = 1000;
	put(&bed, ".tool/a", "a");
	CHECK_INT(run(&bed, false, &outcome, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(sync_warn_skipped(&outcome, SYNC_TELL_FAILURES), 1);
	check_snapshot(&bed, ".tool/main.json", "{\"n\": 2}");
	check_snapshot(&bed, ".tool/a", "a");
	writer.bed = NULL;
	/* It did not count as synced. */
	CHECK(sync_now(&bed, false));
	check_snapshot(&bed, ".tool/main.json", "{\"n\": 2}");
}

/* A pipe behind /dev/stdin, say, is nowhere in the file system. */
static void
test_pathless(void)
{
	cleanup_bed struct bed bed;
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *target = NULL;
	int pipes[2];

	bed_open(&bed);
	CHECK_INT(pipe2(pipes, O_CLOEXEC), 0);
	target = xasprintf("/proc/self/fd/%d", pipes[0]);
	CHECK_INT(symlinkat(target, bed.home_fd, ".tool/stdin"), 0);
	CHECK_INT(symlinkat(target, bed.home_fd, ".tool.json"), 0);
	put(&bed, ".tool/a", "a");
	CHECK_INT(run(&bed, false, &outcome, &dg), 0);
	CHECK_STR(dg.message, NULL);
	check_snapshot(&bed, ".tool/a", "a");
	check_snapshot(&bed, ".tool/stdin", NULL);
	check_snapshot(&bed, ".tool/main.json", NULL);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

/* FUSE numbers files with all 64 bits. */
static void
test_large_inode(void)
{
	cleanup_manifest struct manifest written = MANIFEST_INIT;
	cleanup_manifest struct manifest got = MANIFEST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	char digest[DIGEST_HEX_SIZE];
	struct stat st;
	bool there = false;

	memset(digest, '0', sizeof(digest) - 1);
	digest[sizeof(digest) - 1] = '\0';
	CHECK_INT(fs_make_path(check_tmpdir(), 0700, &fd, &dg), 0);
	CHECK_INT(fstat(fd, &st), 0);
	st.st_ino = UINT64_MAX - 1;
	scan_add(&written.scan, SCAN_FILE, "a")->ino = UINT64_MAX;
	CHECK_INT(manifest_write(fd, digest, &st, &written.scan, &dg), 0);
	CHECK_INT(manifest_read(fd, &got, &there, &dg), 0);
	CHECK(there);
	CHECK(manifest_is_of(&got, &st));
	CHECK(got.scan.nr == 1 && got.scan.v[0].ino == UINT64_MAX);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a snapshot is whole, filtered, and made once", test_whole },
		{ "other rules make another snapshot", test_rules },
		{ "a mark counts for its own snapshot alone", test_marks },
		{ "a reader keeps what it opened", test_reader },
		{ "a sync that does not end is waited for, and not for ever",
		    test_busy },
		{ "a fresh snapshot needs no lock", test_fresh_without_lock },
		{ "what could not be read is tried again", test_unread },
		{ "what was put back after a sync passed it is seen",
		    test_put_back },
		{ "times that are not older than the start count as changed",
		    test_young },
		{ "a document that is written in place is read again",
		    test_written_in_place },
		{ "a link to what has no path is left out", test_pathless },
		{ "an inode of 64 bits is read back", test_large_inode },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
