/* SPDX-License-Identifier: MIT */
/* outcome: what is kept of a session's end, from hostile files and back. */
#include "session/outcome.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "guest/limits.h"
#include "host/paths.h"
#include "host/settings.h"
#include "session/record.h"
#include "session/signatures.h"
#include "session/status.h"
#include "terminal/screentext.h"

#include "check.h"
#include "data-kit.h"

static void
write_file(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	if (CHECK(f != NULL)) {
		(void)fputs(text, f);
		(void)fclose(f);
	}
}

static void
test_screen(void)
{
	static const struct {
		const char *what, *raw;
		unsigned rows, columns;
		const char *want;
	} rows[] = {
		{ "lines", "one\r\ntwo  \r\n", 0, 0, "one|two" },
		{ "empty lines inside stay", "\n\na\r\n\r\nb\r\n\n", 0, 0,
		    "a||b" },
		{ "colors and titles are no text",
		    "\033]0;title\007\033[1;31mred\033[0m", 0, 0, "red" },
		{ "what is drawn again is shown once",
		    "work 1\r\nmore\r\n\033[2A\033[Kwork 2\r\n\033[Kdone", 0, 0,
		    "work 2|done" },
		{ "a place on the screen", "\033[3;4Hx\033[1;1Hy", 5, 10,
		    "y||   x" },
		{ "places beyond it are its edge", "\033[99999;99999Hx", 2, 3,
		    "  x" },
		{ "long lines go on below", "abcdef", 3, 4, "abcd|ef" },
		{ "the oldest rows leave", "a\r\nb\r\nc\r\nd", 2, 4, "c|d" },
		{ "cleared", "old\033[2J\033[Hnew", 0, 0, "new" },
		{ "characters and bytes that are none",
		    "\xc3\xa9\xe2\x82\xac \xff.", 0, 0,
		    "\xc3\xa9\xe2\x82\xac ?." },
		{ "cells go and come", "abcd\r\033[2P\033[1@x", 1, 8, "xcd" },
		{ "rows go and come",
		    "a\r\nb\r\nc\033[2;1H\033[M\033[1;1H\033[L", 4, 4, "a|c" },
		{ "a tab, a step back, a line up", "\tx\b\by\033Mz", 3, 20,
		    "        z|       yx" },
		{ "nothing", "\033[?25l\033[2J", 0, 0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strvec struct strvec lines = STRVEC_INIT;
		cleanup_strbuf struct strbuf got = STRBUF_INIT;

		screentext_render(rows[i].raw, strlen(rows[i].raw),
		    rows[i].rows, rows[i].columns, &lines);
		for (size_t n = 0; n < lines.nr; n++)
			strbuf_addf(&got, "%s%s", n > 0 ? "|" : "", lines.v[n]);
		check_str(
		    __FILE__, __LINE__, rows[i].what, got.buf, rows[i].want);
	}
}

static void
test_refused(void)
{
	static const char log[] =
	    "# earlier lines that were dropped: 3\n"
	    "1700000000 403 CONNECT ready.drydock.invalid:443\n"
	    "1700000000 200 CONNECT open.example:443\n"
	    "1700000000 403 CONNECT A.Example:443\n"
	    "1700000001 403 CONNECT a.example.:443\n"
	    "1700000001 403 CONNECT b.example:8443 NONE_NONE_DENIED "
	    "ERR_DRYDOCK_REFUSED\n"
	    "1700000001 403 CONNECT 10.0.0.1:443\n"
	    "1700000001 403 CONNECT x;rm${IFS}-rf:443\n"
	    "1700000001 403 GET http://c.example/key?secret\n"
	    /* An allowed server said so. */
	    "1700000001 403 GET http://d.example/ TCP_MISS -\n"
	    "1700000001 403 CONNECT\n"
	    "403\n"
	    "1700000001 403 CONNECT cut";
	cleanup_refused struct refused r = REFUSED_INIT;
	cleanup_refused struct refused many = REFUSED_INIT;
	cleanup_strbuf struct strbuf yes = STRBUF_INIT;
	cleanup_strbuf struct strbuf no = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	refused_parse(&r, log, sizeof(log) - 1);
	refused_describe(&r, true, &yes);
	refused_describe(&r, false, &no);
	CHECK_STR(yes.buf,
	    "a.example (2 times), b.example:8443, 10.0.0.1, "
	    "http://c.example, cut");
	CHECK_STR(no.buf, "x;rm${IFS}-rf:443");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "1 403 CONNECT h%d.example:443\n", i);
	refused_parse(&many, text.buf, text.len);
	CHECK_INT(many.nr, REFUSED_MAX);
	CHECK_INT(many.more, 1000 - REFUSED_MAX);
}

