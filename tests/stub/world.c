/* SPDX-License-Identifier: MIT */
/* world: the calls, what is recorded of them, and the faults of the script. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/xalloc.h"

#define BROKEN 99
#define FILE_MAX ((size_t)16 << 20)

extern char **environ;

void
world_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("world: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(BROKEN);
}

char *
world_read(const char *path, bool optional)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char buf[8192];
	size_t n;

	if (f == NULL && optional)
		return NULL;
	if (f == NULL)
		world_die("open %s: %s", path, strerror(errno));
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0 && text.len < FILE_MAX)
		strbuf_add(&text, buf, n);
	return strbuf_detach(&text, NULL);
}

/* Old or new: readers are other processes. */
void
world_write(const char *path, const char *text, size_t len)
{
	cleanup_free char *temp = xasprintf("%s.%ld", path, (long)getpid());
	FILE *f = fopen(temp, "we");

	if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0 ||
	    rename(temp, path) != 0)
		world_die("write %s: %s", path, strerror(errno));
}

struct json *
world_parse(const char *text, const char *what)
{
	struct diag dg = DIAG_INIT;
	struct json *root = NULL;

	if (json_parse(text, strlen(text), what, &root, &dg) != 0)
		world_die("%s", dg.message);
	return root;
}

void
world_complain(struct world *w, const char *fmt, ...)
{
	cleanup_free char *path = xasprintf("%s/complaints", w->dir);
	cleanup_fclose FILE *f = fopen(path, "ae");
	va_list ap;

	if (f == NULL)
		world_die("open %s", path);
	(void)fprintf(f, "%s.%d: ", w->key, w->n);
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	(void)fputc('\n', f);
}

bool
world_has_fault(const struct world *w, const char *name)
{
	return strcmp(w->fault, name) == 0;
}

const char *
world_option(const struct world *w, const char *prefix)
{
	for (char *const *a = w->argv; *a != NULL; a++)
		if (strncmp(*a, prefix, strlen(prefix)) == 0)
			return *a + strlen(prefix);
	return NULL;
}

static bool
is_group(const char *word)
{
	static const char *const groups[] = { "image", "container", "system",
		"buildx" };

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(word, groups[i]) == 0)
			return true;
	return false;
}

/* As tests/stub/docker makes it: the words that are no options. */
static char *
make_key(const struct world *w)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	bool compose = strcmp(w->name, "docker-compose") == 0;

	strbuf_addstr(&key, compose ? "compose-" : "");
	for (char *const *a = w->argv; *a != NULL; a++) {
		if (**a == '-')
			continue;
		if (!compose && strcmp(*a, "compose") == 0) {
			strbuf_addstr(&key, "compose-");
			compose = true;
			continue;
		}
		strbuf_addstr(&key, *a);
		if (compose || !is_group(*a))
			break;
		strbuf_addch(&key, '-');
	}
	return strbuf_detach(&key, NULL);
}

static void
record_environment(const char *path)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *env = xasprintf("%s.env", path);

	for (char **e = environ; *e != NULL; e++)
		strbuf_addf(&text, "%s\n", *e);
	world_write(env, text.buf, text.len);
}

/*
 * argv, or a request's method and target, as calls/KEY.N; a program's
 * environment as calls/KEY.N.env; and the order.
 */
static void
record(struct world *w)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL;
	cleanup_free char *log = xasprintf("%s/log", w->dir);
	cleanup_fclose FILE *f = NULL;

	for (w->n = 1;; w->n++) {
		cleanup_free char *claim =
		    xasprintf("%s/calls/.%s.%d", w->dir, w->key, w->n);

		/* mkdir decides between two calls at once. */
		if (mkdir(claim, 0700) == 0)
			break;
		if (errno != EEXIST)
			world_die("make %s: %s", claim, strerror(errno));
	}
	path = xasprintf("%s/calls/%s.%d", w->dir, w->key, w->n);
	if (*w->name != '\0')
		strbuf_add(&text, w->name, strlen(w->name) + 1);
	for (char *const *a = w->argv; *a != NULL; a++)
		strbuf_add(&text, *a, strlen(*a) + 1);
	world_write(path, text.buf, text.len);
	if (*w->name != '\0')
		record_environment(path);
	f = fopen(log, "ae");
	if (f != NULL)
		(void)fprintf(f, "%s.%d\n", w->key, w->n);
}

