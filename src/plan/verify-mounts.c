/* SPDX-License-Identifier: MIT */
/*
 * verify: compares a container's mounts with the plan and with the standard
 * set.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "plan/verify.h"

enum {
	PAGE = 4096
};

/*
 * The mounts that the runtime makes in every container.  Masked paths and the
 * engine's files must be read-only or the null device.  /dev is writable; it
 * shows nothing of the host.
 */
struct standard {
	const char *target; /* fnmatch(3) pattern */
	const char *fstype; /* NULL: any, for a file of the engine's */
	bool writable;
	bool null_ok; /* /dev/null is allowed: it stores nothing */
};

static const struct standard standards[] = {
	{ "/proc", "proc", true, false },
	{ "/proc/*", "proc", false, false },
	{ "/proc/*", "tmpfs", false, true },
	{ "/proc/*", "devtmpfs", false, true },
	{ "/dev", "tmpfs", true, false },
	{ "/dev/pts", "devpts", true, false },
	{ "/dev/shm", "tmpfs", true, false },
	{ "/dev/mqueue", "mqueue", true, false },
	{ "/sys", "sysfs", false, false },
	{ "/sys/firmware", "tmpfs", false, false },
	{ "/sys/devices/virtual/powercap", "tmpfs", false, false },
	{ "/sys/devices/system/cpu/cpu*/thermal_throttle", "tmpfs", false,
	    false },
	{ "/sys/fs/cgroup", "tmpfs", true, false },
	{ "/sys/fs/cgroup", "cgroup2", false, false },
	{ "/sys/fs/cgroup/*", "cgroup", false, false },
	{ "/sys/fs/cgroup/*", "cgroup2", false, false },
	{ "/etc/resolv.conf", NULL, false, false },
	{ "/etc/hostname", NULL, false, false },
	{ "/etc/hosts", NULL, false, false },
	{ "/sbin/docker-init", NULL, false, false },
	{ "/usr/sbin/docker-init", NULL, false, false },
};

static bool
is_read_only(const struct mountinfo_row *m)
{
	return mountinfo_has_option(m->options, "ro");
}

static bool
is_standard(const struct mountinfo_row *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(standards); i++) {
		const struct standard *s = &standards[i];

		if (fnmatch(s->target, m->target, 0) != 0 ||
		    (s->fstype != NULL && strcmp(s->fstype, m->fstype) != 0))
			continue;
		if (s->writable || is_read_only(m) ||
		    (s->null_ok && strcmp(m->root, "/null") == 0))
			return true;
	}
	return false;
}

static const struct plan_mount *
find_mount(const struct plan_service *service, const char *target)
{
	for (size_t i = 0; i < service->nmounts; i++)
		if (strcmp(service->mounts[i].target, target) == 0)
			return &service->mounts[i];
	return NULL;
}

static const struct plan_tmpfs *
find_tmpfs(const struct plan_service *service, const char *target)
{
	for (size_t i = 0; i < service->ntmpfs; i++)
		if (strcmp(service->tmpfs[i].target, target) == 0)
			return &service->tmpfs[i];
	return NULL;
}

/* The kernel prints the size in KiB, rounded up to whole pages. */
static int
verify_tmpfs(const struct plan_tmpfs *want, const struct mountinfo_row *m,
    struct diag *dg)
{
	const char *size = strstr(m->super, "size=");
	int64_t got = size == NULL ? -1 : strtoll(size + 5, NULL, 10) * 1024;

	if (strcmp(m->fstype, "tmpfs") != 0)
		return diag_set(dg, DIAG_POLICY, "%s: expected a tmpfs, is %s",
		    m->target, m->fstype);
	if (!mountinfo_has_option(m->options, "nosuid") ||
	    !mountinfo_has_option(m->options, "nodev") ||
	    (want->noexec && !mountinfo_has_option(m->options, "noexec")))
		return diag_set(dg, DIAG_POLICY,
		    "%s: expected nosuid,nodev%s, is %s", m->target,
		    want->noexec ? ",noexec" : "", m->options);
	if (want->size >= 0 && (got < 0 || got >= want->size + PAGE))
		return diag_set(dg, DIAG_POLICY,
		    "%s: expected %" PRId64 " bytes, is %" PRId64, m->target,
		    want->size, got);
	return 0;
}

static int
verify_writable(
    const struct mountinfo_row *m, bool want_read_only, struct diag *dg)
{
	if (is_read_only(m) == want_read_only)
		return 0;
	return diag_set(dg, DIAG_POLICY, "%s: expected %s, is %s", m->target,
	    want_read_only ? "read-only" : "writable",
	    want_read_only ? "writable" : "read-only");
}

static int
verify_one(const struct plan_service *service, const struct mountinfo_row *m,
    struct diag *dg)
{
	const struct plan_mount *bind = find_mount(service, m->target);
	const struct plan_tmpfs *tmpfs = find_tmpfs(service, m->target);

