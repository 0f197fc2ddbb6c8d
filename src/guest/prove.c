/* SPDX-License-Identifier: MIT */
/* Attempts to break a session's promises, and a line for each. */
#include "guest/prove.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "guest/policy.h"
#include "guest/promise.h"

enum {
	DNS_PORT = 53,
	DNS_WAIT_MS = 300,
	PROXY_PORT = 3128,
	PROXY_WAIT_MS = 5000,
	FORKS_MAX = 8192, /* a higher limit is only read */
	TEXT_MAX = 4096,
	FAMILIES = 64, /* more than the kernel has */
};

#define SCRATCH "/tmp/.drydock-prove"

struct prove {
	const char *facts[PROVE_FACTS];
	enum promise_id id; /* of the attempt that is being made */
};

typedef void probe_fn(struct prove *p);

static void __attribute__((format(printf, 5, 6)))
report(const struct prove *p, enum verdict verdict, const char *call,
    const char *target, const char *format, ...)
{
	va_list ap;

	(void)printf("%s\t%s\t%s\t", promises[p->id].name, call, target);
	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
	(void)printf("\t%s\n", verdict_name(verdict));
}

/*
 * Reports a call that must fail.  refusals are the errors that show the wall,
 * ended by 0; any other error is unknown, because the call may have failed for
 * a reason of its own.
 */
static void
must_fail(const struct prove *p, const char *call, const char *target,
    bool failed, const int *refusals)
{
	int error = errno;

	if (!failed) {
		report(p, VERDICT_BROKEN, call, target, "succeeded");
		return;
	}
	while (*refusals != 0 && *refusals != error)
		refusals++;
	report(p, *refusals != 0 ? VERDICT_HELD : VERDICT_UNKNOWN, call, target,
	    "%s", strerror(error));
}

/* The filter's own answer: another one means that the kernel was asked. */
static const int filtered[] = { EPERM, 0 };
static const int denied[] = { EPERM, EACCES, EROFS, 0 };
static const int absent[] = { ENOENT, ENOTDIR, 0 };
static const int unreachable[] = { ENETUNREACH, 0 };

static int64_t
number_fact(const struct prove *p, enum prove_fact fact)
{
	return strtoll(p->facts[fact], NULL, 10);
}

/* Runs probe in a child, whose ids and namespaces may change. */
static void
in_child(struct prove *p, probe_fn *probe)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		probe(p);
		(void)fflush(stdout);
		_exit(0);
	}
	if (pid == -1)
		report(p, VERDICT_UNKNOWN, "fork", "-", "%s", strerror(errno));
	else
		(void)waitpid(pid, NULL, 0);
}

/* Reads at most TEXT_MAX - 1 bytes; an unreadable file is "". */
static void
read_text(const char *path, char text[static TEXT_MAX])
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, TEXT_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
}

static void
probe_loopback(struct prove *p)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = if_nameindex();
	bool up = false;

	if (fd == -1 || all == NULL) {
		report(p, VERDICT_UNKNOWN, "if_nameindex", "-", "%s",
		    strerror(errno));
		return;
	}
	for (const struct if_nameindex *i = all; i->if_index != 0; i++) {
		struct ifreq request = { .ifr_flags = 0 };

		(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s",
		    i->if_name);
		if (strcmp(i->if_name, "lo") == 0 ||
		    (ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
			(request.ifr_flags & IFF_UP) == 0))
			continue;
		up = true;
		report(
		    p, VERDICT_BROKEN, "ioctl(SIOCGIFFLAGS)", i->if_name, "up");
	}
	if (!up)
		report(p, VERDICT_HELD, "ioctl(SIOCGIFFLAGS)", "all interfaces",
		    "none but lo is up");
	if_freenameindex(all);
}

