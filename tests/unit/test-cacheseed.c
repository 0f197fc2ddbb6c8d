/* SPDX-License-Identifier: MIT */
/*
 * Seeding a slot: only bytes that a lock file names arrive, whatever a source
 * holds.  Each source is poisoned in each way.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/cacheseed.h"
#include "host/toolchain.h"
#include "tree-kit.h"
#include "zip-kit.h"

#define CRATES_IO "registry+https://github.com/rust-lang/crates.io-index"
#define NEW_DIR "index.crates.io-1949cf8c6b5b557f"
#define OLD_DIR "index.crates.io-6f17d22bba15001f"

#define H1 "h1:Ga0kHEw97ZDO+YM8D1Qaf8bc/KFM9N/QQKg+kijb3pc="
/* Of "tarball". */
#define SHA512                                         \
	"sha512-"                                      \
	"WBQM9fuLkpBn60cFcU9GUnOBEyhwVxbOpyle0gD/abK/" \
	"W01QtcFtEsDGj3RZYWrpP2UxasHjQ2plCE6FrzLYdg=="
#define TARBALL_PATH                                                     \
	"_cacache/content-v2/sha512/58/14/"                              \
	"0cf5fb8b929067eb4705714f465273811328705716cea7295ed200ff69b2bf" \
	"5b4d50b5c16d12c0c68f7459616ae93f65316ac1e3436a65084e85af32d876"
#define MODULE_PATH "cache/download/example.org/!m/@v/v1.0.0.zip"

static const struct zip_file module_files[] = {
	{ .name = "example.org/M@v1.0.0/a.go", .text = "package m\n" },
	{ .name = "example.org/M@v1.0.0/go.mod", .text = "module m\n" },
};

static const struct {
	const char *slot; /* below a slot's data */
	const char *host; /* below a home */
	const char *path; /* of the package, below both */
} managers[] = {
	{ "cargo/registry", ".cargo/registry",
	    "cache/" NEW_DIR "/Serde-1.0.0.crate" },
	{ "npm", ".npm", TARBALL_PATH },
	{ "go/mod", "go/pkg/mod", MODULE_PATH },
};
#define NMANAGERS ARRAY_SIZE(managers)

struct bed {
	int top; /* with home/, project/, cold/ and other/ */
	int project;
	int cold; /* data of the slot to fill */
	int other; /* data of another slot */
	struct strbuf bytes[NMANAGERS]; /* the packages that the locks name */
	struct toolchain_cache caches[NMANAGERS];
	struct toolchain toolchain;
	struct toolchains toolchains;
	struct cacheseed_spec spec;
	struct cacheseed_report report;
	struct diag dg;
	char *home;
};

/* What the copy of a file does besides copying. */
static enum {
	COPY_ONLY,
	COPY_GROWS,
	COPY_FAILS,
	COPY_DIES,
} copying;

int __real_fs_copy_bytes(
    int in, int out, off_t left, const char *what, struct diag *dg);
int __wrap_fs_copy_bytes(
    int in, int out, off_t left, const char *what, struct diag *dg);

int
__wrap_fs_copy_bytes(
    int in, int out, off_t left, const char *what, struct diag *dg)
{
	int rc;

	if (copying == COPY_FAILS)
		return diag_set_errno(dg, DIAG_IO, ENOSPC, "write %s", what);
	rc = __real_fs_copy_bytes(in, out, left / 2, what, dg);
	if (copying == COPY_DIES)
		_exit(0);
	if (copying == COPY_GROWS) {
		cleanup_free char *path = xasprintf("/proc/self/fd/%d", in);
		cleanup_close int again =
		    open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

		CHECK_INT(write(again, "x", 1), 1);
	}
	return rc != 0
	    ? rc
	    : __real_fs_copy_bytes(in, out, left - left / 2, what, dg);
}

/* Makes the directories of a path, and opens the last one. */
static int
make_dirs(int dirfd, const char *path)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd = -1;

	CHECK_INT(fs_make_dirs(dirfd, path, 0700, &fd, &dg), 0);
	return fd;
}

/* Makes the directory of a path, and opens it; *ret_name is in path. */
static int
make_parent(int dirfd, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = xstrndup(path, (size_t)(slash - path));

	*ret_name = slash + 1;
	return make_dirs(dirfd, parent);
}

static void
put(int dirfd, const char *path, const void *data, size_t len)
{
	const char *name;
	cleanup_close int dir = make_parent(dirfd, path, &name);
	cleanup_close int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, data, len), (intmax_t)len);
}

