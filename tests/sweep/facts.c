/* SPDX-License-Identifier: MIT */
/*
 * facts: where the test build of drydock takes the facts of a process from.
 *
 * Linked with --wrap=proc_facts_open and --wrap=proc_facts_read: they are the
 * world's, in WORLD_DIR, and pass the parsers of the real ones.  What is
 * mounted is looked at in the real mount namespace of the container's init.
 * --wrap=pthread_create: what runs beside runs before, so that every run makes
 * the same calls in one order.
 * --wrap=jqprog_...: a program is not compiled for an input that it had before,
 * which is most of what a launch computes: WORLD_JUDGED has the digests of both
 * with the answer, and of one that is not there yet WORLD_JUDGED_TO is told.  No
 * call of the system is made for it, so that each run of a scenario makes the
 * same ones.  What differs by chance is left out.
 * --wrap=paths_find: the short links, which all of a user's programs share, are
 * in a directory of each worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/jqprog.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "plan/procfacts.h"

#define STATE_ID 32
#define ANSWER_MAX 512

/* The compiler says when one of them has become another. */
__typeof__(proc_facts_open) __wrap_proc_facts_open;
__typeof__(proc_facts_read) __wrap_proc_facts_read;
__typeof__(pthread_create) __wrap_pthread_create;
__typeof__(pthread_create) __real_pthread_create;
__typeof__(paths_find) __wrap_paths_find;
__typeof__(paths_find) __real_paths_find;

int
__wrap_paths_find(struct paths *ret_paths, struct diag *dg)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (__real_paths_find(ret_paths, dg) != 0)
		return -1;
	free(ret_paths->short_dir);
	ret_paths->short_dir = xasprintf("%s/short", runtime);
	return 0;
}

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
	facts->limits = (struct cgroup_limits){ memory, pids, cpus };
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
	    mountinfo_parse(text.buf, &facts->mounts, dg) != 0 ||
	    read_text(fd, "netdev", &text, dg) != 0 ||
	    proc_parse_devices(text.buf, &facts->devices, dg) != 0 ||
	    read_text(fd, "limits", &text, dg) != 0)
		return -1;
	if (read_limits(facts, text.buf) != 0)
		return diag_set(dg, DIAG_POLICY, "the world's limits");
	return 0;
}

struct jqprog {
	char *name;
	char *text;
	struct jqprog *real; /* NULL: not compiled */
};

__typeof__(jqprog_compile) __wrap_jqprog_compile;
__typeof__(jqprog_compile) __real_jqprog_compile;
__typeof__(jqprog_run) __wrap_jqprog_run;
__typeof__(jqprog_run) __real_jqprog_run;
__typeof__(jqprog_free) __wrap_jqprog_free;
__typeof__(jqprog_free) __real_jqprog_free;
__typeof__(jqprog_freep) __wrap_jqprog_freep;

static bool
keeps_answers(void)
{
	return getenv("WORLD_JUDGED") != NULL ||
	    getenv("WORLD_JUDGED_TO") != NULL;
}

int
__wrap_jqprog_compile(const char *name, const char *text,
    struct jqprog **ret_prog, struct diag *dg)
{
	struct jqprog *prog = xcalloc(1, sizeof(*prog));

	prog->name = xstrdup(name);
	prog->text = xstrdup(text);
	if (!keeps_answers() &&
	    __real_jqprog_compile(name, text, &prog->real, dg) != 0) {
		__wrap_jqprog_free(prog);
		return -1;
	}
	*ret_prog = prog;
	return 0;
}

void
__wrap_jqprog_free(struct jqprog *prog)
{
	if (prog == NULL)
		return;
	__real_jqprog_free(prog->real);
	free(prog->name);
	free(prog->text);
	free(prog);
}

void
__wrap_jqprog_freep(struct jqprog **prog)
{
	__wrap_jqprog_free(*prog);
	*prog = NULL;
}

