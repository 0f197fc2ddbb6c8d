/* SPDX-License-Identifier: MIT */
/* proxylist: a list is understood whole or not at all, and matches exactly. */
#include "guest/proxylist.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "check.h"

static const char lines[] = "# Comment\n"
			    "connect name a.example 443 public\n"
			    "connect name a.example 8443 private\n"
			    "connect below b.example 443 public\n"
			    "http name c.example 80 public\n"
			    "connect address 192.0.2.1 443 private\n"
			    "connect address [2001:db8::1] 443 public\n"
			    "connect name d.example 443 public\n"
			    "connect name d.example 443 private\n";

static void
requests_match_exactly(void)
{
	static const struct {
		const char *request;
		enum refusal_why why;
		bool private_ok;
	} rows[] = {
		{ "CONNECT a.example:443", REFUSAL_NONE, false },
		{ "CONNECT A.EXAMPLE.:443", REFUSAL_NONE, false },
		{ "CONNECT a.example:8443", REFUSAL_NONE, true },
		{ "CONNECT a.example:80", REFUSAL_PORT, false },
		{ "GET http://a.example:443/", REFUSAL_PORT, false },
		{ "CONNECT xa.example:443", REFUSAL_LIST, false },
		{ "CONNECT x.a.example:443", REFUSAL_LIST, false },
		{ "CONNECT a.example.x:443", REFUSAL_LIST, false },
		{ "CONNECT axexample:443", REFUSAL_LIST, false },
		{ "CONNECT example:443", REFUSAL_LIST, false },
		{ "CONNECT b.example:443", REFUSAL_LIST, false },
		{ "CONNECT x.b.example:443", REFUSAL_NONE, false },
		{ "CONNECT y.x.b.example:443", REFUSAL_NONE, false },
		{ "CONNECT xb.example:443", REFUSAL_LIST, false },
		{ "CONNECT .b.example:443", REFUSAL_LIST, false },
		{ "CONNECT x..b.example:443", REFUSAL_LIST, false },
		{ "CONNECT x.b.example:80", REFUSAL_PORT, false },
		{ "GET http://c.example/", REFUSAL_NONE, false },
		{ "GET http://c.example:443/", REFUSAL_PORT, false },
		{ "CONNECT c.example:80", REFUSAL_PORT, false },
		{ "CONNECT 192.0.2.1:443", REFUSAL_NONE, true },
		{ "CONNECT 192.0.2.10:443", REFUSAL_LIST, false },
		{ "CONNECT 3221225985:443", REFUSAL_LIST, false },
		{ "CONNECT [::ffff:192.0.2.1]:443", REFUSAL_LIST, false },
		{ "CONNECT [2001:DB8:0::1]:443", REFUSAL_NONE, false },
		{ "CONNECT [2001:db8::2]:443", REFUSAL_LIST, false },
		{ "CONNECT d.example:443", REFUSAL_NONE, true },
		{ "CONNECT " REFUSAL_PROBE, REFUSAL_LIST, false },
	};
	struct proxylist list = PROXYLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	CHECK_INT(proxylist_parse_hosts(&list, lines, strlen(lines), &dg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf head = STRBUF_INIT;
		struct proxyhead h;
		bool private_ok;
		strbuf_addf(&head, "%s HTTP/1.1\r\n\r\n", rows[i].request);
		CHECK_INT(proxyhead_parse(head.buf, head.len, &h), 0);
		if (proxylist_judge(&list, &h.target, &private_ok) !=
			rows[i].why ||
		    private_ok != rows[i].private_ok)
			CHECK_STR(rows[i].request, "judged otherwise");
	}
	proxylist_release(&list);
}

static void
an_empty_list_refuses(void)
{
	struct proxylist list = PROXYLIST_INIT;
	struct proxytarget target = {
		.host = "a.example", .is_name = true, .port = 443
	};
	bool private_ok;
	CHECK_INT(proxylist_judge(&list, &target, &private_ok), REFUSAL_LIST);
}

static void
odd_lines_are_errors(void)
{
	static const char *const odd[] = {
		"connect name a.example 443\n",
		"connect name a.example 443 public x\n",
		"connect name a.example 443 public \n",
		" connect name a.example 443 public\n",
		"connect  name a.example 443 public\n",
		"CONNECT name a.example 443 public\n",
		"connect name A.example 443 public\n",
		"connect name a.example. 443 public\n",
		"connect name *.a.example 443 public\n",
		"connect name .a.example 443 public\n",
		"connect below 192.0.2.1 443 public\n",
		"connect name 192.0.2.1 443 public\n",
		"connect address a.example 443 public\n",
		"connect address 2001:db8::1 443 public\n",
		"connect address [2001:DB8::1] 443 public\n",
		"connect name a.example 0 public\n",
		"connect name a.example 0443 public\n",
		"connect name a.example 65536 public\n",
		"connect name a.example 443 Private\n",
		"connect name a.example 443 public\r\n",
		"connect name a.example 443 public",
		"connect name a.example\t443 public\n",
		"connect name a.example:443 443 public\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct proxylist list = PROXYLIST_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		if (proxylist_parse_hosts(&list, odd[i], strlen(odd[i]), &dg) ==
		    0)
			CHECK_STR(NULL, odd[i]);
		CHECK_INT(dg.class, DIAG_DATA);
		proxylist_release(&list);
	}
	cleanup_diag struct diag dg = DIAG_INIT;
	struct proxylist list = PROXYLIST_INIT;
	CHECK_INT(proxylist_parse_hosts(&list, "#\0\n", 3, &dg), -1);
}

static void
write_file(int fd, const char *name, const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	CHECK_INT(fs_replace_file(fd, name, text, strlen(text), 0600, &dg), 0);
}

static void
a_failure_leaves_nothing(void)
{
	static const struct {
		const char *name, *good, *bad;
	} rows[] = {
		{ PROXYLIST_HOSTS, lines, "x\n" },
		{ PROXYLIST_ADDRESSES, "# x\n192.0.2.1\n2001:db8::1\n",
		    "192.0.2\n" },
		{ PROXYLIST_PARENT, "p.example 3128\n", "p.example\n" },
		{ PROXYLIST_PARENT, "192.0.2.1 3128\n",
		    "p.example 3128 dTpw\n" },
		{ PROXYLIST_PARENT, "[::2] 3128\n",
		    "a.example 1\nb.example 1\n" },
		{ PROXYLIST_PARENT, "a.example 1\n", "# nothing\n" },
	};
	cleanup_close int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct proxylist list = PROXYLIST_INIT;
	CHECK_INT(fs_open_dir(check_tmpdir(), &fd, &dg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		write_file(fd, rows[i].name, rows[i].good);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag failure = DIAG_INIT;
		write_file(fd, rows[i].name, rows[i].good);
		CHECK_INT(proxylist_read(fd, &list, &dg), 0);
		CHECK_INT(list.nr, 8);
		CHECK_INT(list.nown, 2);
		CHECK(list.parent.host != NULL);
		proxylist_release(&list);
		write_file(fd, rows[i].name, rows[i].bad);
		CHECK_INT(proxylist_read(fd, &list, &failure), -1);
		CHECK(list.v == NULL && list.own == NULL &&
		    list.parent.host == NULL);
		write_file(fd, rows[i].name, rows[i].good);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a request matches a whole line", requests_match_exactly },
		{ "an empty list refuses everything", an_empty_list_refuses },
		{ "a line of another form is an error", odd_lines_are_errors },
		{ "what cannot be read whole is not read at all",
		    a_failure_leaves_nothing },
	};
	return check_run(tests, ARRAY_SIZE(tests));
}
