/* SPDX-License-Identifier: MIT */
/* Blocks signals and checks for them between the steps of a launch. */
#include "terminal/interrupt.h"

#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"

void
interrupt_heeded(const int *signals, size_t n, sigset_t *ret_set)
{
	(void)sigemptyset(ret_set);
	for (size_t i = 0; i < n; i++) {
		struct sigaction now;

		if (sigaction(signals[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			(void)sigaddset(ret_set, signals[i]);
	}
}

void
interrupt_hold(struct interrupt *in)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	interrupt_heeded(signals, ARRAY_SIZE(signals), &in->held);
	(void)sigprocmask(SIG_BLOCK, &in->held, &in->before);
}

int
interrupt_check(const struct interrupt *in, struct diag *dg)
{
	static const struct timespec now = { 0, 0 };
	int sig = sigtimedwait(&in->held, NULL, &now);

	if (sig <= 0)
		return 0;
	return diag_set(dg, DIAG_CANCELLED, "cancelled: %s", strsignal(sig));
}

int
interrupt_open(const struct interrupt *in)
{
	return signalfd(-1, &in->held, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
interrupt_read(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

void
interrupt_restore(const struct interrupt *in)
{
	(void)sigprocmask(SIG_SETMASK, &in->before, NULL);
}