/* A route exists when connect(2) of a datagram socket finds one. */
static void
try_route(const struct prove *p, int type, const char *address, uint16_t port)
{
	cleanup_close int fd =
	    socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	char target[64];
	int rc;

	(void)snprintf(target, sizeof(target), "%s:%u", address, port);
	(void)inet_pton(AF_INET, address, &to.sin_addr);
	rc = connect(fd, (const struct sockaddr *)&to, sizeof(to));
	if (rc == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED))
		report(p, VERDICT_BROKEN, "connect", target, "has a route: %s",
		    strerror(errno));
	else
		must_fail(p, "connect", target, rc == -1, unreachable);
}

static void
probe_gateway(struct prove *p)
{
	char text[TEXT_MAX];
	const char *line;

	read_text("/proc/net/route", text);
	line = strchr(text, '\n');
	if (line == NULL)
		report(p, VERDICT_UNKNOWN, "read", "/proc/net/route", "%s",
		    "cannot be read");
	else if (line[1] != '\0')
		report(p, VERDICT_BROKEN, "read", "/proc/net/route", "%s",
		    "has routes");
	else
		report(p, VERDICT_HELD, "read", "/proc/net/route", "%s",
		    "no route");
	try_route(p, SOCK_DGRAM, "192.0.2.1", 9);
	try_route(p, SOCK_DGRAM, "172.17.0.1", 9);
}

static void
probe_metadata(struct prove *p)
{
	try_route(p, SOCK_STREAM, "169.254.169.254", 80);
}

/* A query for the root's name servers. */
static const unsigned char dns_query[] = { 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	0, 0, 2, 0, 1 };

/* A name server on loopback is the session's own and must not answer. */
static void
ask_loopback(const struct prove *p, int type, const char *address)
{
	cleanup_close int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(DNS_PORT) };
	struct pollfd in = { fd, POLLIN, 0 };
	unsigned char answer[512];

	(void)inet_pton(AF_INET, address, &to.sin_addr);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1) {
		static const int none[] = { ECONNREFUSED, 0 };

		must_fail(p, "connect", address, true, none);
		return;
	}
	(void)send(fd, dns_query, sizeof(dns_query), MSG_NOSIGNAL);
	if (type == SOCK_STREAM ||
	    (poll(&in, 1, DNS_WAIT_MS) == 1 &&
		recv(fd, answer, sizeof(answer), 0) >= 0))
		report(p, VERDICT_BROKEN, "query", address, "answered");
	else
		report(p, VERDICT_HELD, "query", address, "no answer");
}

static void
probe_dns(const struct prove *p, int type)
{
	char text[TEXT_MAX];
	char *save = NULL;
	size_t n = 0;

	read_text("/etc/resolv.conf", text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char address[INET_ADDRSTRLEN];
		struct in_addr parsed;

		if (sscanf(line, "nameserver %15s", address) != 1 ||
		    inet_pton(AF_INET, address, &parsed) != 1)
			continue;
		n++;
		if (ntohl(parsed.s_addr) >> 24 == IN_LOOPBACKNET)
			ask_loopback(p, type, address);
		else
			try_route(p, type, address, DNS_PORT);
	}
	if (n == 0)
		try_route(p, type, "192.0.2.53", DNS_PORT);
	ask_loopback(p, type, "127.0.0.11");
}

static void
probe_dns_udp(struct prove *p)
{
	probe_dns(p, SOCK_DGRAM);
}

static void
probe_dns_tcp(struct prove *p)
{
	probe_dns(p, SOCK_STREAM);
}

static void
probe_ipv6(struct prove *p)
{
	static const int refusals[] = { ENETUNREACH, EADDRNOTAVAIL,
		EAFNOSUPPORT, 0 };
	cleanup_close int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		.sin6_port = htons(9) };
	char text[TEXT_MAX];
	char *save = NULL;

	(void)inet_pton(AF_INET6, "2001:db8::1", &to.sin6_addr);
	must_fail(p, "connect", "[2001:db8::1]:9",
	    fd == -1 ||
		connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1,
	    refusals);
	read_text("/proc/net/if_inet6", text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line);

		if (len > 3 && strcmp(line + len - 3, " lo") == 0)
			continue;
		report(p, VERDICT_BROKEN, "read", "/proc/net/if_inet6",
		    "an address beside loopback's");
		break;
	}
}

