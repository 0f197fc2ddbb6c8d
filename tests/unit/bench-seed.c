/* SPDX-License-Identifier: MIT */
/*
 * bench-seed [RUNS]: seeds 200 crates of 256 KiB, in turn with "cp -a" of the
 * same directory, and prints the medians; and searches a project of 50,000 files
 * for lock files.  TMPDIR decides the file system.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "deps/cacheseed.h"
#include "host/toolchain.h"

#define CRATES 200
#define CRATE_SIZE ((size_t)256 * 1024)
#define MAX_RUNS 100
#define DIRS 5000
#define FILES 10 /* in each */
#define REGISTRY ".cargo/registry/cache/index.crates.io-1949cf8c6b5b557f"

/* Ends the program if a step failed. */
static void
need(int rc, const struct diag *dg)
{
	if (rc == 0)
		return;
	(void)fprintf(stderr, "bench-seed: %s\n",
	    dg->message != NULL ? dg->message : "a step failed");
	exit(1);
}

static int
make_path(int top, const char *dir, const char *path)
{
	cleanup_free char *root = xasprintf("/proc/self/fd/%d/%s", top, dir);
	cleanup_free char *whole = xasprintf("%s/%s", root, path);
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd = -1;

	need(fs_make_path(whole, 0700, &fd, &dg), &dg);
	return fd;
}

/* The host's crates, and the lock file that names them. */
static void
make_crates(int top)
{
	cleanup_close int dir = make_path(top, "home", REGISTRY);
	cleanup_close int project = make_path(top, "project", "");
	cleanup_free unsigned char *bytes = xmalloc(CRATE_SIZE);
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	strbuf_addstr(&lock, "version = 4\n");
	srandom(1);
	for (int i = 0; i < CRATES; i++) {
		cleanup_free char *name = xasprintf("c%d-1.0.0.crate", i);
		char hex[DIGEST_HEX_SIZE];

		for (size_t j = 0; j < CRATE_SIZE; j++)
			bytes[j] = (unsigned char)random();
		digest_bytes(bytes, CRATE_SIZE, hex);
		strbuf_addf(&lock,
		    "[[package]]\nname = \"c%d\"\nversion = \"1.0.0\"\n"
		    "source = \"sparse+https://index.crates.io/\"\n"
		    "checksum = \"%s\"\n",
		    i, hex);
		need(fs_replace_file(dir, name, bytes, CRATE_SIZE, 0600, &dg),
		    &dg);
	}
	need(fs_replace_file(
		 project, "Cargo.lock", lock.buf, lock.len, 0600, &dg),
	    &dg);
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of this process and of its ended children. */
static double
processor(void)
{
	double sum = 0;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		struct rusage used;

		(void)getrusage(who, &used);
		sum += (double)used.ru_utime.tv_sec * 1e3 +
		    (double)used.ru_utime.tv_usec / 1e3 +
		    (double)used.ru_stime.tv_sec * 1e3 +
		    (double)used.ru_stime.tv_usec / 1e3;
	}
	return sum;
}

static double
time_copy(const char *path, int run)
{
	cleanup_free char *from = xasprintf("%s/home/" REGISTRY, path);
	cleanup_free char *to = xasprintf("%s/copy%d", path, run);
	char cp[] = "cp";
	char option[] = "-a";
	char *argv[] = { cp, option, from, to, NULL };
	static char *const no_environ[] = { NULL };
	double begin = now();
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, cp, NULL, NULL, argv, no_environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		need(-1, &(struct diag)DIAG_INIT);
	return now() - begin;
}

static double
time_seed(int top, const char *path, int run)
{
	cleanup_free char *into = xasprintf("data%d", run);
	cleanup_free char *home = xasprintf("%s/home", path);
	cleanup_close int project = make_path(top, "project", "");
	cleanup_close int data = make_path(top, into, "");
	cleanup_cacheseed_report struct cacheseed_report report =
	    CACHESEED_REPORT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	char slot_dir[] = "cargo/registry";
	struct toolchain_cache cache = { .path = slot_dir };
	struct toolchain rust = TOOLCHAIN_INIT;
	struct toolchains toolchains = { &rust, 1 };
	double begin = now();

	rust.caches = &cache;
	rust.ncaches = 1;
	need(cacheseed_run(&(struct cacheseed_spec){ .project_fd = project,
			       .data_fd = data,
			       .toolchains = &toolchains,
			       .sources = { .home = home },
			       .limits = { 1 << 30, 1000, 600000 } },
		 &report, &dg),
	    &dg);
	if (report.files != CRATES)
		need(-1, &dg);
	return now() - begin;
}