/* The arguments of refused_tell(), or of refused_tell_new() if r is NULL. */
struct notes {
	const struct refused *r;
	int session_fd;
	const struct paths *paths;
	const char *project;
};

static void
tell(void *arg)
{
	const struct notes *notes = arg;

	if (notes->r != NULL)
		refused_tell(notes->r, notes->paths, notes->project, "shell");
	else
		refused_tell_new(
		    notes->session_fd, notes->paths, notes->project, "shell");
}

/* Returned: the notes. */
static char *
told(const struct refused *r, int session_fd, const struct paths *paths)
{
	struct notes notes = { r, session_fd, paths, "/nowhere" };

	return check_stderr(tell, &notes);
}

/* The host of a toolchain that is on was allowed: advice to add it is wrong. */
static void
test_refused_of_toolchain(void)
{
	cleanup_refused struct refused r = REFUSED_INIT;
	cleanup_paths struct paths paths;
	cleanup_free char *off = NULL;
	cleanup_free char *on = NULL;
	cleanup_free char *conf = NULL;

	data_kit_paths(&paths);
	refused_add(&r, "static.crates.io", true, 1);
	off = told(&r, -1, &paths);
	CHECK(strstr(off, "drydock allow static.crates.io") != NULL);
	write_file(paths.config_dir, "drydock.conf", "toolchains = rust\n");
	/* Under a umask of 002 others of the group could write it. */
	conf = xasprintf("%s/drydock.conf", paths.config_dir);
	CHECK_INT(chmod(conf, 0600), 0);
	on = told(&r, -1, &paths);
	CHECK(strstr(on, "although it is on the allowlist") != NULL);
	CHECK(strstr(on, "drydock allow static") == NULL);
}

/* An attach tells of each host once, and the end of the session of the rest. */
static void
test_refused_once(void)
{
	cleanup_free char *dir = xasprintf("%s/session", check_tmpdir());
	cleanup_free char *sidecar = xasprintf("%s/sidecar", dir);
	cleanup_free char *log = xasprintf("%s/log", sidecar);
	cleanup_refused struct refused r = REFUSED_INIT;
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	static const char *const lines[] = { "1 403 CONNECT a.example:443\n",
		"1 403 CONNECT a.example:443\n2 403 CONNECT a.example:443\n",
		"1 403 CONNECT a.example:443\n2 403 CONNECT [2001::1]:443\n",
		("1 403 CONNECT a.example:443\n2 403 CONNECT [2001::1]:443\n"
		 "3 403 CONNECT c.example:443\n") };
	static const char *const want[] = { "drydock allow a.example\n", "",
		"drydock allow '[2001::1]'\n" };

	data_kit_paths(&paths);
	CHECK(mkdir(dir, 0700) == 0 && mkdir(sidecar, 0700) == 0 &&
	    mkdir(log, 0700) == 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		cleanup_free char *got = NULL;
		const char *command;

		write_file(log, "requests.log", lines[i]);
		got = told(NULL, fd, &paths);
		command = strstr(got, "drydock allow");
		CHECK_STR(command != NULL ? command : got, want[i]);
	}
	write_file(log, "requests.log", lines[ARRAY_SIZE(want)]);
	CHECK_INT(refused_read(&r, fd, &dg), 0);
	CHECK_INT(r.nr, 3);
	cleanup_free char *end = told(&r, -1, &paths);
	CHECK(strstr(end, "drydock allow c.example\n") != NULL);
	CHECK(strstr(end, "a.example") == NULL);
}

