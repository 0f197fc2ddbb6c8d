/* SPDX-License-Identifier: MIT */
/*
 * facts: where the test build of drydock takes the facts of a process from.
 *
 * Linked with --wrap=proc_facts_open and --wrap=proc_facts_read: they are the
 * world's, in WORLD_DIR, and pass the parsers of the real ones.  What is
 * mounted is looked at in the real mount namespace of the container's init.
 * --wrap=pthread_create: what runs beside runs before, so that every run makes
 * the same calls in one order.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/procfacts.h"

/* The compiler says when one of them has become another. */
__typeof__(proc_facts_open) __wrap_proc_facts_open;
__typeof__(proc_facts_read) __wrap_proc_facts_read;
__typeof__(pthread_create) __wrap_pthread_create;
__typeof__(pthread_create) __real_pthread_create;

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg)
{
	if (getenv("WORLD_THREADS") == NULL)
		return EAGAIN;
	return __real_pthread_create(thread, attr, run, arg);
}

static int
read_text(int dir_fd, const char *name, struct strbuf *text, struct diag *dg)
{
	strbuf_reset(text);
	return fs_read_file(dir_fd, name, 1 << 20, text, dg);
}

static int
read_limits(struct proc_facts *facts, const char *text)
{
	long long memory;
	long long pids;
	long long cpus;
	char net[8];

	if (sscanf(text, "%lld %lld %lld %7s", &memory, &pids, &cpus, net) != 4)
		return -1;
	facts->limits = (struct proc_limits){ memory, pids, cpus };
	for (unsigned i = 0; i < PROC_NNS; i++) {
		facts->own_ns[i] = i + 1;
		facts->ns[i] = i + 100;
	}
	facts->ns[PROC_NS_USER] = facts->own_ns[PROC_NS_USER];
	if (strcmp(net, "host") == 0)
		facts->ns[PROC_NS_NET] = facts->own_ns[PROC_NS_NET];
	return 0;
}

int
__wrap_proc_facts_open(pid_t pid, const char *container_id, bool only_child,
    struct proc_facts *ret_facts, struct diag *dg)
{
	const char *world = getenv("WORLD_DIR");
	cleanup_proc_facts struct proc_facts facts = PROC_FACTS_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *dir = xasprintf("%s/containers/%s",
	    world == NULL ? "/nowhere" : world, container_id);
	cleanup_free char *tree =
	    xasprintf("/proc/%ld/root%s/tree", (long)pid, dir);

	(void)only_child;
	facts.pid = pid;
	if (fs_open_dir(dir, &facts.proc_fd, dg) != 0 ||
	    read_text(facts.proc_fd, "status", &text, dg) != 0 ||
	    proc_parse_status(text.buf, &facts.status, dg) != 0 ||
	    proc_parse_status(text.buf, &facts.child, dg) != 0)
		return -1;
	facts.root_fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (facts.root_fd == -1)
		return diag_set_errno(dg, DIAG_POLICY, errno, "open %s", tree);
	*ret_facts = facts;
	facts = (struct proc_facts)PROC_FACTS_INIT;
	return 0;
}

int
__wrap_proc_facts_read(struct proc_facts *facts, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int fd = facts->proc_fd;

	facts->uid_map = xstrdup("0 0 4294967295");
	if (read_text(fd, "mountinfo", &text, dg) != 0 ||
	    proc_parse_mounts(text.buf, &facts->mounts, dg) != 0 ||
	    read_text(fd, "netdev", &text, dg) != 0 ||
	    proc_parse_devices(text.buf, &facts->devices, dg) != 0 ||
	    read_text(fd, "limits", &text, dg) != 0)
		return -1;
	if (read_limits(facts, text.buf) != 0)
		return diag_set(dg, DIAG_POLICY, "the world's limits");
	return 0;
}
