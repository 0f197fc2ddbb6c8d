/* SPDX-License-Identifier: MIT */
/* The program that runs inside a session's containers before anything else. */
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
#include "guest/policy.h"
#include "guest/wire.h"

#define PROXY_PORT 3128
#define EGRESS_SOCKET "/run/egress/egress.sock"
/* More than any launch takes; then whoever launched it is gone. */
#define GO_TIMEOUT_MS (15 * 60 * 1000)

static const char usage[] =
    "usage: holder hold [--egress] [--run DIR] [--policy DIR]\n"
    "           [--manifest FILE] [--build] [--port N] [--socket PATH]\n"
    "       holder egress [--port N] [--socket PATH] [-- PROXY ARG...]\n"
    "       holder check-policy [--build] [--policy DIR] [--manifest FILE]\n"
    "       holder version\n";

/* What the image's plan leaves as it is and tests set. */
struct options {
	struct hold_spec hold;
	char *const *rest; /* after -- */
};

/* A value's place, or NULL for a name that takes none. */
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
	};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (strcmp(values[i].name, name) == 0)
			return values[i].at;
	}
	return NULL;
}

static int
parse_port(const char *text, uint16_t *ret_port)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	if (*end != '\0' || port == 0 || port > UINT16_MAX)
		return -1;
	*ret_port = (uint16_t)port;
	return 0;
}

static int
parse(char **argv, struct options *o, struct diag *dg)
{
	for (; *argv != NULL; argv++) {
		const char **value = find_value(o, *argv);
		if (strcmp(*argv, "--") == 0) {
			o->rest = argv + 1;
			return 0;
		}
		if (strcmp(*argv, "--egress") == 0) {
			o->hold.egress = true;
		} else if (strcmp(*argv, "--build") == 0) {
			o->hold.policy.build = true;
		} else if (strcmp(*argv, "--port") == 0 && argv[1] != NULL) {
			if (parse_port(*++argv, &o->hold.port) == -1)
				return diag_set(
				    dg, DIAG_USAGE, "port: %s", *argv);
		} else if (value != NULL && argv[1] != NULL) {
			*value = *++argv;
		} else {
			return diag_set(
			    dg, DIAG_USAGE, "not understood: %s", *argv);
		}
	}
	return 0;
}

/* Descriptors 0 to 2 are open, or what is opened next would become them. */
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
run_egress(const struct options *o, int *ret_status, struct diag *dg)
{
	static char squid[] = "/usr/sbin/squid";
	static char foreground[] = "-N";
	static char file[] = "-f";
	static char conf[] = "/etc/drydock-egress/squid.conf";
	char *const argv[] = { squid, foreground, file, conf, NULL };
	struct egress_spec spec = { .socket = o->hold.egress_socket,
		.port = o->hold.port,
		.argv =
		    o->rest != NULL && o->rest[0] != NULL ? o->rest : argv };
	return egress_run(&spec, ret_status, dg);
}

static int
run(const char *mode, const struct options *o, int *ret_status, struct diag *dg)
{
	char digest[DIGEST_HEX_SIZE];
	*ret_status = 0;
	if (strcmp(mode, "hold") == 0)
		return hold_run(&o->hold, ret_status, dg);
	if (strcmp(mode, "egress") == 0)
		return run_egress(o, ret_status, dg);
	if (strcmp(mode, "check-policy") == 0)
		return policy_check(&o->hold.policy, digest, dg);
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
				 .policy = { .dir = POLICY_DIR,
				     .manifest = POLICY_MANIFEST },
				 .port = PROXY_PORT,
				 .egress_socket = EGRESS_SOCKET,
				 .go_timeout_ms = GO_TIMEOUT_MS } };
	open_standard();
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		(void)fputs(usage, stderr);
		return 64;
	}
	if (parse(argv + 2, &o, &dg) == -1 ||
	    run(argv[1], &o, &status, &dg) == -1) {
		diag_print(&dg);
		status = diag_exit_status(&dg);
	}
	diag_clear(&dg);
	if (fflush(stdout) != 0)
		status = 74;
	return status;
}