	if (strcmp(m->target, "/") == 0)
		return verify_writable(m, service->read_only, dg);
	if (bind != NULL)
		return verify_writable(m, bind->read_only, dg);
	if (tmpfs != NULL)
		return verify_tmpfs(tmpfs, m, dg);
	if (is_standard(m))
		return 0;
	return diag_set(dg, DIAG_POLICY,
	    "%s: %s (%s) is mounted there, which the plan does not have",
	    m->target, m->fstype, m->options);
}

static size_t
count_target(const struct mountinfo *mounts, const char *target)
{
	size_t n = 0;

	for (size_t i = 0; i < mounts->nr; i++) {
		if (strcmp(mounts->v[i].target, target) == 0)
			n++;
	}
	return n;
}

/*
 * Returns true if the bind that holds the target already shows the same
 * directory of the host there.  The engine binds recursively, and so mounts the
 * directory twice.
 */
static bool
is_carried(const struct plan_service *service, const char *target)
{
	const struct plan_mount *m = find_mount(service, target);
	const struct plan_mount *outer =
	    m == NULL ? NULL : plan_outer_mount(service, m);
	size_t len = outer == NULL ? 0 : strlen(outer->target);

	return outer != NULL &&
	    strncmp(m->source, outer->source, strlen(outer->source)) == 0 &&
	    strcmp(m->source + strlen(outer->source), target + len) == 0;
}

/*
 * All mounts at a carried directory must show the same directory.  The last
 * one hides the others; verify_sources() checks whether it is read-only.
 */
static int
verify_stack(const struct mountinfo *mounts, const struct mountinfo_row *m,
    struct diag *dg)
{
	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mountinfo_row *o = &mounts->v[i];

		if (strcmp(o->target, m->target) == 0 &&
		    (strcmp(o->device, m->device) != 0 ||
			strcmp(o->root, m->root) != 0))
			return diag_set(dg, DIAG_POLICY,
			    "%s: expected one directory, has several",
			    m->target);
	}
	return 0;
}

static int
verify_present(
    const struct mountinfo *mounts, const char *target, struct diag *dg)
{
	if (count_target(mounts, target) > 0)
		return 0;
	return diag_set(
	    dg, DIAG_POLICY, "%s: expected to be mounted, is not", target);
}

int
verify_mounts(const struct plan_service *service,
    const struct mountinfo *mounts, struct diag *dg)
{
	static const char *const always[] = { "/", "/proc", "/proc/sys",
		"/sys" };

	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mountinfo_row *m = &mounts->v[i];

		if (is_carried(service, m->target)) {
			if (verify_stack(mounts, m, dg) != 0)
				return -1;
			continue;
		}
		/*
		 * Several mounts at one target hide each other and cannot be
		 * judged.
		 */
		if (count_target(mounts, m->target) != 1)
			return diag_set(dg, DIAG_POLICY,
			    "%s: expected one mount, has several", m->target);
		if (verify_one(service, m, dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		if (verify_present(mounts, always[i], dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < service->ntmpfs; i++) {
		if (verify_present(mounts, service->tmpfs[i].target, dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < service->nmounts; i++) {
		if (verify_present(mounts, service->mounts[i].target, dg) != 0)
			return -1;
	}
	return 0;
}

/* fd is the mount that is visible at the target. */
static int
verify_stack_writable(const struct plan_mount *b, int fd, struct diag *dg)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) != 0)
		return diag_set_errno(
		    dg, DIAG_POLICY, errno, "look at %s", b->target);
	if (((fs.f_flag & ST_RDONLY) != 0) == b->read_only)
		return 0;
	return diag_set(dg, DIAG_POLICY, "%s: expected %s, is not", b->target,
	    b->read_only ? "read-only" : "writable");
}

/*
 * The walk to the target follows no symlink.  The path contains directories of
 * the agent, and a symlink in one of these could lead out of the container's
 * root.
 */
int
verify_sources(const struct plan_service *service, int root_fd, struct diag *dg)
{
	for (size_t i = 0; i < service->nmounts; i++) {
		const struct plan_mount *b = &service->mounts[i];
		cleanup_close int fd = -1;
		struct stat there;
		struct stat judged;

		if (b->fd < 0 || fstat(b->fd, &judged) != 0)
			return diag_set(dg, DIAG_POLICY,
			    "%s: its source %s was not opened", b->target,
			    b->source);
		if (fs_open_nolinks(
			root_fd, b->target + 1, O_PATH, 0, &fd, dg) != 0)
			return diag_reclass(dg, DIAG_POLICY);
		if (fstat(fd, &there) != 0)
			return diag_set_errno(
			    dg, DIAG_POLICY, errno, "stat %s", b->target);
		if (!fs_same(&there, &judged))
			return diag_set(dg, DIAG_POLICY,
			    "%s: expected %s, is another file", b->target,
			    b->source);
		if (is_carried(service, b->target) &&
		    verify_stack_writable(b, fd, dg) != 0)
			return -1;
	}
	return 0;
}
