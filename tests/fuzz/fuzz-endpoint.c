/* SPDX-License-Identifier: MIT */
/*
 * Which engine is meant, by the docker CLI's own files and by words that name
 * one: a socket on this host, or refused.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "fuzz.h"

/* Of the context "c", whose file is called by the name's SHA-256. */
#define META                                        \
	"contexts/meta/"                            \
	"2e7d2c03a9507ae265ecf5b5356885a53393a2029" \
	"d241394997265a1a25aefc6"

/* A DOCKER_CONFIG with one file, at most. */
struct home {
	char *path; /* owned */
	int fd;
};

static void
home_open(struct home *home)
{
	const char *tmp = getenv("TMPDIR");

	home->path =
	    xasprintf("%s/fuzz-endpoint.XXXXXX", tmp != NULL ? tmp : "/tmp");
	FUZZ_CHECK(mkdtemp(home->path) != NULL);
	home->fd = open(home->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(home->fd >= 0);
}

static void
home_put(const struct home *home, const char *dir, const char *name,
    const struct fuzz_input *in)
{
	cleanup_free char *path = xasprintf("%s/%s", home->path, dir);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	FUZZ_CHECK(fs_make_path(path, 0700, &fd, &dg) == 0);
	FUZZ_CHECK(
	    fs_replace_file(fd, name, in->data, in->size, 0600, &dg) == 0);
}

static void
home_remove(struct home *home)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int parent = openat(home->fd, "..", O_RDONLY | O_CLOEXEC);

	FUZZ_CHECK(
	    fs_remove_tree(parent, strrchr(home->path, '/') + 1, &dg) == 0);
	(void)close(home->fd);
	free(home->path);
}

static void
check_socket(const struct engine *e)
{
	struct stat st;

	FUZZ_CHECK(e->socket != NULL && e->socket[0] == '/');
	FUZZ_CHECK(strlen(e->socket) < 108);
	FUZZ_CHECK(stat(e->socket, &st) == 0 && S_ISSOCK(st.st_mode));
	FUZZ_CHECK(e->origin != NULL && e->socket_gid == st.st_gid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);
	cleanup_engine struct engine e = ENGINE_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct home home;

	home_open(&home);
	strvec_setenv(&env, "DOCKER_CONFIG", home.path);
	if (kind == 'h')
		strvec_setenv(&env, "DOCKER_HOST", text);
	else if (kind == 'n')
		strvec_setenv(&env, "DOCKER_CONTEXT", text);
	else if (kind == 'm')
		strvec_setenv(&env, "DOCKER_CONTEXT", "c");
	if (kind == 'm')
		home_put(&home, META, "meta.json", &in);
	else if (kind == 'c')
		home_put(&home, ".", "config.json", &in);
	int rc = engine_find_socket(&e, kind == 's' ? text : "", home.path,
	    (const char *const *)env.v, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_CONFIG || dg.class == DIAG_ENGINE);
	else
		check_socket(&e);
	fuzz_outcome(rc, &dg);
	home_remove(&home);
	return 0;
}
