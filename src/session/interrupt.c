/* SPDX-License-Identifier: MIT */
/* Blocks signals and checks for them between the steps of a launch. */
#include "session/interrupt.h"

#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"

/* Signals that the caller ignores, as with nohup(1), stay ignored. */
static void
fill(sigset_t *set)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	(void)sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction now;

		if (sigaction(signals[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			(void)sigaddset(set, signals[i]);
	}
}

void
interrupt_hold(struct interrupt *in)
{
	fill(&in->held);
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