/* Inodes by the order in which they come: another copy has others. */
static void
number_inodes(const char *text, struct strbuf *out)
{
	static const char before[] = "\"ino\":\"";
	cleanup_strvec struct strvec seen = STRVEC_INIT;

	for (const char *at; (at = strstr(text, before)) != NULL;) {
		cleanup_free char *ino = NULL;
		size_t n = 0;

		at += sizeof(before) - 1;
		ino = xstrndup(at, strcspn(at, "\""));
		while (n < seen.nr && strcmp(seen.v[n], ino) != 0)
			n++;
		if (n == seen.nr)
			strvec_push(&seen, ino);
		strbuf_add(out, text, (size_t)(at - text));
		strbuf_addf(out, "%zu", n);
		text = at + strlen(ino);
	}
	strbuf_addstr(out, text);
}

/* The state directory's, which a first launch draws. */
static void
blank_state_id(char *text)
{
	for (char *s = text; *s != '\0';) {
		size_t n = strspn(s, "0123456789abcdefghijklmnopqrstuvwxyz");

		if (n == STATE_ID)
			memset(s, '-', n);
		s += n + (s[n] != '\0');
	}
}

/* Of the program and its input, without ids.  Returns whether there were none:
 * an answer may hold what the input does. */
static bool
digest_question(const struct jqprog *prog, const char *input, size_t len,
    char ret_hex[DIGEST_HEX_SIZE])
{
	static const char before[] = "/sessions/";
	cleanup_free char *plain = xstrndup(input, len);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *at;

	strbuf_addstr(&text, prog->text);
	number_inodes(plain, &text);
	at = strstr(text.buf, before);
	if (at != NULL && strlen(at) >= sizeof(before) + 7) {
		cleanup_free char *id = xstrndup(at + sizeof(before) - 1, 8);

		while ((at = strstr(text.buf, id)) != NULL)
			memset(at, '-', 8);
	}
	blank_state_id(text.buf);
	digest_bytes(text.buf, text.len, ret_hex);
	return strcmp(text.buf + strlen(prog->text), plain) == 0;
}

/* A line: the question's digest, and the answer's bytes as digits. */
static int
keep_answer(const char *path, const char *hex, const char *answer)
{
	FILE *f = fopen(path, "ae");

	if (f == NULL)
		return -1;
	(void)fprintf(f, "%s=", hex);
	for (const char *s = answer; *s != '\0'; s++)
		(void)fprintf(f, "%02x", (unsigned char)*s);
	(void)fputc('\n', f);
	return fclose(f);
}

/* The answer among those known, each before a blank or the end. */
static bool
recall(const char *known, const char *hex, struct strbuf *out)
{
	const char *at = known == NULL ? NULL : strstr(known, hex);
	unsigned byte;

	if (at == NULL)
		return false;
	for (at += strlen(hex) + 1; sscanf(at, "%2x", &byte) == 1 && *at != ' ';
	     at += 2)
		strbuf_addch(out, (char)byte);
	return true;
}

int
__wrap_jqprog_run(struct jqprog *prog, const char *input, size_t len,
    struct strbuf *out, struct diag *dg)
{
	const char *path = getenv("WORLD_JUDGED_TO");
	char hex[DIGEST_HEX_SIZE];
	size_t start = out->len;
	const char *answer;
	bool exact = false;

	if (keeps_answers()) {
		exact = digest_question(prog, input, len, hex);
		if (recall(getenv("WORLD_JUDGED"), hex, out))
			return 0;
	}
	if ((prog->real == NULL &&
		__real_jqprog_compile(
		    prog->name, prog->text, &prog->real, dg) != 0) ||
	    __real_jqprog_run(prog->real, input, len, out, dg) != 0)
		return -1;
	answer = out->buf + start;
	if (path != NULL && (exact || strcmp(answer, "[]") == 0) &&
	    strlen(answer) <= ANSWER_MAX && keep_answer(path, hex, answer) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "keep %s", path);
	return 0;
}
