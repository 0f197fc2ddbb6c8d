/* SPDX-License-Identifier: MIT */
/* Cleanup functions for tagged variables, and the functions that hand over. */
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
cleanup_free_fn(void *p)
{
	int saved = errno;

	free(steal_ptr_fn(p));
	errno = saved;
}

void
cleanup_close_fn(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

void
cleanup_fclose_fn(FILE **fp)
{
	int saved = errno;

	if (*fp != NULL)
		(void)fclose(*fp);
	*fp = NULL;
	errno = saved;
}

void
cleanup_closedir_fn(DIR **dir)
{
	int saved = errno;

	if (*dir != NULL)
		(void)closedir(*dir);
	*dir = NULL;
	errno = saved;
}

int
steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* memcpy respects the aliasing rules: pp is a pointer to any T *. */
void *
steal_ptr_fn(void *pp)
{
	static void *const none = NULL;
	void *taken;

	memcpy(&taken, pp, sizeof(taken));
	memcpy(pp, &none, sizeof(none));
	return taken;
}
