/* SPDX-License-Identifier: MIT */
/*
 * The first program in a session's containers: holder, sidecar, policy check.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "guest/egress.h"
#include "guest/hold.h"
#include "guest/lease.h"
#include "guest/policy.h"
#include "guest/prove.h"
#include "guest/tunnel.h"
#include "guest/wire.h"

#define PROXY_PORT 3128
#define EGRESS_CONF "/etc/drydock-egress"
#define EGRESS_LOG "/var/log/drydock"
#define RESOLV_CONF "/etc/resolv.conf"
#define EGRESS_SOCKET "/run/egress/egress.sock"
/* 15 minutes: no launch takes longer, so that its launcher is gone. */
#define GO_TIMEOUT_MS 900000

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

/* Returns the place of an option's value, or NULL for an unknown option. */
static const char **
find_value(struct options *o, const char *name)
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
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (strcmp(values[i].name, name) == 0)
			return values[i].at;
	}
	return NULL;
}

/* Parses a number from 1 to max. */
static int
parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || n == 0 || n > max)
		return -1;
	*ret = n;
	return 0;
}

static int
parse_option(char **argv, struct options *o, struct diag *dg)
{
	unsigned long n;
	if (strcmp(argv[0], "--port") == 0 && argv[1] != NULL &&
	    parse_number(argv[1], UINT16_MAX, &n) == 0) {
		o->hold.port = (uint16_t)n;
		return 0;
	}
	if (strcmp(argv[0], "--wait") == 0 && argv[1] != NULL &&
	    parse_number(argv[1], GO_TIMEOUT_MS, &n) == 0) {
		o->hold.go_timeout_ms = (int)n;
		o->egress.lease_ms = (int)n;
		return 0;
	}
	const char **value = find_value(o, argv[0]);
	if (value == NULL || argv[1] == NULL)
		return diag_set(dg, DIAG_USAGE, "not understood: %s", argv[0]);
	*value = argv[1];
	return 0;
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
		else if (parse_option(argv, o, dg) != 0)
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
run(const char *mode, const struct options *o, int *ret_status, struct diag *dg)
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
	    o->rest[0] != NULL && o->rest[1] != NULL && o->rest[2] == NULL) {
		const struct tunnel_spec spec = { o->rest[0], o->rest[1],
			o->hold.port };
		return tunnel_run(&spec, dg);
	}
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
	    run(argv[1], &o, &status, &dg) == -1) {
		diag_print(&dg);
		status = diag_exit_status(&dg);
	}
	diag_clear(&dg);
	if (fflush(stdout) != 0)
		status = 74;
	return status;
}
