/* SPDX-License-Identifier: MIT */
/*
 * The first program in a session's containers.  As the holder it waits for the
 * go message, runs the command, serves its viewers, and exits with the
 * command's status; it is also the sidecar and the policy check.
 */
#include <bsd/stdlib.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/listen.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "guest/egress.h"
#include "guest/lease.h"
#include "guest/note.h"
#include "guest/policy.h"
#include "guest/prove.h"
#include "guest/relay.h"
#include "guest/serve.h"
#include "guest/spawn.h"
#include "guest/tunnel.h"
#include "guest/wire.h"

#define PROXY_PORT 3128
#define EGRESS_CONF "/etc/drydock-egress"
#define EGRESS_LOG "/var/log/drydock"
#define RESOLV_CONF "/etc/resolv.conf"
#define EGRESS_SOCKET "/run/egress/egress.sock"
/* 15 minutes: no launch takes longer, so that its launcher is gone. */
#define GO_TIMEOUT_MS 900000
#define REFUSE_MS 10000 /* how long the refusal is served */
#define LEFT_SHARE 15 /* divides go_timeout_ms once all clients left */

struct hold_spec {
	const char *run_dir; /* the directory of holder.sock */
	struct policy policy;
	bool egress; /* relay 127.0.0.1:port to egress_socket, hold its lease */
	uint16_t port;
	const char *egress_socket;
	/*
	 * The deadline for the go message.  Once a client has sent hello and
	 * all clients have left, a fifteenth of it.
	 */
	int go_timeout_ms;
};

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

static int
check_and_run(struct hold *h, struct diag *broken)
{
	if (policy_check(&h->spec->policy, h->serve.digest, broken) != 0) {
		/* Every client gets the refusal, and no command is run. */
		h->serve.refusal = broken->message;
		if (run(h, REFUSE_MS) == 0)
			diag_move(h->dg, broken);
		return -1;
	}
	if (start_relay(h) == -1)
		return -1;
	return run(h, h->spec->go_timeout_ms);
}

/*
 * Runs the holder.  *ret_status is the container's exit status: the command's
 * status, or 143 if the holder is terminated before go.  Broken guardrails are
 * DIAG_POLICY, after clients were refused for some seconds.  No go message in
 * time is DIAG_BUSY.
 */
static int
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

static const char usage[] =
    "usage: holder hold [--egress] [--run DIR] [--policy DIR]\n"
    "           [--manifest FILE] [--build] [--port N] [--socket PATH]\n"
    "           [--wait MS]\n"
    "       holder egress [--lease] [--socket PATH] [--conf DIR]\n"
    "           [--log DIR] [--wait MS]\n"
    "       holder connect [--port N] -- HOST PORT\n"
    "       holder check-policy [--build] [--policy DIR] [--manifest FILE]\n"
    "       holder prove -- NAME=VALUE...\n"
    "       holder version\n";

/* Options for tests; the image's plan keeps the defaults. */
struct options {
	struct hold_spec hold;
	struct egress_spec egress;
	bool lease;
	char *const *rest; /* after -- */
};

/* Parses a number from 1 to max. */
static bool
parse_number(const char *text, long long max, int *ret)
{
	const char *problem;
	long long n = strtonum(text, 1, max, &problem);
	if (problem != NULL || *text < '0' || *text > '9')
		return false;
	*ret = (int)n;
	return true;
}

/* Takes an option with a value.  value may be NULL. */
static int
parse_option(
    const char *name, const char *value, struct options *o, struct diag *dg)
{
	const struct {
		const char *name;
		const char **at;
	} values[] = {
		{ "--run", &o->hold.run_dir },
		{ "--policy", &o->hold.policy.dir },
		{ "--manifest", &o->hold.policy.manifest },
		{ "--socket", &o->hold.egress_socket },
		{ "--conf", &o->egress.conf },
		{ "--log", &o->egress.log },
	};
	int n;
	for (size_t i = 0; value != NULL && i < ARRAY_SIZE(values); i++) {
		if (strcmp(values[i].name, name) == 0) {
			*values[i].at = value;
			return 0;
		}
	}
	if (value != NULL && strcmp(name, "--port") == 0 &&
	    parse_number(value, UINT16_MAX, &n)) {
		o->hold.port = (uint16_t)n;
		return 0;
	}
	if (value != NULL && strcmp(name, "--wait") == 0 &&
	    parse_number(value, GO_TIMEOUT_MS, &n)) {
		o->hold.go_timeout_ms = n;
		o->egress.lease_ms = n;
		return 0;
	}
	return diag_set(dg, DIAG_USAGE, "not understood: %s", name);
}

static int
parse(char **argv, struct options *o, struct diag *dg)
{
	for (; *argv != NULL; argv++) {
		if (strcmp(*argv, "--") == 0) {
			o->rest = argv + 1;
			return 0;
		}
		if (strcmp(*argv, "--egress") == 0)
			o->hold.egress = true;
		else if (strcmp(*argv, "--lease") == 0)
			o->lease = true;
		else if (strcmp(*argv, "--build") == 0)
			o->hold.policy.build = true;
		else if (parse_option(argv[0], argv[1], o, dg) != 0)
			return -1;
		else
			argv++;
	}
	return 0;
}

/*
 * Opens descriptors 0 to 2 if they are closed; otherwise the next file opened
 * would get one of these numbers.
 */
static void
open_standard(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

static int
run_mode(
    const char *mode, const struct options *o, int *ret_status, struct diag *dg)
{
	char digest[DIGEST_HEX_SIZE];
	*ret_status = 0;
	if (strcmp(mode, "hold") == 0)
		return hold_run(&o->hold, ret_status, dg);
	if (strcmp(mode, "egress") == 0) {
		struct egress_spec spec = o->egress;
		spec.socket = o->hold.egress_socket;
		if (!o->lease)
			spec.lease_ms = 0;
		return egress_run(&spec, dg);
	}
	if (strcmp(mode, "check-policy") == 0)
		return policy_check(&o->hold.policy, digest, dg);
	if (strcmp(mode, "connect") == 0 && o->rest != NULL &&
	    o->rest[0] != NULL && o->rest[1] != NULL && o->rest[2] == NULL)
		return tunnel_run(o->rest[0], o->rest[1], o->hold.port, dg);
	if (strcmp(mode, "prove") == 0)
		return prove_run(o->rest, dg);
	if (strcmp(mode, "version") == 0) {
		(void)printf("%u\n", WIRE_VERSION);
		return 0;
	}
	return diag_set(dg, DIAG_USAGE, "not understood: %s", mode);
}

int
main(int argc, char **argv)
{
	struct diag dg = DIAG_INIT;
	int status = 0;
	struct options o = { .hold = { .run_dir = "/run/drydock",
				 .policy = { .manifest = POLICY_MANIFEST },
				 .port = PROXY_PORT,
				 .egress_socket = EGRESS_SOCKET,
				 .go_timeout_ms = GO_TIMEOUT_MS },
		.egress = { .conf = EGRESS_CONF,
		    .log = EGRESS_LOG,
		    .resolv_conf = RESOLV_CONF,
		    .lease_ms = LEASE_FIRST_MS } };
	open_standard();
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		(void)fputs(usage, stderr);
		return 64;
	}
	if (parse(argv + 2, &o, &dg) != 0 ||
	    run_mode(argv[1], &o, &status, &dg) == -1) {
		diag_print(&dg);
		status = diag_exit_status(&dg);
	}
	diag_clear(&dg);
	if (fflush(stdout) != 0)
		status = 74;
	return status;
}
