/* SPDX-License-Identifier: MIT */
/* resolver: resolv.conf as libc reads it. */
#include "guest/resolver.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#include "check.h"

static void
test_rows(void)
{
	static const struct {
		const char *text, *servers;
		bool usable;
	} rows[] = {
		{ "", "", false },
		{ "search example.org\noptions edns0\n", "", false },
		{ "nameserver 10.0.0.2\n", "10.0.0.2\n", true },
		{ "nameserver 10.0.0.2", "10.0.0.2\n", true },
		{ "nameserver\t8.8.8.8 # a\r\nnameserver 8.8.4.4;b\n",
		    "8.8.8.8\n", true },
		{ "# nameserver 1.1.1.1\n;nameserver 1.1.1.1\n nameserver "
		  "1.1.1.1\n",
		    "", false },
		{ "nameserverx 1.1.1.1\nnameserver1.1.1.1\nnameserver\n", "",
		    false },
		{ "nameserver dns.example\nnameserver 1.1\n", "", false },
		{ "nameserver 127.0.0.53\n", "127.0.0.53\n", false },
		{ "nameserver ::1\nnameserver 0.0.0.0\n", "::1\n0.0.0.0\n",
		    false },
		{ "nameserver 127.0.0.1\nnameserver FE80::1%eth0\n",
		    "127.0.0.1\nfe80::1\n", true },
		/* libc ignores the fourth. */
		{ "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver "
		  "127.0.0.3\nnameserver 9.9.9.9\n",
		    "127.0.0.1\n127.0.0.2\n127.0.0.3\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		resolver_parse(rows[i].text, strlen(rows[i].text), &out);
		CHECK_STR(out.buf, rows[i].servers);
		CHECK(out.len <= RESOLVER_MAX);
		check_true(__FILE__, __LINE__, rows[i].text,
		    resolver_usable(out.buf) == rows[i].usable);
	}
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CHECK(f != NULL && fputs(text, f) != EOF);
	CHECK(f != NULL && fclose(f) == 0);
}

static void
test_file(void)
{
	cleanup_free char *conf = xasprintf("%s/resolv.conf", check_tmpdir());
	cleanup_free char *file =
	    xasprintf("%s/" RESOLVER_FILE, check_tmpdir());
	char text[RESOLVER_MAX] = "";
	FILE *f;

	write_file(conf, "nameserver 192.0.2.1\n");
	CHECK(resolver_write(conf, check_tmpdir()));
	f = fopen(file, "re");
	CHECK(f != NULL && fgets(text, sizeof(text), f) != NULL);
	CHECK(f != NULL && fclose(f) == 0);
	CHECK_STR(text, "192.0.2.1\n");
	/* No file is like an empty one. */
	CHECK_INT(remove(conf), 0);
	CHECK(!resolver_write(conf, check_tmpdir()));
	f = fopen(file, "re");
	CHECK(f != NULL && fgets(text, sizeof(text), f) == NULL);
	CHECK(f != NULL && fclose(f) == 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the name servers of a resolv.conf", test_rows },
		{ "the file for the host", test_file },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
