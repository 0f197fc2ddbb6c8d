/* SPDX-License-Identifier: MIT */
/* The holder as a plain process, and a client made by hand. */
#include "holder-kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "check.h"

static bool
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd == -1)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	ok = fchmod(fd, mode) == 0 && ok;
	return close(fd) == 0 && ok;
}

bool
kit_make(struct kit *kit)
{
	static const char policy[] = "{\"permissions\":{}}\n";
	char dir[150];
	char path[300];
	char digest[DIGEST_HEX_SIZE];
	char line[200];
	kit->pid = -1;
	kit->err_fd = -1;
	kit->in_child = NULL;
	(void)snprintf(dir, sizeof(dir), "%s/XXXXXX", check_tmpdir());
	if (!CHECK(mkdtemp(dir) != NULL))
		return false;
	(void)snprintf(kit->run, sizeof(kit->run), "%s/run", dir);
	(void)snprintf(kit->policy, sizeof(kit->policy), "%s/policy", dir);
	(void)snprintf(
	    kit->manifest, sizeof(kit->manifest), "%s/manifest", dir);
	digest_bytes(policy, sizeof(policy) - 1, digest);
	(void)snprintf(line, sizeof(line), "%s  settings.d/one.json\n", digest);
	(void)snprintf(path, sizeof(path), "%s/settings.d", kit->policy);
	bool ok = mkdir(kit->run, 0700) == 0 && mkdir(kit->policy, 0755) == 0 &&
	    mkdir(path, 0755) == 0 && write_file(kit->manifest, line, 0444);
	(void)snprintf(
	    path, sizeof(path), "%s/settings.d/one.json", kit->policy);
	ok = ok && write_file(path, policy, 0444);
	(void)snprintf(path, sizeof(path), "%s/settings.d", kit->policy);
	return CHECK(
	    ok && chmod(path, 0555) == 0 && chmod(kit->policy, 0555) == 0);
}

static bool
write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return ok;
}

/* Root of a user namespace, where an ordinary user's files are root's. */
static bool
become_root(void)
{
	char uids[64];
	char gids[64];
	if (geteuid() == 0)
		return true;
	(void)snprintf(uids, sizeof(uids), "0 %u 1\n", geteuid());
	(void)snprintf(gids, sizeof(gids), "0 %u 1\n", getegid());
	return unshare(CLONE_NEWUSER) == 0 &&
	    write_map("/proc/self/setgroups", "deny") &&
	    write_map("/proc/self/uid_map", uids) &&
	    write_map("/proc/self/gid_map", gids);
}

static bool
can_become_root(void)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(become_root() ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static _Noreturn void
become_holder(const struct kit *kit, const char *const *argv, int err_fd)
{
	const char *build = getenv("top_builddir");
	char *path = xasprintf("%s/holder", build != NULL ? build : ".");
	struct strvec all = STRVEC_INIT;
	strvec_push(&all, path);
	strvec_push_all(&all, argv);
	(void)dup2(err_fd, STDERR_FILENO);
	if (!become_root())
		_exit(99);
	if (kit->in_child != NULL && !kit->in_child(kit))
		_exit(97);
	(void)execv(path, all.v);
	_exit(98);
}

bool
kit_spawn(struct kit *kit, const char *const *argv)
{
	int err[2];
	(void)alarm(KIT_SECONDS);
	(void)fflush(stdout);
	if (!can_become_root()) {
		check_skip("an ordinary user without user namespaces");
		return false;
	}
	if (!CHECK(pipe2(err, O_CLOEXEC) == 0))
		return false;
	kit->pid = fork();
	if (kit->pid == 0)
		become_holder(kit, argv, err[1]);
	(void)close(err[1]);
	kit->err_fd = err[0];
	return CHECK(kit->pid > 0);
}

bool
kit_start(struct kit *kit, const char *const *more)
{
	struct strvec argv = STRVEC_INIT;
	if (!kit_make(kit))
		return false;
	const char *const fixed[] = { "hold", "--build", "--run", kit->run,
		"--policy", kit->policy, "--manifest", kit->manifest, NULL };
	strvec_push_all(&argv, fixed);
	strvec_push_all(&argv, more);
	bool ok = kit_spawn(kit, (const char *const *)argv.v);
	strvec_release(&argv);
	return ok;
}

int
kit_wait(struct kit *kit)
{
	int status = 0;
	int pidfd = (int)syscall(SYS_pidfd_open, kit->pid, 0);
	struct pollfd p = { pidfd, POLLIN, 0 };
	if (poll(&p, 1, 20000) != 1)
		(void)kill(kit->pid, SIGABRT);
	(void)close(pidfd);
	if (waitpid(kit->pid, &status, 0) != kit->pid)
		return 255 + 1000;
	kit->pid = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

void
kit_read_error(struct kit *kit, struct strbuf *out)
{
	char buf[4096];
	ssize_t n;
	while ((n = read(kit->err_fd, buf, sizeof(buf))) > 0)
		strbuf_add(out, buf, (size_t)n);
	(void)close(kit->err_fd);
	kit->err_fd = -1;
}

int
kit_connect(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval patience = { 20, 0 };
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	for (int i = 0; i < 4000; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) ==
		    0) {
			(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			    sizeof(patience));
			(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			    sizeof(patience));
			return fd;
		}
		(void)close(fd);
		(void)poll(NULL, 0, 5);
	}
	(void)CHECK(!"connected");
	return -1;
}

bool
kit_writes(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
	if (n == -1 && errno == ENOTSOCK)
		n = write(fd, text, len);
	return n == (ssize_t)len;
}

