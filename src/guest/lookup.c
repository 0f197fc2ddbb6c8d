/* SPDX-License-Identifier: MIT */
/* lookup: libc's resolver in child processes. */
#include "guest/lookup.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	/* A server has twice this time for each try: less than LOOKUP_MS. */
	TRY_SECONDS = 2,
	TRIES = 2,
};

void
lookup_read_answer(const unsigned char *answer, size_t len, sa_family_t family,
    struct lookup_report *ret_report)
{
	ns_type type = family == AF_INET ? ns_t_a : ns_t_aaaa;
	size_t size = family == AF_INET ? 4 : 16;
	ns_msg msg;
	ns_rr rr;
	*ret_report = (struct lookup_report){ .failure = LOOKUP_NO_NAME };
	if (len > NS_MAXMSG || ns_initparse(answer, (int)len, &msg) != 0) {
		ret_report->failure = LOOKUP_FAILED;
		return;
	}
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		struct proxyaddr *a = &ret_report->v[ret_report->nr];
		if (ns_parserr(&msg, ns_s_an, i, &rr) != 0 ||
		    ret_report->nr == LOOKUP_EACH)
			break;
		if (ns_rr_class(rr) != ns_c_in || ns_rr_type(rr) != type ||
		    ns_rr_rdlen(rr) != size)
			continue;
		a->family = family;
		memcpy(a->bytes, ns_rr_rdata(rr), size);
		ret_report->nr++;
	}
}

/* res_nquery() asks for the name as it is, without search domains. */
static void
ask(const char *name, sa_family_t family, struct lookup_report *ret_report)
{
	struct __res_state state = { .options = 0 };
	unsigned char answer[NS_MAXMSG];
	int n;
	*ret_report = (struct lookup_report){ .failure = LOOKUP_FAILED };
	if (res_ninit(&state) != 0)
		return;
	state.retrans = TRY_SECONDS;
	state.retry = TRIES;
	n = res_nquery(&state, name, ns_c_in,
	    family == AF_INET ? ns_t_a : ns_t_aaaa, answer, sizeof(answer));
	if (n >= 0 && (size_t)n <= sizeof(answer))
		lookup_read_answer(answer, (size_t)n, family, ret_report);
	else if (state.res_h_errno == HOST_NOT_FOUND ||
	    state.res_h_errno == NO_DATA)
		ret_report->failure = LOOKUP_NO_NAME;
	else if (state.res_h_errno == TRY_AGAIN)
		ret_report->failure = LOOKUP_LATE;
}

/*
 * The child closes the clients' sockets: a connection that the proxy closes
 * would otherwise stay open until the child ends.
 */
static pid_t
ask_in_child(const char *name, sa_family_t family, int fd)
{
	struct lookup_report report;
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	if (dup2(fd, STDERR_FILENO + 1) == -1 ||
	    close_range(STDERR_FILENO + 2, ~0U, 0) == -1)
		_exit(1);
	ask(name, family, &report);
	/* At most PIPE_BUF bytes: written as one, or not at all. */
	_exit(write(STDERR_FILENO + 1, &report, sizeof(report)) ==
		    (ssize_t)sizeof(report)
		? 0
		: 1);
}

/* A process that has ended keeps its pid until waitpid(). */
static void
stop_children(struct lookup *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(l->pid); i++) {
		if (l->pid[i] <= 0)
			continue;
		(void)kill(l->pid[i], SIGKILL);
		while (waitpid(l->pid[i], NULL, 0) == -1 && errno == EINTR)
			continue;
		l->pid[i] = 0;
	}
}

static void
release(struct lookup *l)
{
	struct loop *loop = l->all->loop;
	stop_children(l);
	timer_cancel(loop, &l->deadline);
	loop_close(loop, &l->pipe);
	l->all->running--;
	l->all = NULL;
}

static void run_next(struct lookups *all);

static void
finish(struct lookup *l)
{
	struct lookups *all = l->all;
	release(l);
	run_next(all);
	l->done(l->arg);
}

