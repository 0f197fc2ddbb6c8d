/* SPDX-License-Identifier: MIT */
/* carried: finds mounts below the project, and its git directory. */
#include "plan/carried.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/gitrepo.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/protected.h"
#include "plan/mountinfo.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "plan/values.h"

enum {
	/* Each needs an overlay in Compose's command line. */
	CARRIED_MAX = 32
};

/*
 * File systems with ordinary files, as fnmatch(3) patterns.  Any other type may
 * be an interface of the kernel, such as proc or debugfs.
 */
static const char *const file_systems[] = { "9p", "afs", "aufs", "bcachefs",
	"beegfs", "btrfs", "ceph", "cifs", "ecryptfs", "erofs", "exfat",
	"ext[234]", "f2fs", "fuse", "fuse.*", "fuseblk", "gfs2", "gpfs", "hfs",
	"hfsplus", "iso9660", "jfs", "lustre", "msdos", "nfs", "nfs4", "nilfs2",
	"ntfs", "ntfs3", "ocfs2", "overlay", "prl_fs", "ramfs", "reiserfs",
	"smb3", "smbfs", "squashfs", "tmpfs", "udf", "vboxsf", "vfat",
	"virtiofs", "vmhgfs", "xfs", "zfs" };

static const char no_files[] = "a session cannot have such a file system";

static bool
holds_files(const char *fstype)
{
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
		if (fnmatch(file_systems[i], fstype, 0) == 0)
			return true;
	return false;
}

static int
refuse(const struct mountinfo_row *m, const char *above, const char *why,
    struct diag *dg)
{
	return diag_set(dg, DIAG_POLICY,
	    "%s (%s) is mounted below %s, and %s: unmount it", m->target,
	    m->fstype, above, why);
}

/* Adds dir, a real path that fd refers to. */
static int
add(struct carried *c, enum mount_id role, const char *dir, int fd,
    bool read_only, struct diag *dg)
{
	struct carried_dir *d;
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) != 0 || fstatvfs(fd, &fs) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at %s", dir);
	c->v = xreallocarray(c->v, c->nr + 1, sizeof(*c->v));
	d = &c->v[c->nr++];
	*d = (struct carried_dir){ .role = &mount_roles[role],
		.path = xstrdup(dir),
		.read_only = read_only || (fs.f_flag & ST_RDONLY) != 0,
		.st = st };
	return 0;
}

static bool
is_mount(int fd, uint64_t id)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 &&
	    (st.stx_mask & STATX_MNT_ID) != 0 && st.stx_mnt_id == id;
}

static int
add_mount(const struct plan_request *request, const struct mountinfo_row *m,
    struct carried *c, struct diag *dg)
{
	const char *project = request->project->path;
	cleanup_close int fd = open(m->target, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const char *why = NULL;
	struct stat st;

	if (c->nr == CARRIED_MAX)
		return diag_set(dg, DIAG_POLICY,
		    "more than %d file systems are mounted below %s",
		    CARRIED_MAX, project);
	if (!holds_files(m->fstype))
		why = no_files;
	else if (fd < 0 && (errno == EACCES || errno == EPERM))
		why = "you cannot open it";
	else if (fd < 0 || !is_mount(fd, m->id))
		why = "another mount hides it";
	else if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
		why = "a session can have mounted directories only";
	else if (strncmp(m->fstype, "fuse", 4) == 0 &&
	    request->paths->uid != 0 &&
	    !mountinfo_has_option(m->super, "allow_other"))
		why = "the engine cannot open it without its option "
		      "allow_other";
	if (why != NULL)
		return refuse(m, project, why, dg);
	if (project_check_path(m->target, "mount", dg) != 0)
		return -1;
	return add(c, MOUNT_BELOW, m->target, fd, false, dg);
}

static int
add_git(const struct plan_request *request, struct carried *c, struct diag *dg)
{
	const char *project = request->project->path;
	cleanup_free char *dir = gitrepo_find_outer(project);
	cleanup_close int root = -1;
	cleanup_close int fd = -1;
	bool read_only;
	bool safe;

	if (dir == NULL)
		return 0;
	safe = plan_lists_bind(request, dir, &read_only);
	if (!safe &&
	    gitrepo_outer_is_safe(project, dir, request->paths, &safe, dg) != 0)
		return -1;
	if (!safe) {
		diag_note(
		    "the git directory %s is not in the session, because "
		    "an earlier session could write %s/.git: if it is the "
		    "right one, add \"binds = %s\" to drydock.conf",
		    dir, project, dir);
		return 0;
	}
	if (project_check_path(dir, "git directory", dg) != 0)
		return -1;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "open /");
	if (fs_open_nolinks(root, dir + 1, O_PATH | O_DIRECTORY, 0, &fd, dg) !=
	    0)
		return diag_wrap(dg, "git directory %s", dir);
	return add(c, MOUNT_GIT, dir, fd, read_only, dg);
}

