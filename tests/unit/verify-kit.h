/* SPDX-License-Identifier: MIT */
/*
 * verify-kit: one container as the kernel prints it, and the plan that it is
 * as planned by.
 */
#ifndef DRYDOCK_TESTS_VERIFY_KIT_H
#define DRYDOCK_TESTS_VERIFY_KIT_H

struct expectation;

#define STATUS_TEXT                      \
	"Name:\tdocker-init\n"           \
	"Uid:\t1234\t1234\t1234\t1234\n" \
	"Gid:\t1235\t1235\t1235\t1235\n" \
	"Groups:\t1235 \n"               \
	"CapInh:\t0000000000000000\n"    \
	"CapPrm:\t0000000000000000\n"    \
	"CapEff:\t0000000000000000\n"    \
	"CapBnd:\t0000000000000000\n"    \
	"CapAmb:\t0000000000000000\n"    \
	"NoNewPrivs:\t1\n"               \
	"Seccomp:\t2\n"                  \
	"Seccomp_filters:\t1\n"

/* What the plan says of the service agent; the caller releases. */
void verify_kit_expect(struct expectation *ret_expect);

#endif /* DRYDOCK_TESTS_VERIFY_KIT_H */