static void
write_locks(struct bed *bed)
{
	static const char npm[] =
	    "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": {"
	    "\"version\": \"1.0.0\", \"integrity\": \"" SHA512 "\"},"
	    "\"node_modules/b/node_modules/a\": {"
	    "\"version\": \"1.0.0\", \"integrity\": \"" SHA512 "\"}}}";
	static const char go[] = "example.org/M v1.0.0 " H1 "\n";
	cleanup_strbuf struct strbuf cargo = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];

	digest_bytes(bed->bytes[0].buf, bed->bytes[0].len, hex);
	strbuf_addf(&cargo,
	    "version = 4\n\n[[package]]\nname = \"Serde\"\n"
	    "version = \"1.0.0\"\nsource = \"" CRATES_IO "\"\n"
	    "checksum = \"%s\"\n",
	    hex);
	tree_put(bed->project, "Cargo.lock", cargo.buf);
	tree_put(bed->project, "package-lock.json", npm);
	tree_put(bed->project, "go.sum", go);
}

static void
bed_make(struct bed *bed)
{
	cleanup_close int tmp = tree_open();

	*bed = (struct bed){ .report = CACHESEED_REPORT_INIT,
		.toolchain = TOOLCHAIN_INIT,
		.dg = DIAG_INIT };
	copying = COPY_ONLY;
	CHECK_INT(fs_remove_tree(tmp, "bed", &bed->dg), 0);
	bed->top = make_dirs(tmp, "bed");
	bed->project = make_dirs(bed->top, "project");
	bed->cold = make_dirs(bed->top, "cold");
	bed->other = make_dirs(bed->top, "other");
	(void)close(make_dirs(bed->top, "home"));
	for (size_t i = 0; i < NMANAGERS; i++) {
		strbuf_init(&bed->bytes[i]);
		bed->caches[i].path = (char *)(uintptr_t)managers[i].slot;
	}
	strbuf_addstr(&bed->bytes[0], "crate");
	strbuf_addstr(&bed->bytes[1], "tarball");
	zip_make(
	    &bed->bytes[2], module_files, ARRAY_SIZE(module_files), "", "");
	write_locks(bed);
	bed->home = xasprintf("%s/bed/home", check_tmpdir());
	bed->toolchain.caches = bed->caches;
	bed->toolchain.ncaches = NMANAGERS;
	bed->toolchains = (struct toolchains){ &bed->toolchain, 1 };
	bed->spec = (struct cacheseed_spec){ .project_fd = bed->project,
		.data_fd = bed->cold,
		.sources = { .home = bed->home,
		    .slot_fds = &bed->other,
		    .nslots = 1 },
		.toolchains = &bed->toolchains,
		.limits = { 1 << 20, 100, 60000 } };
}

