/* SPDX-License-Identifier: MIT */
/* mountinfo: the mounts of a process, as proc(5) prints them. */
#ifndef DRYDOCK_MOUNTINFO_H
#define DRYDOCK_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;

enum {
	MOUNTINFO_MAX = 4096
};

struct mountinfo_row {
	uint64_t id;
	char *device; /* owned; of the file system, "8:1" */
	char *root; /* owned; the mounted path in the file system */
	char *target; /* owned */
	char *options; /* owned; of the mount: "ro,nosuid,relatime" */
	char *fstype; /* owned */
	char *super; /* owned; super block options */
};

struct mountinfo {
	struct mountinfo_row *v; /* owned */
	size_t nr;
};

/*
 * Parses /proc/PID/mountinfo and decodes octal escapes.  More than
 * MOUNTINFO_MAX mounts are DIAG_POLICY.
 */
int mountinfo_parse(
    const char *text, struct mountinfo *ret_mounts, struct diag *dg);

/* Reads the mounts of drydock's own mount namespace. */
int mountinfo_read_own(struct mountinfo *ret_mounts, struct diag *dg);
void mountinfo_release(struct mountinfo *mounts);

/* Returns true if a comma-separated list of options contains word. */
bool mountinfo_has_option(const char *options, const char *word);

#define cleanup_mountinfo __attribute__((cleanup(mountinfo_release)))

#endif /* DRYDOCK_MOUNTINFO_H */
