/* SPDX-License-Identifier: MIT */
/* The holder: checks the guardrails, starts the relay, opens the socket. */
#include "guest/hold.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/listen.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "guest/lease.h"
#include "guest/note.h"
#include "guest/relay.h"
#include "guest/serve.h"
#include "guest/spawn.h"
#include "guest/wire.h"

#define REFUSE_MS 10000 /* how long the refusal is served */
#define LEFT_SHARE 15 /* divides go_timeout_ms once all clients left */

struct hold {
	const struct hold_spec *spec;
	struct diag *dg;
	struct loop loop;
	struct relay relay;
	struct lease lease; /* of the sidecar */
	struct watch signals; /* fd owned */
	struct serve serve;
	struct inherited own;
	struct note note;
	struct timer deadline; /* for go, or for serving a refusal */
	struct timer left; /* for go, since the last client left */
};

static void
on_signal(void *arg, short events)
{
	struct hold *h = arg;
	int sig = loop_signal(&h->signals);
	(void)events;
	if (sig == SIGCHLD) {
		serve_reap(&h->serve);
	} else if (sig != 0 && !serve_stop(&h->serve)) {
		h->serve.status = 128U + (unsigned int)SIGTERM;
		loop_stop(&h->loop);
	}
}

static void
on_deadline(void *arg)
{
	struct hold *h = arg;
	if (h->serve.refusal == NULL)
		(void)diag_set(
		    h->dg, DIAG_BUSY, "no command was given in time");
	loop_stop(&h->loop);
}

/*
 * A launcher that is killed before go sends no go later.  Until the holder
 * ends, its session counts as running.  An attach may connect and leave
 * meanwhile, too.
 */
static void
watch_launcher(struct hold *h)
{
	const struct serve *s = &h->serve;
	if (s->started || s->clients != NULL)
		timer_cancel(&h->loop, &h->left);
	else if (s->greeted && h->left.due == 0)
		timer_arm(
		    &h->loop, &h->left, h->spec->go_timeout_ms / LEFT_SHARE);
}

static void
settle(void *arg)
{
	struct hold *h = arg;
	serve_settle(&h->serve);
	if (h->serve.started)
		timer_cancel(&h->loop, &h->deadline);
	watch_launcher(h);
	if (serve_is_over(&h->serve))
		loop_stop(&h->loop);
}

static int
start_relay(struct hold *h)
{
	struct address from, target;
	if (!h->spec->egress)
		return 0;
	address_loopback(&from, h->spec->port);
	if (address_unix(&target, h->spec->egress_socket, h->dg) != 0)
		return -1;
	lease_init(&h->lease, &h->loop, h->spec->egress_socket);
	lease_hold(&h->lease);
	return relay_start(&h->relay, &h->loop, &from, &target, h->dg);
}

static int
run(struct hold *h, int timeout_ms)
{
	cleanup_free char *path =
	    xasprintf("%s/" WIRE_SOCKET_NAME, h->spec->run_dir);
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0 };
	timer_arm(&h->loop, &h->deadline, timeout_ms);
	if (loop_watch_signals(
		&h->loop, &h->signals, signals, on_signal, h, h->dg) != 0 ||
	    serve_start(&h->serve, &h->loop, path, h->dg) != 0)
		return -1;
	loop_run(&h->loop);
	return h->dg->class == DIAG_NONE ? 0 : -1;
}

/* Broken guardrails: every client gets the refusal, and no command is run. */
static int
run_refusal(struct hold *h, struct diag *broken)
{
	h->serve.refusal = broken->message;
	if (run(h, REFUSE_MS) == 0)
		diag_move(h->dg, broken);
	return -1;
}

static int
check_and_run(struct hold *h, struct diag *broken)
{
	if (policy_check(&h->spec->policy, h->serve.digest, broken) != 0)
		return run_refusal(h, broken);
	if (start_relay(h) == -1)
		return -1;
	return run(h, h->spec->go_timeout_ms);
}

int
hold_run(const struct hold_spec *spec, int *ret_status, struct diag *dg)
{
	struct hold h = { .spec = spec, .dg = dg, .signals = { .fd = -1 } };
	cleanup_diag struct diag broken = DIAG_INIT;
	h.deadline = (struct timer){ 0, on_deadline, &h, NULL };
	h.left = (struct timer){ 0, on_deadline, &h, NULL };
	inherited_note(&h.own);
	h.serve.own = &h.own;
	(void)umask(077);
	loop_init(&h.loop);
	h.loop.after = settle;
	h.loop.after_arg = &h;
	note_start(&h.note, spec->run_dir);
	h.serve.note = &h.note;
	int rc = check_and_run(&h, &broken);
	note_release(&h.note);
	serve_release(&h.serve);
	relay_release(&h.relay);
	lease_release(&h.lease);
	cleanup_close_fn(&h.signals.fd);
	if (rc == 0)
		*ret_status = (int)h.serve.status;
	return rc;
}
