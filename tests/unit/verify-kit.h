/* SPDX-License-Identifier: MIT */
/*
 * verify-kit: one container as the kernel prints it, and the plan that it is
 * as planned by.
 */
#ifndef DRYDOCK_TESTS_VERIFY_KIT_H
#define DRYDOCK_TESTS_VERIFY_KIT_H

struct plan;
struct plan_service;

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

/* NAME=VALUE of the service's image, which the plan changes in part. */
extern const char *const verify_kit_image_env[];

/*
 * Reads a model, NULL for the one that the container is of; borrowed: its
 * service agent.  The caller releases the plan.
 */
const struct plan_service *verify_kit_agent(
    const char *model, struct plan *ret_plan);

#endif /* DRYDOCK_TESTS_VERIFY_KIT_H */