static void
bed_release(struct bed *bed)
{
	copying = COPY_ONLY;
	(void)close(bed->top);
	(void)close(bed->project);
	(void)close(bed->cold);
	(void)close(bed->other);
	for (size_t i = 0; i < NMANAGERS; i++)
		strbuf_release(&bed->bytes[i]);
	free(bed->home);
	cacheseed_report_release(&bed->report);
	diag_clear(&bed->dg);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

/* Returned: where the host (below top) or the other slot has a package. */
static char *
source_path(size_t manager, bool is_host)
{
	return is_host ? xasprintf("home/%s/%s", managers[manager].host,
			     managers[manager].path)
		       : xasprintf("other/%s/%s", managers[manager].slot,
			     managers[manager].path);
}

static void
put_source(struct bed *bed, size_t manager, bool is_host)
{
	cleanup_free char *path = source_path(manager, is_host);

	put(bed->top, path, bed->bytes[manager].buf, bed->bytes[manager].len);
}

static bool
has_package(const struct bed *bed, size_t manager)
{
	cleanup_free char *path =
	    xasprintf("%s/%s", managers[manager].slot, managers[manager].path);

	return tree_has(bed->cold, path);
}

static void
check_package(const struct bed *bed, size_t manager)
{
	cleanup_free char *path =
	    xasprintf("%s/%s", managers[manager].slot, managers[manager].path);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	CHECK_INT(fs_read_file(bed->cold, path, 4096, &text, &dg), 0);
	CHECK_INT(text.len, bed->bytes[manager].len);
	CHECK_INT(memcmp(text.buf, bed->bytes[manager].buf, text.len), 0);
}

static void
run(struct bed *bed, int want)
{
	cacheseed_report_release(&bed->report);
	diag_clear(&bed->dg);
	if (!CHECK_INT(cacheseed_run(&bed->spec, &bed->report, &bed->dg), want))
		CHECK_STR(bed->dg.message, NULL);
}

static void
proven_packages_arrive_from_both_sources(void)
{
	for (int is_host = 0; is_host <= 1; is_host++) {
		cleanup_bed struct bed bed;
		cleanup_free char *info = NULL;

		bed_make(&bed);
		for (size_t i = 0; i < NMANAGERS; i++)
			put_source(&bed, i, is_host != 0);
		run(&bed, 0);
		for (size_t i = 0; i < NMANAGERS; i++)
			check_package(&bed, i);
		CHECK_INT(bed.report.files, NMANAGERS);
		CHECK_INT(bed.report.nbad, 0);
		CHECK_INT(bed.report.missing, 0);
		info = tree_get(bed.cold,
		    "go/mod/cache/download/example.org/!m/@v/v1.0.0.info");
		CHECK_STR(info, "{\"Version\":\"v1.0.0\"}");
		run(&bed, 0);
		CHECK_INT(bed.report.files, 0);
		CHECK_INT(bed.report.kept, NMANAGERS);
		CHECK_INT(fs_empty_dir(bed.top, "cold", &bed.dg), 0);
		CHECK_INT(fs_empty_dir(bed.top, "other", &bed.dg), 0);
		CHECK_INT(fs_empty_dir(bed.top, "home", &bed.dg), 0);
		run(&bed, 0);
		CHECK_INT(bed.report.missing, NMANAGERS);
	}
}

enum poison {
	WRONG,
	LINK, /* its target has the right bytes */
	FIFO,
	DIRECTORY,
	HUGE_FILE, /* 600 MiB without a block */
	SPARSE, /* 100 KiB of zeros, all of it a hole */
	EMPTY,
	NPOISONS
};

/* NULL: differs by manager */
static const char *const poison_why[NPOISONS] = {
	[LINK] = "it is a symbolic link",
	[FIFO] = "it is not a regular file",
	[DIRECTORY] = "it is not a regular file",
	[HUGE_FILE] = "it is too large",
};

static void
make_poison(
    enum poison poison, int dir, const char *name, const struct strbuf *right)
{
	cleanup_close int fd = -1;

	if (poison == FIFO) {
		CHECK_INT(mkfifoat(dir, name, 0644), 0);
		return;
	}
	if (poison == DIRECTORY) {
		CHECK_INT(mkdirat(dir, name, 0755), 0);
		return;
	}
	fd = openat(dir, poison == LINK ? "target" : name,
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK(fd >= 0);
	if (poison == WRONG || poison == LINK)
		CHECK_INT(
		    write(fd, right->buf, right->len), (intmax_t)right->len);
	if (poison == WRONG)
		CHECK_INT(pwrite(fd, "?", 1, 1), 1);
	if (poison == LINK)
		CHECK_INT(symlinkat("target", dir, name), 0);
	if (poison == HUGE_FILE)
		CHECK_INT(ftruncate(fd, (off_t)600 << 20), 0);
	if (poison == SPARSE)
		CHECK_INT(ftruncate(fd, (off_t)100 << 10), 0);
}

static void
check_poison(enum poison poison, size_t manager, bool is_host)
{
	cleanup_bed struct bed bed;
	cleanup_free char *path = source_path(manager, is_host);
	cleanup_close int dir = -1;
	const char *name;

	bed_make(&bed);
	dir = make_parent(bed.top, path, &name);
	make_poison(poison, dir, name, &bed.bytes[manager]);
	run(&bed, 0);
	CHECK(!has_package(&bed, manager));
	CHECK_INT(bed.report.files, 0);
	CHECK_INT(bed.report.nbad, 1);
	if (CHECK_INT(bed.report.bad.nr, 1) && poison_why[poison] != NULL)
		CHECK_HAS(bed.report.bad.v[0], poison_why[poison]);
	/* The other source is asked all the same. */
	put_source(&bed, manager, !is_host);
	run(&bed, 0);
	check_package(&bed, manager);
}

static void
poison_is_named_and_never_seeded(void)
{
	for (enum poison p = WRONG; p < NPOISONS; p++)
		for (size_t m = 0; m < NMANAGERS; m++)
			for (int is_host = 0; is_host <= 1; is_host++)
				check_poison(p, m, is_host != 0);
}

/* A directory on the way is a link to one that has the right bytes. */
static void
no_link_on_the_way_is_followed(void)
{
	for (size_t m = 0; m < NMANAGERS; m++) {
		cleanup_bed struct bed bed;
		cleanup_free char *path = source_path(m, false);
		cleanup_close int dir = -1;
		const char *name;
		char *slash;

		bed_make(&bed);
		put_source(&bed, m, false);
		*strrchr(path, '/') = '\0';
		slash = strrchr(path, '/');
		*slash = '\0';
		dir = make_dirs(bed.top, path);
		name = slash + 1;
		CHECK_INT(renameat(dir, name, dir, "real"), 0);
		CHECK_INT(symlinkat("real", dir, name), 0);
		run(&bed, 0);
		CHECK(!has_package(&bed, m));
		CHECK_INT(bed.report.files, 0);
	}
}

static void
a_growing_file_is_not_seeded(void)
{
	for (size_t m = 0; m < NMANAGERS; m++) {
		cleanup_bed struct bed bed;

		bed_make(&bed);
		put_source(&bed, m, true);
		copying = COPY_GROWS;
		run(&bed, 0);
		CHECK(!has_package(&bed, m));
		if (CHECK_INT(bed.report.bad.nr, 1))
			CHECK(strstr(bed.report.bad.v[0],
				  "it changed while it was copied") != NULL);
	}
}

/* The slot is a former session's: its links lead nowhere else. */
static void
links_of_the_slot_are_not_followed(void)
{
	for (size_t m = 0; m < NMANAGERS; m++) {
		cleanup_bed struct bed bed;
		cleanup_close int outside = -1;

		bed_make(&bed);
		put_source(&bed, m, true);
		outside = make_dirs(bed.top, "outside");
		if (strchr(managers[m].slot, '/') != NULL) {
			cleanup_free char *first = xstrndup(
			    managers[m].slot, strcspn(managers[m].slot, "/"));
			CHECK_INT(symlinkat("../outside", bed.cold, first), 0);
		} else {
			CHECK_INT(
			    symlinkat("../outside", bed.cold, managers[m].slot),
			    0);
		}
		run(&bed, -1);
		CHECK_INT(bed.dg.class, DIAG_IO);
		CHECK_INT(tree_count(outside), 0);
		CHECK_INT(tree_count(bed.cold), 1);
	}
}

static void
a_full_disk_leaves_nothing(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	for (size_t i = 0; i < NMANAGERS; i++)
		put_source(&bed, i, true);
	copying = COPY_FAILS;
	run(&bed, -1);
	CHECK(strstr(bed.dg.message, "No space left on device") != NULL);
	CHECK_INT(tree_count(bed.cold), 0);
}

static void
a_killed_one_leaves_no_package(void)
{
	cleanup_bed struct bed bed;
	pid_t pid;
	int status = -1;

	bed_make(&bed);
	for (size_t i = 0; i < NMANAGERS; i++)
		put_source(&bed, i, true);
	pid = fork();
	if (pid == 0) {
		copying = COPY_DIES;
		(void)cacheseed_run(&bed.spec, &bed.report, &bed.dg);
		_exit(1);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	for (size_t i = 0; i < NMANAGERS; i++)
		CHECK(!has_package(&bed, i));
	/* Only the temporary file is there, and the next run removes it. */
	CHECK_INT(tree_count(bed.cold), 1);
	run(&bed, 0);
	for (size_t i = 0; i < NMANAGERS; i++)
		check_package(&bed, i);
	CHECK_INT(tree_count(bed.cold), 3);
}

static void
limits_end_it(void)
{
	static const struct {
		struct cacheseed_limits limits;
		const char *by;
		int files;
	} rows[] = {
		{ { 1 << 20, 1, 60000 }, "the number of files is limited", 1 },
		{ { 5, 100, 60000 }, "the size is limited", 1 },
		{ { 1 << 20, 100, 0 }, "the time is limited", 0 },
		{ { 1 << 20, 100, -1 }, "the time is limited",
		    0 }, /* without sources */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_bed struct bed bed;

		bed_make(&bed);
		for (size_t m = 0; rows[i].limits.ms >= 0 && m < NMANAGERS; m++)
			put_source(&bed, m, true);
		bed.spec.limits = rows[i].limits;
		run(&bed, 0);
		CHECK_STR(bed.report.stopped_by, rows[i].by);
		CHECK_INT(bed.report.files, rows[i].files);
	}
}

#define MANY 200

/* As many as several threads share; some are bad, one is absent. */
static void
many_packages_are_all_seeded(void)
{
	static const char from[] = "home/.cargo/registry/cache/" NEW_DIR;
	cleanup_bed struct bed bed;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;

	bed_make(&bed);
	strbuf_addstr(&lock, "version = 4\n");
	for (int i = 0; i < MANY; i++) {
		cleanup_free char *bytes = xasprintf("crate %03d", i);
		cleanup_free char *path =
		    xasprintf("%s/c%d-1.0.0.crate", from, i);
		char hex[DIGEST_HEX_SIZE];

		digest_bytes(bytes, strlen(bytes), hex);
		strbuf_addf(&lock,
		    "[[package]]\nname = \"c%d\"\nversion = \"1.0.0\"\n"
		    "source = \"" CRATES_IO "\"\nchecksum = \"%s\"\n",
		    i, hex);
		if (i % 5 == 1)
			bytes[0] = '?';
		if (i != 7)
			put(bed.top, path, bytes, strlen(bytes));
	}
	tree_put(bed.project, "Cargo.lock", lock.buf);
	bed.spec.limits.files = MANY;
	run(&bed, 0);
	CHECK_INT(bed.report.files, MANY - MANY / 5 - 1);
	CHECK_INT(bed.report.bytes, bed.report.files * 9);
	CHECK_INT(bed.report.nbad, MANY / 5);
	CHECK_INT(bed.report.bad.nr, CACHESEED_NAMED);
	/* The tarball and the module are in no source. */
	CHECK_INT(bed.report.missing, MANY / 5 + 1 + 2);
	CHECK_STR(bed.report.stopped_by, NULL);
	for (int i = 0; i < MANY; i++) {
		cleanup_free char *path = xasprintf(
		    "cargo/registry/cache/" NEW_DIR "/c%d-1.0.0.crate", i);

		CHECK(tree_has(bed.cold, path) == (i % 5 != 1 && i != 7));
	}
	CHECK_INT(tree_count(bed.cold), 1);

	/* Neither limit is exceeded, whichever thread comes first. */
	CHECK_INT(fs_empty_dir(bed.top, "cold", &bed.dg), 0);
	bed.spec.limits.files = 40;
	run(&bed, 0);
	CHECK_INT(bed.report.files, 40);
	CHECK_STR(bed.report.stopped_by, "the number of files is limited");
	CHECK_INT(fs_empty_dir(bed.top, "cold", &bed.dg), 0);
	bed.spec.limits = (struct cacheseed_limits){ 9 * 50 + 8, MANY, 60000 };
	run(&bed, 0);
	CHECK_INT(bed.report.files, 50);
	CHECK_STR(bed.report.stopped_by, "the size is limited");
}

static void
a_bad_lock_stops_its_manager_alone(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	for (size_t m = 0; m < NMANAGERS; m++)
		put_source(&bed, m, true);
	tree_put(bed.project, "Cargo.lock",
	    "version = 4\n[[package]]\nname = \"../../x\"\n");
	CHECK_INT(unlinkat(bed.project, "go.sum", 0), 0);
	CHECK_INT(symlinkat("/etc/passwd", bed.project, "go.sum"), 0);
	run(&bed, -1);
	CHECK_STR(bed.dg.message,
	    "Cargo.lock: line 3: a name with a forbidden character");
	CHECK(!has_package(&bed, 0));
	check_package(&bed, 1);
	CHECK(!has_package(&bed, 2));
	/* No lock is no failure, and no toolchain is no cache. */
	CHECK_INT(fs_empty_dir(bed.top, "project", &bed.dg), 0);
	run(&bed, 0);
	write_locks(&bed);
	bed.toolchain.ncaches = 1;
	CHECK_INT(fs_empty_dir(bed.top, "cold", &bed.dg), 0);
	run(&bed, 0);
	check_package(&bed, 0);
	CHECK_INT(bed.report.files, 1);
}

/* Moves the lock files to directories below the project. */
static void
move_locks_below(struct bed *bed)
{
	static const char *const paths[] = { "a/Cargo.lock",
		"web/app/package-lock.json", "go/x/y/go.sum" };

	(void)close(make_dirs(bed->project, "a"));
	(void)close(make_dirs(bed->project, "web/app"));
	(void)close(make_dirs(bed->project, "go/x/y"));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		CHECK_INT(renameat(bed->project, strrchr(paths[i], '/') + 1,
			      bed->project, paths[i]),
		    0);
}

static void
lock_files_below_the_project_count(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	for (size_t m = 0; m < NMANAGERS; m++)
		put_source(&bed, m, true);
	move_locks_below(&bed);
	run(&bed, 0);
	for (size_t m = 0; m < NMANAGERS; m++)
		check_package(&bed, m);
	CHECK_STR(bed.report.stopped_by, NULL);
	put(bed.cold, "npm/" TARBALL_PATH, "", 0);
	cacheseed_report_release(&bed.report);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.files, NMANAGERS);
	CHECK_INT(bed.report.nbad, 1);
	CHECK(!has_package(&bed, 1));
}

/* The lock of one directory is bad; the others' packages are seeded. */
static void
a_bad_lock_below_stops_no_other(void)
{
	static const char *const kinds[] = { "text", "link", "fifo" };

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		cleanup_bed struct bed bed;
		cleanup_close int dir = -1;

		bed_make(&bed);
		for (size_t m = 0; m < NMANAGERS; m++)
			put_source(&bed, m, true);
		dir = make_dirs(bed.project, "bad");
		if (kind == 0)
			tree_put(dir, "Cargo.lock", "version = 4\nname\n");
		else if (kind == 1)
			CHECK_INT(
			    symlinkat("../Cargo.lock", dir, "Cargo.lock"), 0);
		else
			CHECK_INT(mkfifoat(dir, "Cargo.lock", 0644), 0);
		run(&bed, -1);
		if (bed.dg.message != NULL)
			CHECK(strstr(bed.dg.message, "bad/Cargo.lock") != NULL);
		for (size_t m = 0; m < NMANAGERS; m++)
			check_package(&bed, m);
		put(bed.cold, "npm/" TARBALL_PATH, "", 0);
		cacheseed_report_release(&bed.report);
		diag_clear(&bed.dg);
		CHECK_INT(
		    cacheseed_verify(&bed.spec, &bed.report, &bed.dg), -1);
		CHECK_INT(bed.report.files, NMANAGERS);
		CHECK_INT(bed.report.nbad, 1);
	}
}

#define CRATE "cargo/registry/cache/" NEW_DIR "/Serde-1.0.0.crate"

/* The project's own lock file counts, whatever one below says. */
static void
a_lock_below_hides_no_package(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *lock = NULL;
	cleanup_close int below = -1;

	bed_make(&bed);
	put_source(&bed, 0, true);
	below = make_dirs(bed.project, "below");
	lock = tree_get(bed.project, "Cargo.lock");
	memset(strstr(lock, "checksum") + strlen("checksum = \""), '0', 64);
	tree_put(below, "Cargo.lock", lock);
	run(&bed, 0);
	check_package(&bed, 0);
	CHECK_INT(bed.report.files, 1);
	put(bed.cold, CRATE, "crat?", 5);
	cacheseed_report_release(&bed.report);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.nbad, 1);
	CHECK(!has_package(&bed, 0));
}

