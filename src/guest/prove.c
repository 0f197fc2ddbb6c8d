/* SPDX-License-Identifier: MIT */
/* Attempts to break a session's promises, and a line for each. */
#include "guest/prove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "guest/policy.h"

const int probe_filtered[] = { EPERM, 0 };
const int probe_absent[] = { ENOENT, ENOTDIR, 0 };

void
probe_report(const struct prove *p, enum verdict verdict, const char *call,
    const char *target, const char *format, ...)
{
	va_list ap;

	(void)printf("%s\t%s\t%s\t", promises[p->id].name, call, target);
	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	(void)printf("\t%s\n", verdict_name(verdict));
}

void
probe_must_fail(const struct prove *p, const char *call, const char *target,
    bool failed, const int *refusals)
{
	int error = errno;

	if (!failed) {
		probe_report(p, VERDICT_BROKEN, call, target, "succeeded");
		return;
	}
	while (*refusals != 0 && *refusals != error)
		refusals++;
	probe_report(p, *refusals != 0 ? VERDICT_HELD : VERDICT_UNKNOWN, call,
	    target, "%s", strerror(error));
}

void
probe_read(const char *path, char text[static PROBE_TEXT_MAX])
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, PROBE_TEXT_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
}

int64_t
probe_number(const struct prove *p, enum prove_fact fact)
{
	return strtoll(p->facts[fact], NULL, 10);
}

/* The errors of a mount or file system that protects its files. */
static const int denied[] = { EPERM, EACCES, EROFS, 0 };

/* Runs probe in a child, whose ids and namespaces may change. */
static void
in_child(struct prove *p, probe_fn *probe)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		probe(p);
		(void)fflush(stdout);
		_exit(0);
	}
	if (pid == -1)
		probe_report(
		    p, VERDICT_UNKNOWN, "fork", "-", "%s", strerror(errno));
	else if (waitpid(pid, &status, 0) != pid || status != 0)
		probe_report(p, VERDICT_UNKNOWN, "waitpid", "-",
		    "the attempt did not complete");
}

static void
unshare_user(struct prove *p)
{
	probe_must_fail(p, "unshare", "CLONE_NEWUSER",
	    unshare(CLONE_NEWUSER) == -1, probe_filtered);
}

static void
probe_userns(struct prove *p)
{
	in_child(p, unshare_user);
}

static void
probe_new_mounts(struct prove *p)
{
	const char *project = p->facts[PROVE_PROJECT];
	int rc = mount("none", project, "tmpfs", MS_NOSUID, "size=4096");
	cleanup_close int fd = -1;

	probe_must_fail(
	    p, "mount", "tmpfs on the project", rc == -1, probe_filtered);
	if (rc == 0)
		(void)umount2(project, MNT_DETACH);
	fd = (int)syscall(
	    SYS_open_tree, AT_FDCWD, project, 1 /* OPEN_TREE_CLONE */);
	probe_must_fail(p, "open_tree(OPEN_TREE_CLONE)", "the project",
	    fd == -1, probe_filtered);
}

static void
take_id(struct prove *p)
{
	uid_t other = getuid() == 0 ? 1 : 0;

	probe_must_fail(p, "setresuid", other == 0 ? "0" : "1",
	    setresuid(other, other, other) == -1, probe_filtered);
}

static void
probe_setuid(struct prove *p)
{
	cleanup_close int fd =
	    open(PROBE_SCRATCH, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);

	in_child(p, take_id);
	probe_must_fail(p, "fchmod", "04755 on a file of its own",
	    fd == -1 || fchmod(fd, 04755) == -1, probe_filtered);
	(void)unlink(PROBE_SCRATCH);
}

static bool
device_is_standard(const char *name)
{
	static const char *const standard[] = { "null", "zero", "full",
		"random", "urandom", "tty", "console", "ptmx" };

	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		if (strcmp(name, standard[i]) == 0)
			return true;
	return false;
}

static void
probe_device_nodes(struct prove *p)
{
	const struct dirent *e;
	bool held;
	DIR *dir;

	probe_must_fail(p, "mknod", "a character device",
	    mknod(PROBE_SCRATCH, S_IFCHR | 0600, (dev_t)0x103) == -1,
	    probe_filtered);
	(void)unlink(PROBE_SCRATCH);
	dir = opendir("/dev");
	held = dir != NULL;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) !=
			0 ||
		    (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) ||
		    device_is_standard(e->d_name))
			continue;
		held = false;
		probe_report(
		    p, VERDICT_BROKEN, "readdir", "/dev", "has %s", e->d_name);
		break;
	}
	if (dir == NULL)
		probe_report(p, VERDICT_UNKNOWN, "opendir", "/dev", "%s",
		    strerror(errno));
	else
		(void)closedir(dir);
	if (held)
		probe_report(p, VERDICT_HELD, "readdir", "/dev",
		    "only the standard devices");
}

static void
try_write(const struct prove *p, const char *path)
{
	static const int refusals[] = { EPERM, EACCES, EROFS, ENOENT, 0 };
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	probe_must_fail(p, "open(O_WRONLY)", path, fd == -1, refusals);
}

