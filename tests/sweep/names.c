/* SPDX-License-Identifier: MIT */
/*
 * names: makes strace -k fast.
 *
 * strace -k asks libunwind for the stack of each call.  libunwind reads the
 * process's memory map for the name of each frame, and the process's memory
 * word by word, with 700 calls of ptrace(2) for a stack.  This library,
 * preloaded into strace, caches the names and reads memory in blocks.  The
 * names stay valid, because drydock unloads no library before it exits.  A
 * strace without libunwind does not call these functions.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

/* As <libunwind.h> has them, which need not be installed. */
#define NO_MEMORY (-2)
#define INSTRUCTION_POINTER 16
typedef int get_name_fn(void *as, uintptr_t ip, char *name, size_t size,
    uintptr_t *offset, void *arg);
typedef int access_fn(
    void *as, uintptr_t addr, uintptr_t *val, int write, void *arg);
typedef int access_reg_fn(
    void *as, int reg, uintptr_t *val, int write, void *arg);

/* More than a command needs; two addresses in one slot replace each other. */
#define SLOTS 65536
/* A block lies in one page, and all of a stack fits in. */
#define BLOCK 1024
#define BLOCKS 64

get_name_fn _UPT_get_proc_name;
access_fn _UPT_access_mem;
access_reg_fn _UPT_access_reg;

/* A block is valid while one stack is read; 0 is no stack. */
static uintmax_t stack = 1;

int
_UPT_get_proc_name(void *as, uintptr_t ip, char *name, size_t size,
    uintptr_t *offset, void *arg)
{
	static struct {
		uintptr_t ip;
		uintptr_t offset;
		char *name;
		int result;
	} slots[SLOTS], *s;
	void *symbol = dlsym(RTLD_NEXT, "_UPT_get_proc_name");
	get_name_fn *real;
	int result;

	s = &slots[(ip ^ ip >> 16) % SLOTS];
	if (s->name != NULL && s->ip == ip && strlen(s->name) < size) {
		memcpy(name, s->name, strlen(s->name) + 1);
		*offset = s->offset;
		return s->result;
	}
	/* ISO C has no cast from a pointer to data. */
	memcpy(&real, &symbol, sizeof(real));
	*name = '\0';
	result = real(as, ip, name, size, offset, arg);
	/* strace asks again, with more room. */
	if (result == NO_MEMORY)
		return result;
	free(s->name);
	s->name = strdup(name);
	s->ip = ip;
	s->offset = *offset;
	s->result = result;
	return result;
}

/* The stack of each call begins with the instruction pointer. */
int
_UPT_access_reg(void *as, int reg, uintptr_t *val, int write, void *arg)
{
	void *symbol = dlsym(RTLD_NEXT, "_UPT_access_reg");
	access_reg_fn *real;

	memcpy(&real, &symbol, sizeof(real));
	if (reg == INSTRUCTION_POINTER)
		stack++;
	return real(as, reg, val, write, arg);
}

/* libunwind's data for a process begin with its id. */
int
_UPT_access_mem(void *as, uintptr_t addr, uintptr_t *val, int write, void *arg)
{
	static struct {
		uintmax_t stack;
		uintptr_t start;
		char bytes[BLOCK];
	} blocks[BLOCKS], *b;
	uintptr_t start = addr - addr % BLOCK;
	struct iovec to = { NULL, BLOCK };
	/* An address of the other process is an integer here. */
	struct iovec from = { (void *)start, BLOCK };
	void *symbol = dlsym(RTLD_NEXT, "_UPT_access_mem");
	access_fn *real;

	memcpy(&real, &symbol, sizeof(real));
	b = &blocks[addr / BLOCK % BLOCKS];
	to.iov_base = b->bytes;
	if (write || addr - start > BLOCK - sizeof(*val))
		return real(as, addr, val, write, arg);
	if (b->stack != stack || b->start != start) {
		b->stack = 0;
		if (process_vm_readv(*(pid_t *)arg, &to, 1, &from, 1, 0) !=
		    BLOCK)
			return real(as, addr, val, write, arg);
		b->stack = stack;
		b->start = start;
	}
	memcpy(val, b->bytes + (addr - start), sizeof(*val));
	return 0;
}
