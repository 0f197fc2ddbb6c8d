/* SPDX-License-Identifier: MIT */
#include "guest/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "guest/promise.h"

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