/* world.d/script: "KEY N FAULT [VALUE]" a line; N 0 is every call. */
static void
read_script(struct world *w)
{
	cleanup_free char *path = xasprintf("%s/script", w->dir);
	cleanup_free char *text = world_read(path, true);
	char *rest = text;

	w->value = xstrdup("");
	if (text == NULL)
		return;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char key[64];
		char fault[32];
		int n;
		int end = 0;

		if (sscanf(line, "%63s %d %31s%n", key, &n, fault, &end) != 3 ||
		    strcmp(key, w->key) != 0 || (n != 0 && n != w->n))
			continue;
		(void)snprintf(w->fault, sizeof(w->fault), "%s", fault);
		free(w->value);
		w->value = xstrdup(line + end + strspn(line + end, " "));
	}
}

static void
pause_for(const char *seconds)
{
	double s = strtod(seconds, NULL);
	struct timespec ts = { (time_t)s,
		(long)((s - (double)(time_t)s) * 1e9) };

	(void)nanosleep(&ts, NULL);
}

/* Until the test has seen enough, or has ended. */
static void
wait_for_file(const char *path)
{
	for (int i = 0; access(path, F_OK) != 0; i++) {
		if (i == 6000)
			world_die("no %s", path);
		pause_for("0.01");
	}
}

static void
wait_before(const struct world *w)
{
	if (world_has_fault(w, "delay"))
		pause_for(w->value);
	if (world_has_fault(w, "until"))
		wait_for_file(w->value);
}

/* Faults of a program that come before anything is done. */
static void
fail_before(struct world *w)
{
	wait_before(w);
	if (world_has_fault(w, "hang"))
		pause_for("600");
	if (world_has_fault(w, "spew"))
		for (;;)
			(void)puts("more than anybody reads");
	if (world_has_fault(w, "die"))
		(void)kill(getpid(), SIGKILL);
	if (world_has_fault(w, "status")) {
		char *words;
		long status = strtol(w->value, &words, 10);

		(void)fprintf(stderr, "%s\n", words + strspn(words, " "));
		exit((int)status);
	}
}

static void
emit(struct world *w)
{
	size_t len = w->out.len;

	/* What was done stays done, but its answer is another. */
	if (world_has_fault(w, "cut")) {
		size_t at = (size_t)strtoul(w->value, NULL, 10);

		(void)fwrite(w->out.buf, 1, at < len ? at : len, stdout);
		(void)fflush(stdout);
		(void)kill(getpid(), SIGKILL);
	}
	if (world_has_fault(w, "wrong")) {
		(void)printf("[{\"ID\": nan,\n");
		exit(0);
	}
	if (world_has_fault(w, "fail-after")) {
		(void)fprintf(stderr, "Error response from daemon: made up\n");
		exit(1);
	}
	(void)fwrite(w->err.buf, 1, w->err.len, stderr);
	(void)fwrite(w->out.buf, 1, len, stdout);
	(void)fflush(stdout);
	exit(w->status);
}

static _Noreturn void
act(struct world *w)
{
	cleanup_free char *busy = xasprintf("%s/busy", w->dir);
	int fd = open(busy, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	/* Tests wait by it for calls that outlive drydock. */
	if (fd == -1 || flock(fd, LOCK_SH) == -1)
		world_die("lock %s: %s", busy, strerror(errno));
	w->key = make_key(w);
	record(w);
	read_script(w);
	fail_before(w);
	if (strcmp(w->key, "compose-config") == 0 &&
	    world_option(w, "--hash=") != NULL)
		world_hashes(w);
	else if (strcmp(w->key, "compose-config") == 0)
		world_config(w);
	else if (strcmp(w->key, "compose-up") == 0)
		world_up(w);
	else if (!world_command(w) && !world_build(w))
		world_die("%s: no such call", w->key);
	emit(w);
	abort();
}

void
world_call(struct world *w)
{
	char *const words[] = { w->method, w->target, NULL };
	cleanup_free char *calls = xasprintf("%s/calls", w->dir);

	if (mkdir(calls, 0755) != 0 && errno != EEXIST)
		world_die("make %s: %s", calls, strerror(errno));
	w->argv = words;
	record(w);
	if (w->scripted)
		world_read_fault(w);
	else
		read_script(w);
	wait_before(w);
	world_lie(w);
	if (w->scripted)
		world_recite(w);
	else if (!world_answer(w))
		world_message(w, 404, "page not found");
	w->argv = NULL;
}

static void
put(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);

	world_write(path, text, strlen(text));
}