/* Both name the crate, and only one can have the digest of its bytes. */
static void
lock_files_that_disagree_prove_nothing(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *lock = NULL;
	cleanup_close int below = -1;
	cleanup_close int other = -1;

	bed_make(&bed);
	put_source(&bed, 0, true);
	below = make_dirs(bed.project, "below");
	other = make_dirs(bed.project, "other");
	lock = tree_get(bed.project, "Cargo.lock");
	CHECK_INT(unlinkat(bed.project, "Cargo.lock", 0), 0);
	tree_put(below, "Cargo.lock", lock);
	tree_put(other, "Cargo.lock", lock);
	run(&bed, 0);
	check_package(&bed, 0);
	CHECK_INT(bed.report.files, 1);
	CHECK_INT(fs_empty_dir(bed.top, "cold", &bed.dg), 0);
	memset(strstr(lock, "checksum") + strlen("checksum = \""), '0', 64);
	tree_put(other, "Cargo.lock", lock);
	run(&bed, 0);
	CHECK(!has_package(&bed, 0));
	CHECK_INT(bed.report.files, 0);
}

#define INDEX_IN(dir) "home/.cargo/registry/index/" dir "/"
#define COLD_INDEX "cargo/registry/index/" NEW_DIR "/"

/* The host's older cargo has the bytes; its index would not be read. */
static void
crates_move_and_an_index_stays_in_its_directory(void)
{
	static const char old[] =
	    "home/.cargo/registry/cache/" OLD_DIR "/Serde-1.0.0.crate";
	cleanup_bed struct bed bed;
	cleanup_free char *entry = NULL;

	bed_make(&bed);
	put(bed.top, old, "crate", 5);
	put(bed.top, INDEX_IN(OLD_DIR) "config.json", "{}", 2);
	put(bed.top, INDEX_IN(OLD_DIR) ".cache/se/rd/serde", "old", 3);
	run(&bed, 0);
	check_package(&bed, 0);
	CHECK(!tree_has(bed.cold, "cargo/registry/index"));

	put_source(&bed, 0, true);
	put(bed.top, INDEX_IN(NEW_DIR) "config.json", "{}", 2);
	put(bed.top, INDEX_IN(NEW_DIR) ".cache/se/rd/serde", "new", 3);
	put(bed.top, INDEX_IN(NEW_DIR) ".cache/to/ki/tokio", "x", 1);
	run(&bed, 0);
	CHECK(tree_has(bed.cold, COLD_INDEX "config.json"));
	entry = tree_get(bed.cold, COLD_INDEX ".cache/se/rd/serde");
	CHECK_STR(entry, "new");
	CHECK(!tree_has(bed.cold, COLD_INDEX ".cache/to"));
}

