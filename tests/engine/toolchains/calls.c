/* SPDX-License-Identifier: MIT */
/* calls: what programs ask of the kernel; prints what fails, then "done". */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define TRY(call)                                                   \
	do {                                                        \
		errno = 0;                                          \
		if ((long)(call) == -1)                             \
			printf("%s: %s\n", #call, strerror(errno)); \
	} while (0)

extern char **environ;

static int
thread(void *arg)
{
	mtx_t *lock = arg;

	return mtx_lock(lock) == thrd_success ? mtx_unlock(lock) : 1;
}

static void
try_threads(void)
{
	thrd_t threads[16];
	mtx_t lock;
	int result;

	TRY(mtx_init(&lock, mtx_plain) == thrd_success ? 0 : -1);
	for (size_t i = 0; i < 16; i++)
		TRY(thrd_create(&threads[i], thread, &lock) == thrd_success
			? 0
			: -1);
	for (size_t i = 0; i < 16; i++) {
		TRY(thrd_join(threads[i], &result) == thrd_success ? 0 : -1);
		TRY(result == thrd_success ? 0 : -1);
	}
}

static void
try_files(void)
{
	char buf[4096] = "x";
	struct iovec iov = { buf, sizeof(buf) };
	struct statx stx;
	struct statvfs vfs;
	int a = open("a", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	int b = open("b", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	int dir = open(".", O_DIRECTORY | O_CLOEXEC);

	TRY(a);
	TRY(b);
	TRY(dir);
	TRY(fallocate(a, 0, 0, 65536));
	TRY(pwritev(a, &iov, 1, 100));
	TRY(preadv(a, &iov, 1, 0));
	TRY(copy_file_range(a, NULL, b, NULL, 4096, 0));
	TRY(sendfile(b, a, NULL, 4096));
	TRY(fallocate(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	TRY(posix_fadvise(a, 0, 0, POSIX_FADV_DONTNEED));
	TRY(fdatasync(a));
	TRY(sync_file_range(a, 0, 0, SYNC_FILE_RANGE_WRITE));
	TRY(ftruncate(a, 10));
	TRY(flock(a, LOCK_EX));
	TRY(fcntl(a, F_OFD_SETLK,
	    &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }));
	TRY(statx(AT_FDCWD, "a", AT_SYMLINK_NOFOLLOW, STATX_ALL, &stx));
	TRY(fstatvfs(a, &vfs));
	TRY(renameat2(dir, "b", dir, "c", RENAME_NOREPLACE));
	TRY(renameat2(dir, "a", dir, "c", RENAME_EXCHANGE));
	TRY(linkat(dir, "a", dir, "d", 0));
	TRY(symlinkat("a", dir, "l"));
	TRY(faccessat(dir, "a", R_OK, AT_EACCESS));
	TRY(fchmodat(dir, "a", 01777, 0));
	TRY(chmod("a", 0600));
	TRY(fchmod(b, 0600));
	TRY(mkdirat(dir, "m", 01777));
	TRY(mkfifoat(dir, "f", 0600));
	TRY(utimensat(dir, "a", NULL, 0));
	TRY(fchownat(dir, "a", getuid(), getgid(), 0));
	TRY(setxattr("a", "user.test", "x", 1, 0) == 0 || errno == ENOTSUP
		? 0
		: -1);
	TRY(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	TRY(syncfs(dir));
}

static void
try_memory(void)
{
	size_t size = 1 << 20;
	int memory = memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int shared =
	    shm_open("/drydock-test", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TRY(memory);
	TRY(ftruncate(memory, 4096));
	TRY(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK));
	TRY(shared);
	TRY(shm_unlink("/drydock-test"));
	TRY(map);
	TRY(madvise(map, size, MADV_DONTNEED));
	TRY(mprotect(map, size, PROT_READ | PROT_EXEC));
	map = mremap(map, size, 2 * size, MREMAP_MAYMOVE);
	TRY(map);
	TRY(mlock(map, 4096));
	TRY(munmap(map, 2 * size));
	TRY(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
	TRY(mq_open("/drydock-test", O_CREAT | O_RDWR, 0600, NULL));
	TRY(sem_open("/drydock-test", O_CREAT, 0600, 0) == SEM_FAILED ? -1 : 0);
	TRY(syscall(SYS_membarrier, 0, 0, 0));
}

static void
try_waiting(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int count = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	int pair[2];

	TRY(watch);
	TRY(inotify_add_watch(watch, ".", IN_CREATE));
	TRY(epoll);
	TRY(count);
	TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, count, &event));
	TRY(epoll_wait(epoll, &event, 1, 0));
	TRY(epoll_pwait(epoll, &event, 1, 0, NULL));
	TRY(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	TRY(signalfd(-1, &set, SFD_CLOEXEC));
	TRY(pipe2(pair, O_CLOEXEC | O_NONBLOCK));
	TRY(fcntl(pair[0], F_SETPIPE_SZ, 131072));
	TRY(write(pair[1], "x", 1));
	TRY(splice(pair[0], NULL, open("/dev/null", O_WRONLY | O_CLOEXEC), NULL,
	    1, 0));
	TRY(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	TRY(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
	TRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static void
try_processes(void)
{
	char *const argv[] = { (char *)"true", NULL };
	struct rlimit limit;
	struct timespec now;
	cpu_set_t cpus;
	char random[8];
	pid_t pid;
	int fd;

	TRY(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0 ? 0
								       : -1);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	TRY(fd);
	TRY(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	TRY(waitpid(pid, NULL, 0));
	pid = fork();
	TRY(pid);
	if (pid == 0)
		_exit(
		    ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && setsid() != -1
			? 0
			: 1);
	TRY(waitpid(pid, &fd, 0));
	TRY(fd == 0 ? 0 : -1);
	pid = vfork();
	if (pid == 0)
		_exit(0);
	TRY(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED));
	TRY(prctl(PR_SET_PDEATHSIG, SIGTERM));
	TRY(prctl(PR_SET_NAME, "name"));
	TRY(getrlimit(RLIMIT_NOFILE, &limit));
	TRY(setrlimit(RLIMIT_NOFILE, &limit));
	TRY(setpriority(PRIO_PROCESS, 0, 1));
	TRY(sched_getaffinity(0, sizeof(cpus), &cpus));
	TRY(sched_setaffinity(0, sizeof(cpus), &cpus));
	TRY(sched_yield());
	TRY(getrandom(random, sizeof(random), 0));
	TRY(clock_gettime(CLOCK_BOOTTIME, &now));
	TRY(syscall(SYS_close_range, 100, 200, 0));
}

int
main(void)
{
	try_threads();
	try_files();
	try_memory();
	try_waiting();
	try_processes();
	printf("done\n");
	return 0;
}
