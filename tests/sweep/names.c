/* SPDX-License-Identifier: MIT */
/*
 * names: makes strace -k fast.
 *
 * strace -k asks libunwind for the stack of each call.  libunwind reads the
 * process's memory map for the name of each frame and where a stack goes from
 * one library to another, and the process's memory word by word, with 700 calls
 * of ptrace(2) for a stack.  This library, preloaded into strace, names the
 * program's own functions alone and each once, keeps libraries open, and reads
 * memory in blocks.  What is kept stays valid, because drydock unloads no
 * library before it exits.  A strace without libunwind does not call these
 * functions.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

/* As <libunwind.h> has them, which need not be installed. */
#define NO_MEMORY (-2)
#define NO_INFO (-10)
#define INSTRUCTION_POINTER 16
typedef int get_name_fn(void *as, uintptr_t ip, char *name, size_t size,
    uintptr_t *offset, void *arg);
typedef int find_info_fn(
    void *as, uintptr_t ip, void *info, int needs_more, void *arg);
typedef void *create_fn(pid_t pid);
typedef int access_fn(
    void *as, uintptr_t addr, uintptr_t *val, int write, void *arg);
typedef int access_reg_fn(
    void *as, int reg, uintptr_t *val, int write, void *arg);
union info {
	uintptr_t start; /* of the function */
	char bytes[512]; /* more than there are */
};

/* More than a command needs; two addresses in one slot replace each other. */
#define SLOTS 65536
/* A block lies in one page, and all of a stack fits in. */
#define BLOCK 1024
#define BLOCKS 64
/* Parts of the code, each in one library or in a few. */
#define PARTS 256
#define PART ((uintptr_t)1 << 18)

get_name_fn _UPT_get_proc_name;
find_info_fn _UPT_find_proc_info;
access_fn _UPT_access_mem;
access_reg_fn _UPT_access_reg;

/* A block is valid while one stack is read; 0 is no stack. */
static uintmax_t stack = 1;

/* libunwind's own function.  ISO C has no cast from a pointer to data. */
#define FIND_REAL(pointer, name)                                     \
	do {                                                         \
		if (pointer == NULL) {                               \
			void *symbol_ = dlsym(RTLD_NEXT, name);      \
			memcpy(&pointer, &symbol_, sizeof(pointer)); \
		}                                                    \
	} while (0)

/* libunwind's data for a process begin with its id. */
static pid_t
process_of(const void *arg)
{
	return *(const pid_t *)arg;
}

/* Where the program lies, which is the first in the map of its process. */
static bool
is_in_program(pid_t pid, uintptr_t ip)
{
	static uintptr_t start;
	static uintptr_t end;
	char path[PATH_MAX];
	char line[PATH_MAX + 128];
	char program[PATH_MAX] = "";
	FILE *f;

	if (end != 0)
		return ip >= start && ip < end;
	(void)snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		uintptr_t first;
		uintptr_t last;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %s",
			&first, &last, path) < 3)
			break;
		if (*program == '\0') {
			start = first;
			memcpy(program, path, sizeof(program));
		}
		if (strcmp(path, program) != 0)
			break;
		end = last;
	}
	if (f != NULL)
		(void)fclose(f);
	return ip >= start && ip < end;
}

/* A function is named once, and where it begins; strace prints how far behind
 * that the address is. */
int
_UPT_get_proc_name(void *as, uintptr_t ip, char *name, size_t size,
    uintptr_t *offset, void *arg)
{
	static struct {
		uintptr_t start;
		uintptr_t offset;
		char *name;
		int result;
	} slots[SLOTS], *s;
	static get_name_fn *real;
	union info info = { 0 };
	int result;

	FIND_REAL(real, "_UPT_get_proc_name");
	if (!is_in_program(process_of(arg), ip))
		return NO_INFO;
	if (_UPT_find_proc_info(as, ip, &info, 0, arg) != 0 || info.start > ip)
		return real(as, ip, name, size, offset, arg);
	s = &slots[(info.start ^ info.start >> 16) % SLOTS];
	if (s->name == NULL || s->start != info.start ||
	    strlen(s->name) >= size) {
		*name = '\0';
		result = real(as, info.start, name, size, offset, arg);
		/* strace asks again, with more room. */
		if (result == NO_MEMORY)
			return result;
		free(s->name);
		s->name = strdup(name);
		s->start = info.start;
		s->offset = *offset;
		s->result = result;
	}
	memcpy(name, s->name, strlen(s->name) + 1);
	*offset = s->offset + (ip - info.start);
	return s->result;
}

/* libunwind's data for a process hold one library, and are made again for
 * another one: each part of the code has data of its own. */
int
_UPT_find_proc_info(
    void *as, uintptr_t ip, void *info, int needs_more, void *arg)
{
	static struct {
		pid_t pid;
		uintptr_t start;
		void *arg;
	} parts[PARTS], *p;
	static find_info_fn *real;
	static create_fn *create;
	uintptr_t start = ip - ip % PART;
	pid_t pid = process_of(arg);

	FIND_REAL(real, "_UPT_find_proc_info");
	FIND_REAL(create, "_UPT_create");
	p = &parts[ip / PART % PARTS];
	if (p->arg == NULL) {
		p->arg = create(pid);
		p->start = start;
		p->pid = pid;
	}
	if (p->arg == NULL || p->start != start || p->pid != pid)
		return real(as, ip, info, needs_more, arg);
	return real(as, ip, info, needs_more, p->arg);
}

/* The stack of each call begins with the instruction pointer. */
int
_UPT_access_reg(void *as, int reg, uintptr_t *val, int write, void *arg)
{
	static access_reg_fn *real;

	FIND_REAL(real, "_UPT_access_reg");
	if (reg == INSTRUCTION_POINTER)
		stack++;
	return real(as, reg, val, write, arg);
}

int
_UPT_access_mem(void *as, uintptr_t addr, uintptr_t *val, int write, void *arg)
{
	static struct {
		uintmax_t stack;
		uintptr_t start;
		char bytes[BLOCK];
	} blocks[BLOCKS], *b;
	static access_fn *real;
	uintptr_t start = addr - addr % BLOCK;
	struct iovec to = { NULL, BLOCK };
	/* An address of the other process is an integer here. */
	struct iovec from = { (void *)start, BLOCK };

	FIND_REAL(real, "_UPT_access_mem");
	b = &blocks[addr / BLOCK % BLOCKS];
	to.iov_base = b->bytes;
	if (write || addr - start > BLOCK - sizeof(*val))
		return real(as, addr, val, write, arg);
	if (b->stack != stack || b->start != start) {
		b->stack = 0;
		if (process_vm_readv(process_of(arg), &to, 1, &from, 1, 0) !=
		    BLOCK)
			return real(as, addr, val, write, arg);
		b->stack = stack;
		b->start = start;
	}
	memcpy(val, b->bytes + (addr - start), sizeof(*val));
	return 0;
}