static void
try_socket(const struct prove *p, int family, int type, int protocol,
    const char *target)
{
	cleanup_close int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	must_fail(p, "socket", target, fd == -1, filtered);
}

static void
probe_raw(struct prove *p)
{
	try_socket(p, AF_INET, SOCK_RAW, IPPROTO_ICMP, "AF_INET, SOCK_RAW");
	try_socket(p, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "AF_INET6, SOCK_RAW");
	try_socket(p, AF_PACKET, SOCK_RAW, 0, "AF_PACKET, SOCK_RAW");
}

static bool
family_is_allowed(int family)
{
	return family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
	    family == AF_NETLINK;
}

static void
probe_families(struct prove *p)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW,
		SOCK_SEQPACKET };
	bool held = true;

	for (int family = 0; held && family < FAMILIES; family++) {
		for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
			cleanup_close int fd = -1;
			char target[64];

			if (family_is_allowed(family))
				continue;
			fd = socket(family, types[i] | SOCK_CLOEXEC, 0);
			if (fd == -1 && errno == EPERM)
				continue;
			held = false;
			(void)snprintf(target, sizeof(target),
			    "family %d, type %d", family, types[i]);
			report(p, VERDICT_BROKEN, "socket", target,
			    "is not filtered: %s",
			    fd == -1 ? strerror(errno) : "succeeded");
			break;
		}
	}
	if (held)
		report(p, VERDICT_HELD, "socket",
		    "every family but unix, inet, inet6 and netlink", "%s",
		    strerror(EPERM));
}

static void
probe_vsock(struct prove *p)
{
	try_socket(p, AF_VSOCK, SOCK_STREAM, 0, "AF_VSOCK, SOCK_STREAM");
	try_socket(p, AF_VSOCK, SOCK_DGRAM, 0, "AF_VSOCK, SOCK_DGRAM");
}

static void
unshare_user(struct prove *p)
{
	must_fail(p, "unshare", "CLONE_NEWUSER", unshare(CLONE_NEWUSER) == -1,
	    filtered);
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

	must_fail(p, "mount", "tmpfs on the project", rc == -1, filtered);
	if (rc == 0)
		(void)umount2(project, MNT_DETACH);
	fd = (int)syscall(
	    SYS_open_tree, AT_FDCWD, project, 1 /* OPEN_TREE_CLONE */);
	must_fail(
	    p, "open_tree(OPEN_TREE_CLONE)", "the project", fd == -1, filtered);
}

static void
take_id(struct prove *p)
{
	uid_t other = getuid() == 0 ? 1 : 0;

	must_fail(p, "setresuid", other == 0 ? "0" : "1",
	    setresuid(other, other, other) == -1, filtered);
}

static void
probe_setuid(struct prove *p)
{
	cleanup_close int fd =
	    open(SCRATCH, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);

	in_child(p, take_id);
	must_fail(p, "fchmod", "04755 on a file of its own",
	    fd == -1 || fchmod(fd, 04755) == -1, filtered);
	(void)unlink(SCRATCH);
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
	DIR *dir = opendir("/dev");
	const struct dirent *e;
	bool held = dir != NULL;

	must_fail(p, "mknod", "a character device",
	    mknod(SCRATCH, S_IFCHR | 0600, (dev_t)0x103) == -1, filtered);
	(void)unlink(SCRATCH);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) !=
			0 ||
		    (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) ||
		    device_is_standard(e->d_name))
			continue;
		held = false;
		report(
		    p, VERDICT_BROKEN, "readdir", "/dev", "has %s", e->d_name);
		break;
	}
	if (dir != NULL)
		(void)closedir(dir);
	if (held)
		report(p, VERDICT_HELD, "readdir", "/dev",
		    "only the standard devices");
}

