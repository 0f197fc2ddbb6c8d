/* SPDX-License-Identifier: MIT */
/* proc-kit: children for tests of proc.h. */
#ifndef DRYDOCK_TESTS_PROC_KIT_H
#define DRYDOCK_TESTS_PROC_KIT_H

struct proc_result;
struct proc_spec;

/* A shell of the test's own; base itself never runs one. */
#define SHELL(script)                               \
	{                                           \
		"/bin/sh", "-c", script, "sh", NULL \
	}

/* Long enough for a machine that is busy with other things, in ms. */
#define PATIENCE 60000

/* Runs one that must start and end. */
void proc_kit_run(const struct proc_spec *spec, struct proc_result *r);

/* The same for a shell's script. */
void proc_kit_script(const char *script, struct proc_result *r);

#endif /* DRYDOCK_TESTS_PROC_KIT_H */