#define OTHER_DIR "crates.example-0123456789abcdef"

/* The same name and version, from crates.io and from another registry. */
static void
write_two_registries(struct bed *bed, bool from_crates_io)
{
	cleanup_strbuf struct strbuf cargo = STRBUF_INIT;
	char hex[2][DIGEST_HEX_SIZE];

	digest_bytes("crate", 5, hex[0]);
	digest_bytes("other", 5, hex[1]);
	strbuf_addf(&cargo,
	    "version = 4\n\n[[package]]\nname = \"Serde\"\n"
	    "version = \"1.0.0\"\nsource = \"%s\"\n"
	    "checksum = \"%s\"\n"
	    "\n[[package]]\nname = \"Serde\"\n"
	    "version = \"1.0.0\"\n"
	    "source = \"registry+https://crates.example/index\"\n"
	    "checksum = \"%s\"\n",
	    from_crates_io ? CRATES_IO : "registry+https://a.example/index",
	    hex[0], hex[1]);
	tree_put(bed->project, "Cargo.lock", cargo.buf);
}

#define CRATE_IN(dir) "cargo/registry/cache/" dir "/Serde-1.0.0.crate"

static void
a_crate_is_of_its_own_registry(void)
{
	for (int is_right = 0; is_right <= 1; is_right++) {
		cleanup_bed struct bed bed;

		bed_make(&bed);
		write_two_registries(&bed, true);
		put(bed.other, CRATE_IN(NEW_DIR), is_right ? "crate" : "other",
		    5);
		put(bed.other, CRATE_IN(OTHER_DIR),
		    is_right ? "other" : "crate", 5);
		run(&bed, 0);
		CHECK_INT(bed.report.files, is_right ? 2 : 0);
		CHECK_INT(bed.report.nbad, is_right ? 0 : 2);
		CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
		CHECK_INT(bed.report.nbad, is_right ? 0 : 2);
		CHECK(tree_has(bed.cold, CRATE_IN(NEW_DIR)) == (is_right != 0));
	}
}