static void
add_report(struct lookup *l, const struct lookup_report *r)
{
	size_t at = l->nr;
	if (r->nr > LOOKUP_EACH || l->nr + r->nr > ARRAY_SIZE(l->v))
		return;
	if (r->nr > 0 && r->v[0].family == AF_INET) {
		memmove(l->v + r->nr, l->v, l->nr * sizeof(*l->v));
		at = 0;
	}
	memcpy(l->v + at, r->v, r->nr * sizeof(*r->v));
	l->nr += r->nr;
	/* Of two failures, the one that says more. */
	if (r->nr == 0 && r->failure > l->failure)
		l->failure = r->failure;
}

/* End of file: both children have ended. */
static void
on_pipe(void *arg, short events)
{
	struct lookup *l = arg;
	struct lookup_report report;
	ssize_t n = read(l->pipe.fd, &report, sizeof(report));
	(void)events;
	if (n == (ssize_t)sizeof(report)) {
		l->reports++;
		add_report(l, &report);
		return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A child that was killed has reported nothing. */
	if (l->reports < ARRAY_SIZE(l->pid))
		l->failure = LOOKUP_FAILED;
	finish(l);
}

/* Addresses of one family are used if the other has none in time. */
static void
on_deadline(void *arg)
{
	struct lookup *l = arg;
	if (l->failure < LOOKUP_LATE)
		l->failure = LOOKUP_LATE;
	finish(l);
}

/* A failure is reported like an answer without addresses. */
static void
run(struct lookup *l)
{
	struct loop *loop = l->all->loop;
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	int fds[2] = { -1, -1 };
	int after_ms = LOOKUP_MS;
	l->is_running = true;
	l->all->running++;
	if (pipe2(fds, O_CLOEXEC) == 0) {
		(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
		for (size_t i = 0; i < ARRAY_SIZE(l->pid); i++)
			l->pid[i] = ask_in_child(l->name, families[i], fds[1]);
	}
	l->pipe.fd = fds[0];
	if (l->pid[0] <= 0 && l->pid[1] <= 0) {
		l->failure = LOOKUP_FAILED;
		after_ms = 0;
	}
	/* Without the parent's end, the pipe ends with the children. */
	cleanup_close_fn(&fds[1]);
	if (l->pipe.fd != -1)
		loop_want(loop, &l->pipe, POLLIN);
	timer_arm(loop, &l->deadline, after_ms);
}

static void
run_next(struct lookups *all)
{
	struct lookup *l = all->first;
	if (l == NULL || all->running == LOOKUP_RUNNING)
		return;
	all->first = l->next;
	all->waiting--;
	run(l);
}

bool
lookup_start(struct lookups *all, struct lookup *lookup, const char *name,
    void (*done)(void *arg), void *arg)
{
	if (all->waiting == LOOKUP_WAITING)
		return false;
	*lookup = (struct lookup){ .all = all,
		.name = name,
		.done = done,
		.arg = arg,
		.pipe = { -1, 0, on_pipe, lookup, 0 },
		.deadline = { 0, on_deadline, lookup, NULL } };
	if (all->first == NULL)
		all->first = lookup;
	else
		all->last->next = lookup;
	all->last = lookup;
	all->waiting++;
	run_next(all);
	return true;
}

bool
lookup_literal(struct lookup *lookup, const char *name)
{
	char text[PROXYADDR_TEXT];
	size_t len = strlen(name);
	bool six = len > 2 && len < sizeof(text) && name[0] == '[' &&
	    name[len - 1] == ']';
	if (six) {
		memcpy(text, name + 1, len - 2);
		text[len - 2] = '\0';
		name = text;
	}
	*lookup = (struct lookup){ .all = NULL };
	if (!proxyaddr_parse(name, &lookup->v[0]) ||
	    (lookup->v[0].family == AF_INET6) != six)
		return false;
	lookup->nr = 1;
	return true;
}

void
lookup_cancel(struct lookup *lookup)
{
	struct lookups *all = lookup->all;
	struct lookup *prev = NULL;
	if (all == NULL)
		return;
	if (lookup->is_running) {
		release(lookup);
		run_next(all);
		return;
	}
	for (struct lookup *l = all->first; l != lookup; l = l->next)
		prev = l;
	if (prev == NULL)
		all->first = lookup->next;
	else
		prev->next = lookup->next;
	if (all->last == lookup)
		all->last = prev;
	all->waiting--;
	lookup->all = NULL;
}