/* As deep as 4 directories. */
static void
make_files(int top)
{
	for (int i = 0; i < DIRS; i++) {
		cleanup_free char *path =
		    xasprintf("d%d/d%d/d%d/d%d", i / 1000, i / 100, i / 10, i);
		cleanup_close int dir = make_path(top, "project", path);

		for (int j = 0; j < FILES; j++) {
			cleanup_free char *name = xasprintf("f%d.c", j);
			cleanup_close int fd = openat(
			    dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

			need(fd < 0 ? -1 : 0, &(struct diag)DIAG_INIT);
		}
	}
}

static double
time_search(int top)
{
	cleanup_close int project = make_path(top, "project", "");
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_below_locks struct below_locks locks;
	char slot_dir[] = "cargo/registry";
	struct toolchain_cache cache = { .path = slot_dir };
	struct toolchain rust = TOOLCHAIN_INIT;
	struct toolchains toolchains = { &rust, 1 };
	double begin = now();

	rust.caches = &cache;
	rust.ncaches = 1;
	need(below_find_locks(&locks, project, &toolchains, INT64_MAX, &dg),
	    &dg);
	if (!locks.whole)
		need(-1, &dg);
	return now() - begin;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The ratio is of each run's own copy; the spread is from least to most. */
static void
print_row(const char *what, double *seeds, double *copies, int runs)
{
	double ratios[MAX_RUNS];

	for (int i = 0; i < runs; i++)
		ratios[i] = seeds[i] / copies[i];
	qsort(copies, (size_t)runs, sizeof(*copies), compare);
	qsort(seeds, (size_t)runs, sizeof(*seeds), compare);
	qsort(ratios, (size_t)runs, sizeof(*ratios), compare);
	(void)printf("seed 200 crates, 50 MB, %s: %.0f ms (%.0f to %.0f); "
		     "cp -a: %.0f ms (%.0f to %.0f); ratio %.2f "
		     "(%.2f to %.2f)\n",
	    what, seeds[runs / 2], seeds[0], seeds[runs - 1], copies[runs / 2],
	    copies[0], copies[runs - 1], ratios[runs / 2], ratios[0],
	    ratios[runs - 1]);
}

int
main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path =
	    xasprintf("%s/bench-seed.XXXXXX", tmp != NULL ? tmp : "/tmp");
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	double copies[MAX_RUNS];
	double copies_cpu[MAX_RUNS];
	double seeds_cpu[MAX_RUNS];
	double seeds[MAX_RUNS];
	double searches[MAX_RUNS];
	int runs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 9;
	int top = -1;

	if (runs < 1 || runs > MAX_RUNS || mkdtemp(path) == NULL)
		need(-1, &dg);
	need(fs_open_dir(path, &top, &dg), &dg);
	make_crates(top);
	/* Nothing is removed yet: ext4 avoids the inodes of removed files. */
	for (int i = 0; i < runs; i++) {
		double at = processor();

		copies[i] = time_copy(path, i);
		copies_cpu[i] = processor() - at;
		at = processor();
		seeds[i] = time_seed(top, path, i);
		seeds_cpu[i] = processor() - at;
	}
	make_files(top);
	for (int i = 0; i < runs; i++)
		searches[i] = time_search(top);
	need(fs_list_names(top, path, &names, &dg), &dg);
	for (size_t i = 0; i < names.nr; i++)
		need(fs_remove_tree(top, names.v[i], &dg), &dg);
	(void)close(top);
	(void)rmdir(path);
	print_row("time", seeds, copies, runs);
	print_row("processor time", seeds_cpu, copies_cpu, runs);
	qsort(searches, (size_t)runs, sizeof(*searches), compare);
	(void)printf("search 50,000 files in 5,000 directories: %.0f ms, at "
		     "most %.0f ms\n",
	    searches[runs / 2], searches[runs - 1]);
	return 0;
}