/* A guardrail file and its manifest, as the holder demands them. */
static void
make_guard(const char *dir)
{
	static const char policy[] = "{\"permissions\":{}}\n";
	cleanup_free char *top = xasprintf("%s/policy", dir);
	cleanup_free char *sub = xasprintf("%s/policy/d", dir);
	cleanup_free char *file = xasprintf("%s/policy/d/one.json", dir);
	cleanup_free char *manifest = xasprintf("%s/manifest", dir);
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	char digest[DIGEST_HEX_SIZE];

	if (mkdir(dir, 0755) != 0)
		return;
	digest_bytes(policy, sizeof(policy) - 1, digest);
	strbuf_addf(&line, "%s  d/one.json\n", digest);
	if (mkdir(top, 0755) != 0 || mkdir(sub, 0755) != 0)
		world_die("make %s", sub);
	world_write(file, policy, sizeof(policy) - 1);
	world_write(manifest, line.buf, line.len);
	if (chmod(file, 0444) != 0 || chmod(manifest, 0444) != 0 ||
	    chmod(sub, 0555) != 0 || chmod(top, 0555) != 0)
		world_die("chmod %s", top);
}

static int
make_world(
    const char *dir, const char *holder, const char *guard, const char *compose)
{
	static const char *const programs[] = { "docker", "docker-compose" };
	static const char *const dirs[] = { "", "/calls", "/containers",
		"/images", "/root" };
	cleanup_free char *self = realpath("/proc/self/exe", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		cleanup_free char *path = xasprintf("%s/%s", dir, programs[i]);

		if (symlink(self, path) != 0)
			world_die("link %s: %s", path, strerror(errno));
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *path =
		    xasprintf("%s/world.d%s", dir, dirs[i]);

		if (mkdir(path, 0755) != 0)
			world_die("make %s: %s", path, strerror(errno));
	}
	cleanup_free char *d = xasprintf("%s/world.d", dir);
	put(d, "id", "WRLD:0001");
	put(d, "version", "26.1.5");
	put(d, "busy", "");
	put(d, "holder", holder);
	put(d, "guard", guard);
	put(d, "compose-real", compose);
	make_guard(guard);
	return 0;
}

/* What there is in dir: a world, or what a test wrote down. */
static int
serve(struct world *w, const char *dir, const char *socket_path, bool until_eof)
{
	cleanup_free char *script = xasprintf("%s/stub.d", dir);

	w->name = "";
	w->top = xstrdup(dir);
	w->scripted = access(script, F_OK) == 0;
	w->dir =
	    w->scripted ? steal_ptr(&script) : xasprintf("%s/world.d", dir);
	world_serve(w, socket_path, until_eof);
	return 0;
}

int
main(int argc, char **argv)
{
	struct world w = { .argv = argv + 1, .value = NULL };
	char *slash = strrchr(argv[0], '/');

	(void)umask(022);
	w.name = slash == NULL ? argv[0] : slash + 1;
	strbuf_init(&w.out);
	strbuf_init(&w.err);
	if (strcmp(w.name, "docker") == 0 ||
	    strcmp(w.name, "docker-compose") == 0) {
		if (argv[0][0] != '/')
			world_die("not called by an absolute path");
		w.top = xstrndup(argv[0], (size_t)(slash - argv[0]));
		w.dir = xasprintf("%s/world.d", w.top);
		act(&w);
	}
	if (argc == 6 && strcmp(argv[1], "init") == 0)
		return make_world(argv[2], argv[3], argv[4], argv[5]);
	if (argc >= 4 && strcmp(argv[1], "serve") == 0)
		return serve(&w, argv[2], argv[3],
		    argc == 5 && strcmp(argv[4], "until-eof") == 0);
	world_die("usage: world init DIR HOLDER GUARD COMPOSE | "
		  "serve DIR SOCKET [until-eof]");
}