int
carried_find(
    const struct plan_request *request, struct carried *ret, struct diag *dg)
{
	const char *project = request->project->path;
	cleanup_mountinfo struct mountinfo mounts = { NULL, 0 };
	cleanup_carried struct carried c = { NULL, 0 };

	if (mountinfo_read_own(&mounts, dg) != 0)
		return -1;
	for (size_t i = 0; i < mounts.nr; i++)
		if (strcmp(mounts.v[i].target, project) != 0 &&
		    protected_is_below(mounts.v[i].target, project) &&
		    add_mount(request, &mounts.v[i], &c, dg) != 0)
			return -1;
	if (add_git(request, &c, dg) != 0)
		return -1;
	*ret = c;
	c = (struct carried){ NULL, 0 };
	return 0;
}

void
carried_release(struct carried *carried)
{
	for (size_t i = 0; i < carried->nr; i++)
		free(carried->v[i].path);
	free(carried->v);
	*carried = (struct carried){ NULL, 0 };
}

void
carried_variables(const struct carried *carried, size_t i, struct strvec *vars)
{
	const struct carried_dir *d = &carried->v[i];

	strvec_pushf(vars, "DRYDOCK_MOUNT_%zu=%s", i, d->path);
	strvec_pushf(vars, "DRYDOCK_MOUNT_%zu_READ_ONLY=%s", i,
	    d->read_only ? "true" : "false");
}

void
carried_set_roles(const struct carried *carried, struct plan *plan)
{
	for (size_t i = 0; i < plan->nservices; i++) {
		struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++)
			for (size_t k = 0; k < carried->nr; k++)
				if (s->mounts[n].role ==
					&mount_roles[MOUNT_USER] &&
				    strcmp(s->mounts[n].source,
					carried->v[k].path) == 0)
					s->mounts[n].role = carried->v[k].role;
	}
}

/* Returns true if the service mounts the host's target below m as it is. */
static bool
is_planned(const struct plan_service *s, const struct plan_mount *m,
    const char *target)
{
	cleanup_free char *inside =
	    xasprintf("%s%s", m->target, target + strlen(m->source));

	for (size_t i = 0; i < s->nmounts; i++)
		if (strcmp(s->mounts[i].source, target) == 0 &&
		    strcmp(s->mounts[i].target, inside) == 0)
			return true;
	return false;
}

static int
check_below(const struct plan_service *s, const struct plan_mount *m,
    const struct mountinfo *mounts, struct diag *dg)
{
	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mountinfo_row *on = &mounts->v[i];

		if (strcmp(on->target, m->source) == 0 ||
		    !protected_is_below(on->target, m->source))
			continue;
		if (!is_planned(s, m, on->target))
			return refuse(on, m->source,
			    m->role == &mount_roles[MOUNT_PROJECT]
				? "it was mounted after the session began"
				: "a session has mounts below its project only",
			    dg);
		if (!holds_files(on->fstype))
			return refuse(on, m->source, no_files, dg);
	}
	return 0;
}

int
carried_check(const struct plan *plan, struct diag *dg)
{
	cleanup_mountinfo struct mountinfo mounts = { NULL, 0 };

	if (mountinfo_read_own(&mounts, dg) != 0)
		return -1;
	for (size_t i = 0; i < plan->nservices; i++) {
		const struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++)
			if (!mount_is_made(&s->mounts[n]) &&
			    s->mounts[n].role->type == S_IFDIR &&
			    check_below(s, &s->mounts[n], &mounts, dg) != 0)
				return -1;
	}
	return 0;
}