/* The lock names crates.io; cargo has the crate where the mirror's are. */
static void
a_mirror_of_crates_io_seeds_its_own_directory(void)
{
	static const char index[] = "home/.cargo/registry/index/" OTHER_DIR;
	cleanup_bed struct bed bed;
	cleanup_free char *config = xasprintf("%s/config.json", index);
	cleanup_free char *entry = xasprintf("%s/.cache/se/rd/serde", index);

	bed_make(&bed);
	put(bed.top,
	    "home/.cargo/registry/cache/" OTHER_DIR "/Serde-1.0.0.crate",
	    "crate", 5);
	put(bed.top, config, "{}", 2);
	put(bed.top, entry, "new", 3);
	run(&bed, 0);
	CHECK_INT(bed.report.files, 3);
	CHECK(tree_has(bed.cold, CRATE_IN(OTHER_DIR)));
	CHECK(tree_has(
	    bed.cold, "cargo/registry/index/" OTHER_DIR "/.cache/se/rd/serde"));
	put(bed.cold, CRATE_IN(OTHER_DIR), "crat?", 5);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.nbad, 1);
	CHECK(!tree_has(bed.cold, CRATE_IN(OTHER_DIR)));
}

/* Nothing tells which directory is that of which registry. */
static void
crates_of_two_other_registries_stay_cold(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	write_two_registries(&bed, false);
	put(bed.other, CRATE_IN(OTHER_DIR), "crate", 5);
	run(&bed, 0);
	CHECK_INT(bed.report.files, 0);
	CHECK_INT(bed.report.nbad, 0);
	put(bed.cold, CRATE_IN(OTHER_DIR), "other", 5);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.nbad, 0);
	CHECK(tree_has(bed.cold, CRATE_IN(OTHER_DIR)));
}

