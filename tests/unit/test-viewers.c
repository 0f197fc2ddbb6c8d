/* SPDX-License-Identifier: MIT */
/* Several viewers of one command: whose window counts. */
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "check.h"
#include "holder-kit.h"

static int
view(struct kit *kit, uint16_t rows, uint16_t columns)
{
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;
	int fd = kit_greet(kit, NULL);

	wire_add_size(&frames, WIRE_VIEW, (struct wire_size){ rows, columns });
	CHECK(kit_send(fd, &frames));
	return fd;
}

/* It shows a size when it has one. */
static int
start(struct kit *kit)
{
	return kit_shell(kit,
	    "trap 'stty size' WINCH; echo ready; while :; do sleep .05; done",
	    true, false);
}

static void
test_leaving(void)
{
	struct kit kit;
	struct kit_output first = KIT_OUTPUT_INIT;
	int one = start(&kit);
	int two;
	int three;

	if (one == -1)
		return;
	CHECK(kit_read_until(one, &first, "ready"));
	two = view(&kit, 40, 120);
	CHECK(kit_read_until(one, &first, "40 120"));
	three = view(&kit, 50, 130);
	CHECK(kit_read_until(one, &first, "50 130"));
	/* One that was not active leaves, and nothing changes. */
	(void)close(two);
	CHECK(kit_send_frame(three, WIRE_INPUT, "", 0));
	(void)close(three);
	CHECK(kit_read_until(one, &first, "30 100"));
	CHECK_INT(kill(kit.pid, SIGTERM), 0);
	(void)close(one);
	(void)kit_wait(&kit);
	kit_output_release(&first);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the pty follows who was last active, also when it leaves",
		    test_leaving },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
