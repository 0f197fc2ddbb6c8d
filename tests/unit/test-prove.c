/* SPDX-License-Identifier: MIT */
/* The probes' report is read as hostile input, and the worst verdict counts. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "session/prove.h"

static void
read_text(struct proof *proof, const char *text)
{
	proof_read(proof, text, strlen(text));
}

static void
test_lines(void)
{
	static const struct {
		const char *text;
		size_t nr;
	} rows[] = {
		{ "", 0 },
		{ "raw-sockets\tsocket\tAF_PACKET\tEPERM\theld\n", 1 },
		{ "raw-sockets\t\t\t\theld\n", 1 },
		/* Cut off, or of another number of fields. */
		{ "raw-sockets\tsocket\tAF_PACKET\tEPERM\theld", 0 },
		{ "raw-sockets\tsocket\tAF_PACKET\theld\n", 0 },
		{ "raw-sockets\ta\tb\tc\td\theld\n", 0 },
		{ "raw-sockets\n\n\t\t\t\t\n", 0 },
		/* Unknown words, and what drydock alone may say. */
		{ "none\tsocket\tAF_PACKET\tEPERM\theld\n", 0 },
		{ "raw-sockets\tsocket\tAF_PACKET\tEPERM\tHeld\n", 0 },
		{ "mounts\tread\tagent\tas planned\theld\n", 0 },
		{ "same-plan\tread\tagent\tas planned\theld\n", 0 },
		{ "vsock\ta\tb\tc\tunknown\nvsock\ta\tb\tc\tBROKEN\n", 2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup_proof struct proof proof = PROOF_INIT;

		read_text(&proof, rows[i].text);
		if (!CHECK_INT(proof.nr, rows[i].nr))
			(void)CHECK_STR(rows[i].text, NULL);
	}
}

static void
test_escaped(void)
{
	cleanup_proof struct proof proof = PROOF_INIT;

	read_text(
	    &proof, "vsock\t\033]52;c;x\007\tb\377\t\342\200\256\theld\n");
	if (!CHECK_INT(proof.nr, 1))
		return;
	CHECK_STR(proof.v[0].call, "\\033]52;c;x\\007");
	CHECK_STR(proof.v[0].target, "b\\377");
	CHECK(strchr(proof.v[0].answer, '\342') == NULL);
}

static void
test_nul(void)
{
	static const char text[] =
	    "vsock\ta\tb\tc\theld\n\0vsock\ta\tb\tc\theld\n";
	cleanup_proof struct proof proof = PROOF_INIT;

	proof_read(&proof, text, sizeof(text) - 1);
	CHECK_INT(proof.nr, 1);
}

static void
test_worst(void)
{
	cleanup_proof struct proof proof = PROOF_INIT;

	CHECK_INT(proof_verdict(&proof, PROMISE_VSOCK), VERDICT_UNKNOWN);
	read_text(&proof, "vsock\ta\tb\tc\theld\n");
	CHECK_INT(proof_verdict(&proof, PROMISE_VSOCK), VERDICT_HELD);
	read_text(&proof, "vsock\ta\tb\tc\tunknown\n");
	CHECK_INT(proof_verdict(&proof, PROMISE_VSOCK), VERDICT_UNKNOWN);
	read_text(&proof, "vsock\ta\tb\tc\tBROKEN\nvsock\ta\tb\tc\theld\n");
	CHECK_INT(proof_verdict(&proof, PROMISE_VSOCK), VERDICT_BROKEN);
	CHECK_INT(proof_verdict(&proof, PROMISE_RAW), VERDICT_UNKNOWN);
}

static void
test_table(void)
{
	for (unsigned i = 0; i < PROMISES; i++) {
		CHECK(promises[i].name != NULL && promises[i].words != NULL);
		for (unsigned n = 0; n < i; n++)
			CHECK(strcmp(promises[i].name, promises[n].name) != 0);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a line in another format is none", test_lines },
		{ "what a report says is escaped", test_escaped },
		{ "a report ends at a NUL", test_nul },
		{ "the worst attempt is the verdict, none is unknown",
		    test_worst },
		{ "each promise has a name of its own", test_table },
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
