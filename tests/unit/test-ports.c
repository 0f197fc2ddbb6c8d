/* SPDX-License-Identifier: MIT */
/* ports: what a port is, and the file that keeps the list. */
#include "session/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#include "check.h"

static void
test_parse(void)
{
	static const struct {
		const char *text;
		int inner, outer; /* inner 0: refused */
	} rows[] = {
		{ "1", 1, 1 },
		{ "3000", 3000, 3000 },
		{ "65535", 65535, 65535 },
		{ "3000:8080", 3000, 8080 },
		{ "3000:0", 3000, 0 },
		{ "0", 0, 0 },
		{ "0:80", 0, 0 },
		{ "65536", 0, 0 },
		{ "3000:65536", 0, 0 },
		{ "18446744073709554616", 0, 0 },
		{ "-1", 0, 0 },
		{ "+1", 0, 0 },
		{ " 1", 0, 0 },
		{ "1 ", 0, 0 },
		{ "", 0, 0 },
		{ ":80", 0, 0 },
		{ "80:", 0, 0 },
		{ "80:80:80", 0, 0 },
		{ "http", 0, 0 },
		{ "0x50", 0, 0 },
		{ "127.0.0.1:80", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct port port = { 0, 0, 0 };

		if (!CHECK_INT(port_parse(rows[i].text, &port, &dg),
			rows[i].inner == 0 ? -1 : 0))
			CHECK_STR(rows[i].text, "");
		CHECK_INT(port.inner, rows[i].inner);
		CHECK_INT(port.outer, rows[i].outer);
		CHECK_INT(
		    dg.class, rows[i].inner == 0 ? DIAG_USAGE : DIAG_NONE);
	}
}

static void
test_file(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct portlist list;
	struct portlist again;

	CHECK_INT(portlist_read(dir, &list, &dg), 0);
	CHECK_INT((long long)list.nr, 0);
	for (uint16_t i = 0; i < PORTLIST_MAX; i++)
		list.v[list.nr++] = (struct port){ (uint16_t)(65535 - i),
			(uint16_t)(65535 - i), i == 3 ? EADDRINUSE : 0 };
	CHECK_INT(portlist_write(dir, &list, &dg), 0);
	CHECK_INT(portlist_read(dir, &again, &dg), 0);
	CHECK_INT((long long)again.nr, PORTLIST_MAX);
	CHECK(memcmp(list.v, again.v, sizeof(list.v)) == 0);
	portlist_drop(&again, portlist_find(&again, 65532));
	CHECK_INT((long long)again.nr, PORTLIST_MAX - 1);
	CHECK(portlist_find(&again, 65532) == NULL);
	CHECK_INT(again.v[3].inner, 65531);
	port_describe(&list.v[3], true, &text);
	CHECK_STR(text.buf,
	    "65532 at 127.0.0.1:65532, not served: the host's port is taken");
}

static void
test_malformed(void)
{
	static const char *const rows[] = { "3000\n", "3000 8080\n",
		"3000 8080 0 1\n", "3000 8080 x\n", "0 8080 0\n", "3000 0 0\n",
		"3000 8080 0\n3000 8081 0\n", "a b c\n", "3000 8080 -1\n",
		"3000  8080 0\n" };
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct portlist list;

		CHECK_INT(fs_replace_file(dir, "ports", rows[i],
			      strlen(rows[i]), 0600, &dg),
		    0);
		if (!CHECK_INT(portlist_read(dir, &list, &dg), -1))
			CHECK_STR(rows[i], "");
		CHECK_INT(dg.class, DIAG_DATA);
	}
}

static const struct check_test tests[] = {
	{ "ports are parsed strictly", test_parse },
	{ "the file keeps them", test_file },
	{ "a malformed file is refused", test_malformed },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