static void
probe_guardrails(struct prove *p)
{
	char text[PROBE_TEXT_MAX];
	char made[PROBE_TEXT_MAX + 16];
	struct statvfs st;

	try_write(p, POLICY_MANIFEST);
	probe_read(POLICY_MANIFEST, text);
	text[strcspn(text, "\n")] = '\0';
	if (text[0] == '#' && strcmp(text + 2, POLICY_NONE) != 0) {
		(void)snprintf(made, sizeof(made), "%s/prove", text + 2);
		probe_must_fail(
		    p, "mkdir", made, mkdir(made, 0700) == -1, denied);
		(void)rmdir(made);
	}
	if (statvfs("/", &st) == 0 && (st.f_flag & ST_RDONLY) != 0)
		probe_report(p, VERDICT_HELD, "statvfs", "/", "read-only");
	else
		probe_report(p, VERDICT_BROKEN, "statvfs", "/", "writable");
}

static void
probe_links(struct prove *p)
{
	static const int refusals[] = { EXDEV, EPERM, EACCES, 0 };
	const char *project = p->facts[PROVE_PROJECT];
	const char *elsewhere = p->facts[PROVE_ELSEWHERE];
	cleanup_free char *link_path = xasprintf("%s/.prove-link", project);
	cleanup_free char *hard_path = xasprintf("%s/.prove-hard", project);
	cleanup_close int fd = -1;

	if (symlink(elsewhere, link_path) == 0) {
		fd = open(link_path, O_RDONLY | O_CLOEXEC);
		probe_must_fail(
		    p, "open of a symlink", elsewhere, fd == -1, probe_absent);
	} else {
		probe_report(p, VERDICT_UNKNOWN, "symlink", link_path, "%s",
		    strerror(errno));
	}
	probe_must_fail(p, "link", POLICY_MANIFEST,
	    linkat(AT_FDCWD, POLICY_MANIFEST, AT_FDCWD, hard_path, 0) == -1,
	    refusals);
	(void)unlink(link_path);
	(void)unlink(hard_path);
}

static void
probe_kernel(struct prove *p)
{
	static const char *const paths[] = { "/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/modprobe", "/proc/sys/vm/panic_on_oom",
		"/proc/sysrq-trigger", "/proc/irq/default_smp_affinity",
		"/sys/kernel/uevent_helper", "/sys/kernel/mm/ksm/run",
		"/sys/fs/cgroup/cgroup.procs",
		"/sys/fs/cgroup/memory/cgroup.procs" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		try_write(p, paths[i]);
}

static void
probe_keyrings(struct prove *p)
{
	probe_must_fail(p, "keyctl", "the user's keyring",
	    syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING,
		0) == -1,
	    probe_filtered);
	probe_must_fail(p, "add_key", "the process keyring",
	    syscall(SYS_add_key, "user", "drydock-prove", "x", (size_t)1,
		KEY_SPEC_PROCESS_KEYRING) == -1,
	    probe_filtered);
}

static void
probe_signals(struct prove *p)
{
	static const int refusals[] = { ESRCH, 0 };
	pid_t pid = (pid_t)probe_number(p, PROVE_HOST_PID);

	probe_must_fail(p, "kill(0)", p->facts[PROVE_HOST_PID],
	    pid <= 0 || kill(pid, 0) == -1, refusals);
}

static probe_fn *const probes[PROMISES] = {
	[PROMISE_LOOPBACK] = probe_loopback,
	[PROMISE_GATEWAY] = probe_gateway,
	[PROMISE_METADATA] = probe_metadata,
	[PROMISE_DNS_UDP] = probe_dns_udp,
	[PROMISE_DNS_TCP] = probe_dns_tcp,
	[PROMISE_IPV6] = probe_ipv6,
	[PROMISE_RAW] = probe_raw,
	[PROMISE_FAMILIES] = probe_families,
	[PROMISE_VSOCK] = probe_vsock,
	[PROMISE_USERNS] = probe_userns,
	[PROMISE_NEW_MOUNTS] = probe_new_mounts,
	[PROMISE_SETUID] = probe_setuid,
	[PROMISE_DEVICE_NODES] = probe_device_nodes,
	[PROMISE_ENGINE] = probe_engine,
	[PROMISE_GUARDRAILS] = probe_guardrails,
	[PROMISE_LINKS] = probe_links,
	[PROMISE_KERNEL] = probe_kernel,
	[PROMISE_KEYRINGS] = probe_keyrings,
	[PROMISE_SIGNALS] = probe_signals,
	[PROMISE_MEMORY] = probe_memory,
	[PROMISE_PIDS] = probe_pids,
	[PROMISE_TMP] = probe_tmp,
	[PROMISE_PROXY] = probe_proxy,
	[PROMISE_OTHER_PROXY] = probe_other_proxy,
};

static int
read_facts(char *const *words, struct prove *p, struct diag *dg)
{
	for (size_t i = 0; i < PROVE_FACTS; i++) {
		size_t n = strlen(prove_fact_names[i]);

		for (char *const *w = words; w != NULL && *w != NULL; w++)
			if (strncmp(*w, prove_fact_names[i], n) == 0 &&
			    (*w)[n] == '=')
				p->facts[i] = *w + n + 1;
		if (p->facts[i] == NULL)
			return diag_set(dg, DIAG_USAGE,
			    "prove needs %s=", prove_fact_names[i]);
	}
	return 0;
}

int
prove_run(char *const *words, struct diag *dg)
{
	struct prove p = { .id = PROMISE_LOOPBACK };

	if (read_facts(words, &p, dg) != 0)
		return -1;
	for (size_t i = 0; i < PROMISES; i++) {
		p.id = (enum promise_id)i;
		if (probes[i] != NULL)
			probes[i](&p);
	}
	return 0;
}