static void
a_slot_gives_no_index(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	put_source(&bed, 0, false);
	put(bed.other, COLD_INDEX "config.json", "{}", 2);
	put(bed.other, COLD_INDEX ".cache/se/rd/serde", "new", 3);
	run(&bed, 0);
	check_package(&bed, 0);
	CHECK(!tree_has(bed.cold, "cargo/registry/index"));
}

#define SRC "cargo/registry/src/" NEW_DIR "/Serde-1.0.0"
#define GO_UNPACKED "go/mod/example.org/!m@v1.0.0"

static void
verify_removes_what_has_other_bytes(void)
{
	cleanup_bed struct bed bed;

	bed_make(&bed);
	for (size_t m = 0; m < NMANAGERS; m++)
		put_source(&bed, m, true);
	run(&bed, 0);
	put(bed.cold, SRC "/lib.rs", "x", 1);
	put(bed.cold, GO_UNPACKED "/a.go", "x", 1);
	put(bed.cold, "go/mod/" MODULE_PATH "hash", "h1:x", 4);
	cacheseed_report_release(&bed.report);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.files, NMANAGERS);
	CHECK_INT(bed.report.nbad, 0);
	CHECK(tree_has(bed.cold, SRC "/lib.rs"));

	put(bed.cold, CRATE, "crat?", 5);
	put(bed.cold, "go/mod/" MODULE_PATH, "no zip", 6);
	put(bed.cold, "npm/" TARBALL_PATH, "", 0);
	cacheseed_report_release(&bed.report);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.nbad, NMANAGERS);
	for (size_t m = 0; m < NMANAGERS; m++)
		CHECK(!has_package(&bed, m));
	CHECK(!tree_has(bed.cold, SRC));
	CHECK(!tree_has(bed.cold, GO_UNPACKED));
	CHECK(!tree_has(bed.cold, "go/mod/" MODULE_PATH "hash"));
}

