/* SPDX-License-Identifier: MIT */
/* abi: what the profile refuses, asked by x86-64's two other ways to call. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf none;

static void
no_such_way(int sig)
{
	(void)sig;
	siglongjmp(none, 1);
}

/* The calls of i386: the arguments are 32 bits wide. */
static long
call_32(long nr, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static void
expect(const char *what, long result, long want)
{
	if (result != want && !(want == 0 && result >= 0))
		printf("%s: %s\n", what,
		    result < 0 ? strerror((int)-result) : "done");
}

static void
try_32(char *low)
{
	int *words = (int *)(low + 256);
	long words_at = (long)words;

	strcpy(low, "f32");
	words[0] = 40;
	words[1] = 1;
	words[2] = 0;
	expect("socket(VSOCK)", call_32(359, 40, 1, 0, 0), -EPERM);
	expect("socket(PACKET)", call_32(359, 17, 3, 0, 0), -EPERM);
	expect("socket(UNIX)", call_32(359, 1, 1, 0, 0), 0);
	expect("socketcall", call_32(102, 1, words_at, 0, 0), -ENOSYS);
	expect("creat", call_32(8, (long)low, 0755, 0, 0), 0);
	expect("chmod", call_32(15, (long)low, 04755, 0, 0), -EPERM);
	expect("fchmodat", call_32(306, AT_FDCWD, (long)low, 02755, 0), -EPERM);
	expect("mknod", call_32(14, (long)low, 0104755, 0, 0), -EPERM);
	expect("openat", call_32(295, AT_FDCWD, (long)low, O_CREAT, 04755),
	    -EPERM);
	expect("unshare", call_32(310, 0x10000000, 0, 0, 0), -EPERM);
	expect("clone", call_32(120, 0x10000000, 0, 0, 0), -EPERM);
	expect("io_uring_setup", call_32(425, 1, words_at, 0, 0), -EPERM);
	expect("openat2", call_32(437, AT_FDCWD, (long)low, words_at, 24),
	    -ENOSYS);
	expect("mount", call_32(21, words_at, words_at, 0, 0), -EPERM);
}

static long
call_x32(long nr, long a, long b, long c)
{
	return syscall(0x40000000 | nr, a, b, c) < 0 ? -errno : 0;
}

/* Many kernels have no x32, and say so. */
static void
refused_x32(const char *what, long result)
{
	if (result != -EPERM && result != -ENOSYS)
		printf("x32 %s: %s\n", what, strerror((int)-result));
}

int
main(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return 1;
	(void)signal(SIGSEGV, no_such_way);
	if (sigsetjmp(none, 1) == 0)
		try_32(low);
	refused_x32("socket(VSOCK)", call_x32(41, 40, 1, 0));
	refused_x32("chmod", call_x32(90, (long)low, 04755, 0));
	refused_x32("unshare", call_x32(272, 0x10000000, 0, 0));
	refused_x32("io_uring_setup", call_x32(425, 1, (long)low, 0));
	printf("done\n");
	return 0;
}
