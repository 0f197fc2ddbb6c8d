/* SPDX-License-Identifier: MIT */
/* What a scan begins with: the trees and documents that an agent names. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/settings.h"
#include "sync/scan.h"
#include "sync/walk.h"

/*
 * Opens HOME/from as people mean it, through a link too; *ret_real, returned,
 * is where it is, *ret_links how many links led there.  *ret_fd is -1 when there
 * is nothing to go on with; what a link is for is an entry then.
 */
static int
open_top(struct walk *w, int home_fd, int *ret_fd, char **ret_real,
    struct stat *ret_st, int *ret_links)
{
	const char *from = w->tree->from;
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	enum scan_why why;
	struct stat link;

	*ret_fd = -1;
	if (fstatat(home_fd, from, &link, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : fs_walk_fail(&w->at, "stat");
	if (walk_resolve(w, home_fd, from, &link, &fd, ret_links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fstat(fd, ret_st) < 0)
		return fs_walk_fail(&w->at, "stat");
	if (walk_follow(w, fd, &link, &real) < 0)
		return -1;
	if (real == NULL)
		return 0;
	why = *ret_links > 0 ? walk_distrust(w, ret_st, real) : SCAN_FINE;
	if (why != SCAN_FINE)
		return walk_skip(w, &link, why);
	if (S_ISLNK(link.st_mode) && walk_add(w, SCAN_THROUGH, &link) == NULL)
		return -1;
	*ret_fd = steal_fd(&fd);
	*ret_real = steal_ptr(&real);
	return 0;
}

static int
scan_tree(struct walk *w, int home_fd)
{
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	int links = 0;
	struct stat st;

	w->prefix = w->at.path.len + 1;
	if (open_top(w, home_fd, &fd, &real, &st, &links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return walk_skip(w, &st, SCAN_SPECIAL);
	w->place = (struct walk_place){
		.real = real,
		.root = w->prefix,
		.followed = links > 0,
	};
	return walk_enter(w, fd, ".", &st);
}

static int
scan_document(struct walk *w, int home_fd)
{
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	struct scan_entry *e;
	int links = 0;
	struct stat st;

	if (open_top(w, home_fd, &fd, &real, &st, &links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (!S_ISREG(st.st_mode))
		return walk_skip(w, &st, SCAN_SPECIAL);
	e = walk_add(w, SCAN_DOCUMENT, &st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(real + 1);
	e->document = w->tree;
	return 0;
}

static int
scan_sources(struct walk *w, const struct agent_sources *sources, int home_fd,
    int (*scan_one)(struct walk *w, int home_fd))
{
	for (size_t i = 0; i < sources->nr; i++) {
		cleanup_free char *name = NULL;
		int rc;

		w->tree = &sources->v[i];
		name = xasprintf("%s/%s", w->paths->home, w->tree->from);
		w->home_name = name;
		strbuf_reset(&w->at.path);
		strbuf_addstr(&w->at.path, w->tree->to);
		rc = scan_one(w, home_fd);
		w->home_name = NULL;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* A second name of a credential file is found only when all are known. */
static void
drop_credentials(struct scan *scan, struct inodes *credentials)
{
	inodes_sort(credentials);
	for (size_t i = 0; i < scan->nr; i++) {
		struct scan_entry *e = &scan->v[i];

		if ((e->kind == SCAN_FILE || e->kind == SCAN_DOCUMENT) &&
		    inodes_has(credentials, e->dev, (ino_t)e->ino)) {
			e->kind = SCAN_SKIPPED;
			e->why = SCAN_TO_CREDENTIAL;
		}
	}
}

static void
add_documents(const struct scan *scan, struct inodes *set)
{
	for (size_t i = 0; i < scan->nr; i++) {
		const struct stat st = {
			.st_mode = S_IFREG,
			.st_dev = scan->v[i].dev,
			.st_ino = (ino_t)scan->v[i].ino,
		};

		if (scan->v[i].kind == SCAN_DOCUMENT)
			inodes_add(set, &st);
	}
}

/* A document may be in a tree, too, where nothing would be left out of it. */
static void
drop_documents(struct scan *scan)
{
	struct inodes documents = INODES_INIT;

	add_documents(scan, &documents);
	inodes_sort(&documents);
	for (size_t i = 0; i < scan->nr; i++) {
		struct scan_entry *e = &scan->v[i];

		if (e->kind == SCAN_FILE &&
		    inodes_has(&documents, e->dev, (ino_t)e->ino)) {
			e->kind = SCAN_SKIPPED;
			e->why = SCAN_ACCOUNT;
		}
	}
	inodes_release(&documents);
}

/* Fills a scan, and the list of credential files that were met. */
static int
walk_host(struct walk *w, struct diag *dg)
{
	const struct agent_sync *sync = &w->agent->sync;
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_close int home_fd = -1;
	int rc;

	w->at = (struct fs_walk){
		.visit = walk_entry,
		.arg = w,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.depth = 1, /* in the home */
		.max_depth = SCAN_MAX_DEPTH,
		.too_deep = DIAG_CONFIG,
	};
	/* The clock that the kernel stamps files with. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &w->scan->start);
	if (knownprojects_load(w->paths, &known, dg) < 0 ||
	    fs_open_dir(w->paths->home, &home_fd, dg) < 0)
		return -1;
	w->known = known;
	rc = scan_sources(w, &sync->trees, home_fd, scan_tree);
	if (rc == 0)
		rc = scan_sources(w, &sync->documents, home_fd, scan_document);
	if (rc == 0)
		rc = inodes_add_protected(&w->credentials, w->paths, known, dg);
	fs_walk_release(&w->at);
	return rc;
}

int
scan_run(struct scan *ret, const struct paths *paths,
    const struct settings *settings, const struct agent *agent, struct diag *dg)
{
	struct walk w = {
		.scan = ret,
		.paths = paths,
		.settings = settings,
		.agent = agent,
	};
	int rc = walk_host(&w, dg);

	if (rc == 0) {
		drop_credentials(ret, &w.credentials);
		drop_documents(ret);
	}
	inodes_release(&w.credentials);
	return rc;
}