static void
try_unix(const struct prove *p, const char *path)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int rc;

	if (strlen(path) >= sizeof(to.sun_path)) {
		rc = access(path, F_OK);
		must_fail(p, "access", path, rc == -1, absent);
		return;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	rc = connect(fd, (const struct sockaddr *)&to, sizeof(to));
	if (rc == -1 && (errno == ECONNREFUSED || errno == EACCES))
		report(p, VERDICT_BROKEN, "connect", path, "is there: %s",
		    strerror(errno));
	else
		must_fail(p, "connect", path, rc == -1, absent);
}

static void
probe_engine(struct prove *p)
{
	static const char *const paths[] = { "/run/docker.sock",
		"/var/run/docker.sock", "/run/containerd/containerd.sock",
		"/run/podman/podman.sock" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		try_unix(p, paths[i]);
	try_unix(p, p->facts[PROVE_ENGINE]);
}

static void
try_write(const struct prove *p, const char *path)
{
	static const int refusals[] = { EPERM, EACCES, EROFS, ENOENT, 0 };
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	must_fail(p, "open(O_WRONLY)", path, fd == -1, refusals);
}

static void
probe_guardrails(struct prove *p)
{
	char text[TEXT_MAX];
	char made[TEXT_MAX + 16];
	struct statvfs st;

	try_write(p, POLICY_MANIFEST);
	read_text(POLICY_MANIFEST, text);
	text[strcspn(text, "\n")] = '\0';
	if (text[0] == '#' && strcmp(text + 2, POLICY_NONE) != 0) {
		(void)snprintf(made, sizeof(made), "%s/prove", text + 2);
		must_fail(p, "mkdir", made, mkdir(made, 0700) == -1, denied);
		(void)rmdir(made);
	}
	if (statvfs("/", &st) == 0 && (st.f_flag & ST_RDONLY) != 0)
		report(p, VERDICT_HELD, "statvfs", "/", "read-only");
	else
		report(p, VERDICT_BROKEN, "statvfs", "/", "writable");
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
		must_fail(p, "open of a symlink", elsewhere, fd == -1, absent);
	} else {
		report(p, VERDICT_UNKNOWN, "symlink", link_path, "%s",
		    strerror(errno));
	}
	must_fail(p, "link", POLICY_MANIFEST,
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
	must_fail(p, "keyctl", "the user's keyring",
	    syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING,
		0) == -1,
	    filtered);
	must_fail(p, "add_key", "the process keyring",
	    syscall(SYS_add_key, "user", "drydock-prove", "x", (size_t)1,
		KEY_SPEC_PROCESS_KEYRING) == -1,
	    filtered);
}

static void
probe_signals(struct prove *p)
{
	static const int refusals[] = { ESRCH, 0 };
	pid_t pid = (pid_t)number_fact(p, PROVE_HOST_PID);

	must_fail(p, "kill(0)", p->facts[PROVE_HOST_PID],
	    pid <= 0 || kill(pid, 0) == -1, refusals);
}

/* Compares the control group's limit with the planned one. */
static void
compare_limit(const struct prove *p, int64_t planned, const char *v2_path,
    const char *v1_path)
{
	const char *path = access(v2_path, F_OK) == 0 ? v2_path : v1_path;
	char text[TEXT_MAX];
	long long limit;
	char *end;

	read_text(path, text);
	text[strcspn(text, "\n")] = '\0';
	limit = strtoll(text, &end, 10);
	if (planned < 0)
		report(p, VERDICT_BROKEN, "read", path,
		    "%s, and the plan has no limit", text);
	else if (text[0] == '\0')
		report(p, VERDICT_UNKNOWN, "read", path, "cannot be read");
	else
		report(p,
		    end != text && limit <= planned ? VERDICT_HELD
						    : VERDICT_BROKEN,
		    "read", path, "%s, and the plan has %" PRId64, text,
		    planned);
}