/* What a session wrote costs no hour to verify. */
static void
verify_is_bounded(void)
{
	cleanup_bed struct bed bed;
	cleanup_close int dir = -1;
	const char *name;

	bed_make(&bed);
	put_source(&bed, 0, true);
	run(&bed, 0);
	bed.spec.limits.ms = -1;
	cacheseed_report_release(&bed.report);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	CHECK_INT(bed.report.files, 0);
	CHECK_STR(bed.report.stopped_by, "the time is limited");

	bed.spec.limits.ms = 0;
	dir = make_parent(bed.cold,
	    "cargo/registry/cache/" NEW_DIR "/Serde-1.0.0.crate", &name);
	make_poison(HUGE_FILE, dir, name, &bed.bytes[0]);
	cacheseed_report_release(&bed.report);
	CHECK_INT(cacheseed_verify(&bed.spec, &bed.report, &bed.dg), 0);
	if (CHECK_INT(bed.report.bad.nr, 1))
		CHECK(strstr(bed.report.bad.v[0], "it is too large") != NULL);
	CHECK(!has_package(&bed, 0));
}

static const struct check_test tests[] = {
	{ "proven packages arrive from both sources",
	    proven_packages_arrive_from_both_sources },
	{ "poison is named and never seeded",
	    poison_is_named_and_never_seeded },
	{ "no link on the way is followed", no_link_on_the_way_is_followed },
	{ "a growing file is not seeded", a_growing_file_is_not_seeded },
	{ "links of the slot are not followed",
	    links_of_the_slot_are_not_followed },
	{ "a full disk leaves nothing", a_full_disk_leaves_nothing },
	{ "a killed one leaves no package", a_killed_one_leaves_no_package },
	{ "limits end it", limits_end_it },
	{ "many packages are all seeded", many_packages_are_all_seeded },
	{ "a bad lock stops its manager alone",
	    a_bad_lock_stops_its_manager_alone },
	{ "lock files below the project count",
	    lock_files_below_the_project_count },
	{ "a lock below hides no package", a_lock_below_hides_no_package },
	{ "a bad lock below stops no other", a_bad_lock_below_stops_no_other },
	{ "lock files that disagree prove nothing",
	    lock_files_that_disagree_prove_nothing },
	{ "crates move, and an index stays in its directory",
	    crates_move_and_an_index_stays_in_its_directory },
	{ "a crate is of its own registry", a_crate_is_of_its_own_registry },
	{ "a mirror of crates.io seeds its own directory",
	    a_mirror_of_crates_io_seeds_its_own_directory },
	{ "crates of two other registries stay cold",
	    crates_of_two_other_registries_stay_cold },
	{ "a slot gives no index", a_slot_gives_no_index },
	{ "verify removes what has other bytes",
	    verify_removes_what_has_other_bytes },
	{ "verify is bounded", verify_is_bounded },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
