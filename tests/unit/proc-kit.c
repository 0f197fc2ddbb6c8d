/* SPDX-License-Identifier: MIT */
/* Children for tests. */
#include "proc-kit.h"

#include <stddef.h>

#include "base/diag.h"
#include "base/proc.h"
#include "check.h"

void
proc_kit_run(const struct proc_spec *spec, struct proc_result *r)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(proc_run(spec, r, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

void
proc_kit_script(const char *script, struct proc_result *r)
{
	const char *const argv[] = SHELL(script);
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.timeout_ms = PATIENCE;
	proc_kit_run(&spec, r);
}
