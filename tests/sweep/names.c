/* SPDX-License-Identifier: MIT */
/*
 * names: caches the function name of an address for strace.
 *
 * strace -k asks libunwind for the name of each frame of each call, and
 * libunwind reads the process's memory map for each answer, which takes four
 * fifths of the listing's time.  This library, preloaded into strace, caches
 * the answers.  They stay valid, because drydock unloads no library before it
 * exits.  A strace without libunwind does not call this function.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As <libunwind.h> has them, which need not be installed. */
#define NO_MEMORY (-2)
typedef int get_name_fn(void *as, uintptr_t ip, char *name, size_t size,
    uintptr_t *offset, void *arg);

/* More than a command needs; two addresses in one slot replace each other. */
#define SLOTS 65536

get_name_fn _UPT_get_proc_name;

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