bool
kit_reads(int fd, const char *text)
{
	char buf[1024];
	size_t len = strlen(text);
	size_t at = 0;
	while (at < len && len <= sizeof(buf)) {
		ssize_t n = read(fd, buf + at, len - at);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return at == len && memcmp(buf, text, len) == 0;
}

bool
kit_passes(int from, int to, const char *text)
{
	return kit_writes(from, text) && kit_reads(to, text);
}

size_t
kit_count_files(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%ld/fd", (long)pid);
	DIR *dir = opendir(path);
	size_t n = 0;
	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

void
kit_replace_file(const char *dir, const char *name, const char *text)
{
	cleanup_free char *temp = xasprintf("%s/.new", dir);
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	CHECK(write_file(temp, text, 0644));
	CHECK_INT(rename(temp, path), 0);
}

bool
kit_frame(int fd, struct wire_decoder *dec, struct wire_frame *ret)
{
	for (;;) {
		int rc = wire_next(dec, ret);
		if (rc != 0)
			return CHECK_INT(rc, 1);
		unsigned char *at;
		size_t space = wire_space(dec, &at);
		ssize_t n = recv(fd, at, space, 0);
		if (n <= 0)
			return false;
		wire_filled(dec, (size_t)n);
	}
}

bool
kit_send(int fd, const struct strbuf *frames)
{
	for (size_t at = 0; at < frames->len;) {
		ssize_t n =
		    send(fd, frames->buf + at, frames->len - at, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

bool
kit_send_frame(int fd, enum wire_type type, const void *data, size_t len)
{
	struct strbuf frame = STRBUF_INIT;
	wire_add(&frame, type, data, len);
	bool ok = kit_send(fd, &frame);
	strbuf_release(&frame);
	return ok;
}

/* Hello is all that comes before it is answered. */
int
kit_greet(struct kit *kit, struct wire_hello *ret_hello)
{
	char path[300];
	struct wire_hello ours = { .version = WIRE_VERSION };
	struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct strbuf frame = STRBUF_INIT;
	struct wire_frame hello;
	(void)snprintf(path, sizeof(path), "%s/holder.sock", kit->run);
	int fd = kit_connect(path);
	wire_decoder_init(dec, WIRE_HOLDER);
	if (fd != -1 && CHECK(kit_frame(fd, dec, &hello)) &&
	    CHECK_INT(hello.type, WIRE_HELLO)) {
		if (ret_hello != NULL)
			wire_read_hello(&hello, ret_hello);
		wire_add_hello(&frame, &ours);
		(void)CHECK(kit_send(fd, &frame));
	}
	strbuf_release(&frame);
	free(dec);
	return fd;
}

static bool
bring(int fd, enum wire_type type, const struct kit_go *go)
{
	static const char *const path[] = { "PATH=/usr/bin:/bin", NULL };
	struct wire_go message = { .tty = go->tty,
		.ends_with_client = go->ends,
		.size = { 30, 100 },
		.cwd = go->cwd != NULL ? go->cwd : "/",
		.argv = go->argv,
		.envp = go->envp != NULL ? go->envp : path };
	struct strbuf frames = STRBUF_INIT;
	bool ok = CHECK_INT(wire_add_go(&frames, type, &message), 0) &&
	    CHECK(kit_send(fd, &frames));
	strbuf_release(&frames);
	return ok;
}

bool
kit_go(int fd, const struct kit_go *go)
{
	return bring(fd, WIRE_GO, go);
}

bool
kit_exec(int fd, const struct kit_go *go)
{
	return bring(fd, WIRE_EXEC, go);
}

int
kit_shell(struct kit *kit, const char *script, bool tty, bool ends)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct kit_go go = { tty, ends, argv, NULL, NULL };
	if (!kit_start(kit, NULL))
		return -1;
	int fd = kit_greet(kit, NULL);
	if (fd != -1)
		(void)kit_go(fd, &go);
	return fd;
}

static void
take(struct kit_output *o, const struct wire_frame *f)
{
	const char *data = (const char *)f->payload;
	size_t len = f->len;
	if (f->type == WIRE_OUTPUT) {
		strbuf_add(&o->out, data, len);
		return;
	}
	if (f->type == WIRE_ERROR) {
		strbuf_add(&o->err, data, len);
		return;
	}
	if (f->type == WIRE_EXIT)
		o->status = (int)wire_read_exit(f, &data, &len);
	o->started = o->started || f->type == WIRE_STARTED;
	if (f->type == WIRE_EXIT || f->type == WIRE_REFUSED)
		(void)snprintf(
		    o->text, sizeof(o->text), "%.*s", (int)len, data);
}

void
kit_collect(int fd, struct kit_output *ret)
{
	struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct wire_frame frame;
	wire_decoder_init(dec, WIRE_HOLDER);
	while (kit_frame(fd, dec, &frame))
		take(ret, &frame);
	free(dec);
	(void)close(fd);
}

/* Frame by frame, so that nothing is read that belongs to the next call. */
bool
kit_read_until(int fd, struct kit_output *o, const char *text)
{
	struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct wire_frame frame;
	bool found = false;
	wire_decoder_init(dec, WIRE_HOLDER);
	while (!found) {
		int rc = wire_next(dec, &frame);
		unsigned char *at;
		if (rc == 1) {
			take(o, &frame);
			found = memmem(o->out.buf, o->out.len, text,
				    strlen(text)) != NULL;
			continue;
		}
		(void)wire_space(dec, &at);
		ssize_t n = recv(fd, at, wire_need(dec), 0);
		if (rc == -1 || n <= 0)
			break;
		wire_filled(dec, (size_t)n);
	}
	free(dec);
	return CHECK(found);
}

void
kit_output_release(struct kit_output *o)
{
	strbuf_release(&o->out);
	strbuf_release(&o->err);
}
