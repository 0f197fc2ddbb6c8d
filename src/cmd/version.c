/* SPDX-License-Identifier: MIT */
/* version: prints the program's name and number. */

#include <stdio.h>

#include "base/diag.h"
#include "cmd/cmd.h"

static int
version_run(struct context *ctx, struct diag *dg)
{
	(void)ctx;
	(void)dg;
	(void)puts("drydock " PACKAGE_VERSION);
	return 0;
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "print the version",
	.run = version_run,
};