/* Taking the memory itself would take it from the host. */
static void
probe_memory(struct prove *p)
{
	compare_limit(p, number_fact(p, PROVE_MEMORY),
	    "/sys/fs/cgroup/memory.max",
	    "/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

static _Noreturn void
idle(void)
{
	for (;;)
		(void)pause();
}

/* Starts max processes, or as many as it can; ends them.  Returns how many. */
static size_t
fork_many(size_t max, int *ret_error)
{
	cleanup_free pid_t *pids = xmalloc(max * sizeof(*pids));
	size_t n;

	*ret_error = 0;
	(void)fflush(stdout);
	for (n = 0; n < max; n++) {
		pids[n] = fork();
		if (pids[n] == 0)
			idle();
		if (pids[n] == -1) {
			*ret_error = errno;
			break;
		}
	}
	for (size_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return n;
}

static void
probe_pids(struct prove *p)
{
	int64_t planned = number_fact(p, PROVE_PIDS);
	size_t n;
	int error;

	compare_limit(p, planned, "/sys/fs/cgroup/pids.max",
	    "/sys/fs/cgroup/pids/pids.max");
	if (planned < 0 || planned > FORKS_MAX)
		return;
	n = fork_many((size_t)planned + 1, &error);
	report(p,
	    error == EAGAIN  ? VERDICT_HELD
		: error == 0 ? VERDICT_BROKEN
			     : VERDICT_UNKNOWN,
	    "fork", "until it fails", "%s after %zu processes", strerror(error),
	    n);
}

static void
probe_tmp(struct prove *p)
{
	static const int full[] = { ENOSPC, 0 };
	cleanup_close int fd =
	    open(SCRATCH, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	int64_t planned = number_fact(p, PROVE_TMP);
	struct statvfs st;
	int64_t size;

	if (fd == -1 || fstatvfs(fd, &st) != 0) {
		report(
		    p, VERDICT_UNKNOWN, "open", SCRATCH, "%s", strerror(errno));
		return;
	}
	size = (int64_t)st.f_blocks * (int64_t)st.f_frsize;
	if (planned < 0 || size > planned + (int64_t)st.f_frsize)
		report(p, VERDICT_BROKEN, "statvfs", "/tmp",
		    "%" PRId64 " bytes, and the plan has %" PRId64, size,
		    planned);
	else
		/* tmpfs refuses a range over its size before it takes any. */
		must_fail(p, "fallocate", "/tmp, a page more than it has",
		    fallocate(fd, 0, 0, size + (int64_t)st.f_frsize) == -1,
		    full);
	(void)unlink(SCRATCH);
}

/* Returns the answer's status, or -1. */
static int
ask_proxy(const char *authority)
{
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(PROXY_PORT),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct pollfd in = { fd, POLLIN, 0 };
	char text[512];
	int status;
	ssize_t n;

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return -1;
	n = snprintf(text, sizeof(text),
	    "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority);
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n ||
	    poll(&in, 1, PROXY_WAIT_MS) != 1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "HTTP/1.1 %3d", &status) == 1 ? status : -1;
}

static void
probe_proxy(struct prove *p)
{
	static const char *const targets[] = { "drydock-prove.test:443",
		"169.254.169.254:80", "10.0.0.1:443", "127.0.0.1:22",
		"[::1]:443" };

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		int status = ask_proxy(targets[i]);

		if (status == -1)
			report(p, VERDICT_UNKNOWN, "CONNECT", targets[i],
			    "no answer");
		else
			report(p, status == 403 ? VERDICT_HELD : VERDICT_BROKEN,
			    "CONNECT", targets[i], "%d", status);
	}
}

static void
probe_other_proxy(struct prove *p)
{
	cleanup_free char *path =
	    xasprintf("%s/egress/egress.sock", p->facts[PROVE_ELSEWHERE]);

	try_unix(p, path);
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
