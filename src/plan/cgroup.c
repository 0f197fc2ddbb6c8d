/* SPDX-License-Identifier: MIT */
/* cgroup: finds the control groups of a process, and reads their limits. */
#include "plan/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/mountinfo.h"

/*
 * Returns true if the list of a hierarchy's controllers has this one.  The list
 * of the unified hierarchy (controller NULL) is empty.
 */
static bool
names_controller(const char *names, const char *end, const char *controller)
{
	cleanup_free char *list = xstrndup(names, (size_t)(end - names));

	return controller == NULL ? list[0] == '\0'
				  : mountinfo_has_option(list, controller);
}

bool
cgroup_find(const char *text, const char *controller, struct strbuf *path)
{
	for (const char *line = text; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");
		const char *names = memchr(line, ':', (size_t)(eol - line));
		const char *at = names == NULL
		    ? NULL
		    : memchr(names + 1, ':', (size_t)(eol - names - 1));

		if (at != NULL && names_controller(names + 1, at, controller)) {
			strbuf_add(path, at + 1, (size_t)(eol - at - 1));
			return true;
		}
		line = *eol == '\n' ? eol + 1 : eol;
	}
	return false;
}

/*
 * Appends the path of the process in the hierarchy that has this controller: v1
 * if /proc/PID/cgroup lists the controller, else v2.
 */
static bool
cgroup_of(const char *cgroups, const char *controller, bool *ret_v1,
    struct strbuf *path)
{
	*ret_v1 = cgroup_find(cgroups, controller, path);
	return *ret_v1 || cgroup_find(cgroups, NULL, path);
}

/*
 * Only these two controllers are checked: in a hierarchy that the engine does
 * not use the process may be in another control group.
 */
int
cgroup_check(const char *cgroups, const char *id, struct diag *dg)
{
	static const char *const controllers[] = { "memory", "pids" };

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		bool v1;

		if (!cgroup_of(cgroups, controllers[i], &v1, &path) ||
		    strstr(path.buf, id) == NULL)
			return diag_set(dg, DIAG_POLICY,
			    "its process is not in the control group of "
			    "container %.12s, but in %s",
			    id, path.buf);
	}
	return 0;
}

/*
 * Returns the mount point of a hierarchy in drydock's own mounts; "" if it is
 * not mounted or if only a part of it is.
 */
static const char *
hierarchy(const struct mountinfo *own, const char *controller)
{
	for (size_t i = 0; i < own->nr; i++) {
		const struct mountinfo_row *m = &own->v[i];

		if (strcmp(m->root, "/") != 0)
			continue;
		if (controller == NULL ? strcmp(m->fstype, "cgroup2") == 0
				       : strcmp(m->fstype, "cgroup") == 0 &&
			    mountinfo_has_option(m->super, controller))
			return m->target;
	}
	return "";
}

/*
 * Reads one file of the control group, in the hierarchy that has the
 * controller.  Returns false if there is no such file.
 */
static bool
read_limit(const char *cgroups, const struct mountinfo *own,
    const char *controller, const char *v1_name, const char *v2_name,
    struct strbuf *out)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_strbuf struct strbuf cgroup = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	const char *mount;
	bool v1;

	if (!cgroup_of(cgroups, controller, &v1, &cgroup))
		return false;
	mount = hierarchy(own, v1 ? controller : NULL);
	if (mount[0] == '\0')
		return false;
	strbuf_addf(&path, "%s%s", mount, cgroup.buf);
	if (fs_open_dir(path.buf, &fd, &ignored) != 0)
		return false;
	strbuf_reset(out);
	return fs_read_file(fd, v1 ? v1_name : v2_name, 4096, out, &ignored) ==
	    0;
}

/*
 * Returns the number at the start of s, or -1 (no limit) for "max" and any
 * other text.
 */
static int64_t
number_of(const char *s)
{
	char *end;
	long long value;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno != 0 || (*end != '\0' && *end != ' ' && *end != '\n'))
		return -1;
	return value;
}

static int64_t
read_cpu(const char *cgroups, const struct mountinfo *own)
{
	cleanup_strbuf struct strbuf quota = STRBUF_INIT;
	cleanup_strbuf struct strbuf period = STRBUF_INIT;
	const char *blank;
	int64_t us;
	int64_t every;

	if (!read_limit(
		cgroups, own, "cpu", "cpu.cfs_quota_us", "cpu.max", &quota))
		return -1;
	us = number_of(quota.buf);
	blank = strchr(quota.buf, ' ');
	if (blank != NULL)
		every = number_of(blank + 1);
	else if (read_limit(cgroups, own, "cpu", "cpu.cfs_period_us", "cpu.max",
		     &period))
		every = number_of(period.buf);
	else
		return -1;
	if (us < 0 || every <= 0 || us > INT64_MAX / 1000)
		return -1;
	return us * 1000 / every;
}

void
cgroup_read_limits(const char *cgroups, const struct mountinfo *own,
    struct cgroup_limits *ret_limits)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*ret_limits = (struct cgroup_limits){ -1, -1, -1 };
	if (read_limit(cgroups, own, "memory", "memory.limit_in_bytes",
		"memory.max", &text))
		ret_limits->memory = number_of(text.buf);
	if (read_limit(cgroups, own, "pids", "pids.max", "pids.max", &text))
		ret_limits->pids = number_of(text.buf);
	ret_limits->cpu_milli = read_cpu(cgroups, own);
}