static void
test_limits(void)
{
	static const struct {
		const char *text;
		int status;
		const char *want;
	} rows[] = {
		{ "", 1, "" },
		{ "memory 2 8589934592\n", 137,
		    "killed: out of memory (limit 8g, setting memory)" },
		{ "memory 1 100663296\n", 0,
		    "a process was killed: out of memory (limit 96m, setting "
		    "memory)" },
		{ "memory 1 0\n", 137,
		    "killed: out of memory (setting memory)" },
		{ "pids 7 2048\ntmp 1 1024\n", 1,
		    "a process could not be started: too many processes and "
		    "threads (limit 2048, setting pids); /tmp is full (limit "
		    "1k, setting tmp_size)" },
		{ "tmp 1 1024\n", 0, "" },
		{ "memory 1\nmemory x 1\npids -1 1\nmemory 1 1", 137, "" },
		{ "memory 11111111111111111111 1\npids 1 \033[31m\n", 137, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf got = STRBUF_INIT;
		struct limitsmet met;

		limitsmet_parse(&met, rows[i].text, strlen(rows[i].text));
		limitsmet_describe(&met, rows[i].status, &got);
		check_str(
		    __FILE__, __LINE__, rows[i].text, got.buf, rows[i].want);
	}
}

/* Both kinds of control groups, as files of the test's. */
static void
test_counters(void)
{
	const char *dir = check_tmpdir();
	cleanup_free char *memory = xasprintf("%s/memory", dir);
	cleanup_free char *pids = xasprintf("%s/pids", dir);
	char out[WIRE_LIMITS_MAX];

	CHECK_INT(limits_describe(dir, "/nowhere", true, out), 0);
	CHECK_INT(mkdir(memory, 0700), 0);
	CHECK_INT(mkdir(pids, 0700), 0);
	write_file(memory, "memory.limit_in_bytes", "1048576\n");
	write_file(memory, "memory.failcnt", "9\n");
	write_file(pids, "pids.events", "max 3\n");
	write_file(pids, "pids.max", "64\n");
	/* Without a count of kills a failed allocation is one, or is none. */
	(void)limits_describe(dir, "/nowhere", true, out);
	CHECK_STR(out, "memory 9 1048576\npids 3 64\n");
	(void)limits_describe(dir, "/nowhere", false, out);
	CHECK_STR(out, "pids 3 64\n");
	write_file(memory, "memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
	(void)limits_describe(dir, "/nowhere", false, out);
	CHECK_STR(out, "memory 2 1048576\npids 3 64\n");
	write_file(dir, "memory.events",
	    "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n");
	write_file(dir, "memory.max", "2097152\n");
	write_file(dir, "pids.events", "max 0\n");
	(void)limits_describe(dir, "/nowhere", false, out);
	CHECK_STR(out, "memory 1 2097152\n");
	write_file(dir, "memory.max", "max\n");
	(void)limits_describe(dir, "/nowhere", false, out);
	CHECK_STR(out, "memory 1 0\n");
}

static void
make_outcome(struct outcome *o, const char *id, const char *project, int at,
    bool ends_with_client)
{
	*o = (struct outcome)OUTCOME_INIT;
	o->id = xstrdup(id);
	o->project = xstrdup(project);
	o->agent = xstrdup("claude");
	o->mode = xstrdup("contained");
	o->kind = xstrdup("run");
	o->created_at = xstrdup("2026-01-02T03:04:05Z");
	o->ended_at = xasprintf("2026-01-02T04:%02d:%02dZ", at / 60, at % 60);
	o->ends_with_client = ends_with_client;
	o->status = 3;
}

/* Makes the directory of a session with a log that cannot be read. */
static int
open_unreadable(void)
{
	cleanup_free char *dir = xasprintf("%s/unread", check_tmpdir());
	cleanup_free char *sidecar = xasprintf("%s/sidecar", dir);
	cleanup_free char *log = xasprintf("%s/log", sidecar);
	cleanup_free char *file = xasprintf("%s/requests.log", log);

	CHECK(mkdir(dir, 0700) == 0 && mkdir(sidecar, 0700) == 0 &&
	    mkdir(log, 0700) == 0 && mkdir(file, 0700) == 0);
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A log that cannot be read is not a log without refusals. */
static void
test_refused_unknown(void)
{
	cleanup_outcome struct outcome o = OUTCOME_INIT;
	cleanup_outcome struct outcome again = OUTCOME_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *notes = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag none = DIAG_INIT;
	cleanup_close int fd = open_unreadable();
	cleanup_paths struct paths paths;
	struct jsonw *w = jsonw_new(true);

	data_kit_paths(&paths);
	notes = told(NULL, fd, &paths);
	CHECK(strstr(notes, "that the proxy refused are unknown: ") != NULL);
	make_outcome(&o, "abcd1234", "/p", 7, true);
	CHECK_INT(refused_read(&o.refused, fd, &dg), -1);
	CHECK(strstr(dg.message, "requests.log") != NULL);
	outcome_write(&o, w);
	CHECK_INT(jsonw_finish(w, &text, &none), 0);
	CHECK(strstr(text.buf, "\"refused\": null") != NULL);
	CHECK_INT(outcome_parse(text.buf, text.len, &again, &none), 0);
	CHECK(again.refused.unknown);
	/* Without a log there is nothing that was refused. */
	cleanup_close int empty = open(paths.config_dir, O_RDONLY | O_CLOEXEC);
	CHECK_INT(refused_read(&again.refused, empty, &none), 0);
}

/* Advice needs the list: it may have the host, or be impossible to change. */
static void
test_refused_without_list(void)
{
	static const char text[] = "that.example\n*.com\n";
	cleanup_refused struct refused r = REFUSED_INIT;
	cleanup_free char *bad = NULL;
	cleanup_free char *policy = NULL;
	cleanup_paths struct paths paths;
	struct notes notes = { &r, -1, &paths, "/" };

	data_kit_paths(&paths);
	refused_add(&r, "this.example", true, 1);
	/* No session has "/" as its project: its own list is unknown. */
	policy = check_stderr(tell, &notes);
	CHECK(strstr(policy, "refused this.example; whether") != NULL);
	CHECK(strstr(policy, "/ is not a project") != NULL);
	write_file(paths.config_dir, "allowlist", text);
	bad = told(&r, -1, &paths);
	CHECK(strstr(bad, "refused this.example; whether") != NULL);
	CHECK(strstr(bad, "allowlist:2: ") != NULL);
	CHECK(strstr(bad, "drydock allow") == NULL);
}

#define KEY "SHA256:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"
#define OTHER "SHA256:bbcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"
#define SIGNED(time, key, what, detail)                              \
	"{\"time\":\"" time "\",\"event\":\"signed\",\"key\":\"" key \
	"\",\"for\":\"" what "\",\"detail\":\"" detail "\"}\n"

/*
 * A session chooses the details, and could hide its signatures among them: the
 * record of the end counts by key and purpose.
 */
static void
test_signatures(void)
{
	static const char log[] = SIGNED("t1", KEY, "login", "git")
	    SIGNED("t2", KEY, "login", "git") SIGNED("t3", KEY, "login", "root")
		SIGNED("t4", OTHER, "file", "git")
		    SIGNED("t5", "no key", "file",
			"git") "{\"time\":\"t6\",\"event\":\"refused\",\"key\":"
			       "\"" OTHER "\"}\nnonsense\n"
			       "{\"time\":\"t7\",\"event\":\"signed\",\"ke";
	cleanup_signatures struct signatures all = SIGNATURES_INIT;
	cleanup_signatures struct signatures few = SIGNATURES_INIT;
	cleanup_signatures struct signatures kept = SIGNATURES_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(signatures_read(&kept, dir, &dg), 0);
	CHECK_INT(kept.nr, 0);
	CHECK_INT(mkdirat(dir, "ssh-agent.log", 0700), 0);
	CHECK_INT(signatures_read(&kept, dir, &dg), -1);
	CHECK_INT(kept.nr, 0);
	CHECK_INT(unlinkat(dir, "ssh-agent.log", AT_REMOVEDIR), 0);
	signatures_parse(&all, 10, log);
	if (CHECK_INT(all.nr, 4)) {
		CHECK_INT(all.v[0].count, 2);
		CHECK_STR(all.v[0].first, "t1");
		CHECK_STR(all.v[0].last, "t2");
		CHECK(all.v[3].refused);
		signature_describe(&all.v[0], &text);
		strbuf_addch(&text, '\n');
		signature_describe(&all.v[3], &text);
		CHECK_STR(text.buf, KEY " (login git)\n" OTHER);
	}
	signatures_parse(&few, 1, log);
	CHECK_INT(few.nr, 1);
	CHECK_INT(few.more, 3);
	write_file(check_tmpdir(), "ssh-agent.log", log);
	diag_clear(&dg);
	CHECK_INT(signatures_read(&kept, dir, &dg), 0);
	if (CHECK_INT(kept.nr, 2)) {
		CHECK_INT(kept.v[0].count, 3);
		CHECK_STR(kept.v[0].last, "t3");
		CHECK_STR(kept.v[1].key, OTHER);
	}
	CHECK_INT(kept.more, 0);
}

static void
test_round_trip(void)
{
	cleanup_outcome struct outcome o = OUTCOME_INIT;
	cleanup_outcome struct outcome again = OUTCOME_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf said = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct jsonw *w = jsonw_new(true);
	struct signature one;

	make_outcome(&o, "abcd1234", "/p", 7, true);
	o.stopped = true;
	o.met.count[LIMIT_MEMORY] = 2;
	o.met.limit[LIMIT_MEMORY] = 1024;
	refused_add(&o.refused, "a.example", true, 2);
	refused_add(&o.refused, "\xff\033", false, 1);
	o.refused.more = 4;
	one = (struct signature){ xstrdup("SHA256:k"), xstrdup("login"),
		xstrdup(""), xstrdup("t1"), xstrdup("t2"), false, 7 };
	signatures_add(&o.signatures, 1, &one);
	o.signatures.more = 5;
	strvec_push(&o.screen, "\xc3\xa9 \\");
	outcome_write(&o, w);
	CHECK_INT(jsonw_finish(w, &text, &dg), 0);
	CHECK_INT(outcome_parse(text.buf, text.len, &again, &dg), 0);
	CHECK_STR(again.id, o.id);
	CHECK_STR(again.ended_at, o.ended_at);
	CHECK_INT(again.status, 3);
	CHECK(again.ends_with_client && again.stopped);
	CHECK_INT(again.met.count[LIMIT_MEMORY], 2);
	CHECK_INT(again.met.limit[LIMIT_MEMORY], 1024);
	CHECK_INT(again.refused.nr, 2);
	CHECK_INT(again.refused.v[0].count, 2);
	CHECK(again.refused.v[0].allowable);
	CHECK_STR(again.refused.v[1].name, "\\377\\033");
	CHECK_INT(again.refused.more, 4);
	if (CHECK_INT(again.signatures.nr, 1)) {
		CHECK_STR(again.signatures.v[0].key, "SHA256:k");
		CHECK_STR(again.signatures.v[0].purpose, "login");
		CHECK_STR(again.signatures.v[0].last, "t2");
		CHECK_INT(again.signatures.v[0].count, 7);
	}
	CHECK_INT(again.signatures.more, 5);
	CHECK_INT(again.screen.nr, 1);
	CHECK_STR(again.screen.v[0], "\xc3\xa9 \\");
	outcome_describe(&again, &said);
	CHECK_STR(said.buf,
	    "session abcd1234 was stopped by drydock stop with status 3 at "
	    "2026-01-02T04:00:07Z");
}

static void
test_damaged(void)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[1]",
		"{\"version\": 2}",
		"{\"version\": 1, \"id\": \"abcd1234\"}",
		"{\"version\": 1, \"id\": \"../../x\", \"project\": \"\", "
		"\"agent\": \"\", \"mode\": \"\", \"kind\": \"\", "
		"\"created_at\": \"\", \"ended_at\": \"\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_outcome struct outcome o = OUTCOME_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(
		    outcome_parse(texts[i], strlen(texts[i]), &o, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
	}
}

static void
open_state(struct paths *paths)
{
	paths_init(paths);
	paths->state_dir = xstrdup(check_tmpdir());
	paths->state_fd =
	    open(paths->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(mkdirat(paths->state_fd, "s", 0700), 0);
}

static void
keep(const struct paths *paths, int n, const char *project, bool client)
{
	cleanup_outcome struct outcome o = OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd =
	    openat(paths->state_fd, "s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char id[16];

	(void)snprintf(id, sizeof(id), "abcd%04d", n);
	make_outcome(&o, id, project, n, client);
	CHECK_INT(outcome_keep(paths, &o, fd, &dg), 0);
}

static size_t
count(const struct outcomes *all, const char *project, bool client)
{
	size_t n = 0;

	for (size_t i = 0; i < all->nr; i++)
		n += strcmp(all->v[i].project, project) == 0 &&
		    all->v[i].ends_with_client == client;
	return n;
}

/* The latest of each project stay; what a client saw end goes first. */
static void
test_bounds(void)
{
	cleanup_paths struct paths paths;
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	open_state(&paths);
	for (int i = 0; i < 25; i++)
		keep(&paths, i, "/a", true);
	for (int i = 25; i < 30; i++)
		keep(&paths, i, "/a", false);
	keep(&paths, 30, "/b", true);
	CHECK_INT(outcomes_read(&paths, &all, &dg), 0);
	CHECK_INT(count(&all, "/a", true), 15);
	CHECK_INT(count(&all, "/a", false), 5);
	CHECK_INT(count(&all, "/b", true), 1);
	CHECK_STR(all.v[0].id, "abcd0030");
	CHECK(outcomes_find(&all, "abcd0029") != NULL);
	CHECK(outcomes_find(&all, "abcd0009") == NULL);
	CHECK(outcomes_find(&all, "abcd") == NULL);
	CHECK(outcomes_find(&all, "") == NULL);
	for (int i = 31; i < 60; i++)
		keep(&paths, i, "/a", false);
	outcomes_release(&all);
	CHECK_INT(outcomes_read(&paths, &all, &dg), 0);
	CHECK_INT(count(&all, "/a", true), 0);
	CHECK_INT(count(&all, "/a", false), OUTCOME_PER_PROJECT);
	CHECK_INT(count(&all, "/b", true), 1);
}

static void
test_days(void)
{
	cleanup_paths struct paths paths;
	cleanup_settings struct settings settings;
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct timespec old[2] = { { time(NULL) - 8 * 86400, 0 },
		{ time(NULL) - 8 * 86400, 0 } };
	struct stat st;

	settings_init(&settings);
	open_state(&paths);
	CHECK_INT(outcomes_prune(&paths, &settings), 0);
	keep(&paths, 1, "/a", true);
	keep(&paths, 2, "/a", true);
	write_file(check_tmpdir(), "ended/notes", "not ours\n");
	CHECK_INT(utimensat(paths.state_fd, "ended/abcd0001.json", old, 0), 0);
	CHECK_INT(utimensat(paths.state_fd, "ended/notes", old, 0), 0);
	CHECK_INT(outcomes_prune(&paths, &settings), 0);
	CHECK_INT(outcomes_read(&paths, &all, &dg), 0);
	CHECK_INT(all.nr, 1);
	CHECK(outcomes_find(&all, "abcd0002") != NULL);
	settings.keep_ended_ms = 0;
	CHECK_INT(outcomes_prune(&paths, &settings), 0);
	CHECK(fstatat(paths.state_fd, "ended/abcd0002.json", &st, 0) != 0);
	CHECK_INT(fstatat(paths.state_fd, "ended/notes", &st, 0), 0);
}

/* run/ is the agent's: nothing there is followed, waited for, or believed. */
static void
test_hostile(void)
{
	cleanup_paths struct paths paths;
	cleanup_outcome struct outcome o = OUTCOME_INIT;
	cleanup_close int fd = -1;
	cleanup_record struct record record = RECORD_INIT;
	const struct container_list none = CONTAINER_LIST_INIT;
	const struct session_facts facts = { .record = &record,
		.containers = &none,
		.state_id = "x",
		.id = "abcd1234" };

	open_state(&paths);
	fd = openat(paths.state_fd, "s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	record.id = xstrdup("abcd1234");
	record.project = xstrdup("/p");
	record.agent = xstrdup("a");
	record.mode = xstrdup("contained");
	record.kind = xstrdup("run");
	record.created_at = xstrdup("2026-01-02T03:04:05Z");
	CHECK_INT(mkdirat(fd, "run", 0700), 0);
	write_file(check_tmpdir(), "secret", "24 80\nsecret\n");
	CHECK_INT(symlinkat("../../secret", fd, "run/screen"), 0);
	CHECK_INT(mkfifoat(fd, "run/limits", 0600), 0);
	CHECK_INT(symlinkat("/", fd, "sidecar"), 0);
	outcome_gather(&facts, fd, &o);
	CHECK_INT(o.screen.nr, 0);
	CHECK_INT(o.refused.nr, 0);
	CHECK_INT(o.status, -1);
	CHECK_INT(unlinkat(fd, "run/screen", 0), 0);
	write_file(check_tmpdir(), "s/run/screen",
	    "65535 65535\n\033]52;c;aGk=\007\033[999999999Cx");
	outcome_release(&o);
	outcome_gather(&facts, fd, &o);
	CHECK_INT(o.screen.nr, 1);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a terminal's output becomes the lines that it showed",
		    test_screen },
		{ "refused hosts are counted, and few are kept", test_refused },
		{ "a toolchain's hosts count as allowed",
		    test_refused_of_toolchain },
		{ "a refused host is told once", test_refused_once },
		{ "a log that cannot be read is said", test_refused_unknown },
		{ "a list that cannot be read is said",
		    test_refused_without_list },
		{ "limits that were met are told in words", test_limits },
		{ "the kernel's counters of both kinds are read",
		    test_counters },
		{ "what is written reads back the same", test_round_trip },
		{ "signatures are counted by key and purpose",
		    test_signatures },
		{ "a damaged record is refused", test_damaged },
		{ "each project keeps the latest", test_bounds },
		{ "what is older than the setting says goes", test_days },
		{ "what an agent plants in run/ is not followed",
		    test_hostile },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
