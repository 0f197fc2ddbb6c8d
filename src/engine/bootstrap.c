/* SPDX-License-Identifier: MIT */
/* bootstrap: mmdebstrap makes a root file system, the engine imports it. */
#include "engine/bootstrap.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/hostconf.h"
#include "engine/image.h"
#include "host/paths.h"
#include "host/program.h"

#define DEFAULT_SUITE "bookworm"
#define ROOM_NEEDED ((unsigned long)1024 * 1024 * 1024)
/* Time for mmdebstrap's cleanup, and the exit status of timeout(1). */
#define GRACE_MS 30000
#define TIMEOUT_STATUS 124
/* Limit of the tarball; a base of variant apt has an eighth of this size. */
#define TARBALL_MAX ((size_t)1024 * 1024 * 1024)
#define SUBIDS_MAX ((size_t)1 << 20)
/* mmdebstrap(1): one for each id of a Debian system */
#define SUBIDS_NEEDED 65536
/* login.defs(5), SUB_UID_MIN */
#define FIRST_FREE 100000

/*
 * mmdebstrap copies its apt options into the tree.  They are the host's
 * settings, so the hook removes them.  It also removes passwords from source
 * URIs.
 */
static const char tidy[] =
    "set -e; cd \"$1\"; "
    "rm -rf usr/share/man/* usr/share/info/* usr/share/locale/* "
    "var/lib/apt/lists/* var/cache/apt/*.bin var/log/*.log var/log/apt "
    "etc/apt/apt.conf.d/99mmdebstrap; "
    "find usr/share/doc -type f ! -name copyright -delete; "
    "find etc/apt/sources.list* -type f "
    "-exec sed -i 's,//[^/@ ]*@,//,' {} +";

/*
 * Appends the sources of the host's own release in the format of
 * sources.list(5).
 */
static void
write_sources(const struct hostconf *hc, struct strbuf *out)
{
	for (size_t i = 0; i < hc->sources.nr; i++) {
		const char *line = hc->sources.v[i];
		const char *bar = strchr(line, '|');
		const char *at;
		int keylen;

		assert(bar != NULL);
		at = strstr(bar, " @");
		keylen = (int)(bar - line);
		if (at == NULL)
			continue;
		strbuf_addstr(out, "deb ");
		if (strncmp(line, "trusted|", 8) == 0)
			strbuf_addstr(out, "[trusted=yes] ");
		else if (keylen > 0)
			strbuf_addf(out, "[signed-by=%.*s] ", keylen, line);
		strbuf_addf(out, "%.*s %s%s\n", (int)(at - bar - 1), bar + 1,
		    hc->codename, at + 2);
	}
}

static void
add_apt_options(const struct hostconf *hc, struct strvec *argv)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	/* mmdebstrap expects NAME "VALUE" without the semicolon at the end. */
	strvec_split(&lines, hc->apt_conf.buf, '\n');
	for (size_t i = 0; i < lines.nr; i++)
		strvec_pushf(argv, "--aptopt=%.*s", (int)strlen(lines.v[i]) - 1,
		    lines.v[i]);
}

/* mmdebstrap writes many small files.  Uses /dev/shm if it has enough space. */
static const char *
roomy_directory(void)
{
	struct statvfs st;

	if (statvfs("/dev/shm", &st) == 0 &&
	    st.f_bavail * st.f_frsize >= ROOM_NEEDED &&
	    (st.f_flag & ST_NOEXEC) == 0 &&
	    access("/dev/shm", W_OK | X_OK) == 0)
		return "/dev/shm";
	return "/tmp";
}

/*
 * mmdebstrap removes its mounts and its tree after a signal to its process
 * group, but not after SIGKILL.  Therefore setpriv and timeout(1) end it:
 * timeout(1) sends SIGTERM to the process group at the deadline, or when it
 * gets SIGTERM because drydock died.
 */
static int
make_argv(const struct bootstrap_spec *spec, const char *suite,
    bool has_sources, struct strvec *argv, struct diag *dg)
{
	cleanup_free char *setpriv = program_find_system("setpriv");
	cleanup_free char *timeout = program_find_system("timeout");
	cleanup_free char *program = program_find_system("mmdebstrap");

	if (program == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "--bootstrap needs mmdebstrap: "
		    "apt-get install mmdebstrap");
	if (setpriv == NULL || timeout == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "--bootstrap needs setpriv (util-linux) and timeout "
		    "(coreutils)");
	strvec_push(argv, setpriv);
	strvec_push(argv, "--pdeathsig");
	strvec_push(argv, "TERM");
	strvec_push(argv, timeout);
	strvec_pushf(argv, "--kill-after=%d", GRACE_MS / 1000);
	strvec_pushf(argv, "%d", spec->timeout_ms / 1000 + 1);
	strvec_push(argv, program);
	strvec_push(argv, "--variant=apt");
	strvec_pushf(argv, "--mode=%s", geteuid() == 0 ? "root" : "unshare");
	strvec_push(argv, "--format=tar");
	add_apt_options(spec->hostconf, argv);
	strvec_pushf(argv, "--customize-hook=%s", tidy);
	strvec_push(argv, suite);
	strvec_push(argv, "-");
	if (has_sources)
		strvec_push(argv, "-"); /* the sources come on stdin */
	return 0;
}

static int
run_mmdebstrap(const struct bootstrap_spec *spec, const char *suite,
    struct proc_result *result, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strvec struct strvec envp = STRVEC_INIT;
	cleanup_strbuf struct strbuf sources = STRBUF_INIT;
	struct proc_spec child = PROC_SPEC_INIT;

	write_sources(spec->hostconf, &sources);
	if (make_argv(spec, suite, sources.len > 0, &argv, dg) != 0)
		return -1;
	strvec_push(&envp, "PATH=" PROC_SYSTEM_PATH);
	strvec_push(&envp, "LC_ALL=C.UTF-8");
	strvec_pushf(&envp, "TMPDIR=%s", roomy_directory());
	strvec_push_all(&envp, (const char *const *)spec->hostconf->proxies.v);
	child.argv = (const char *const *)argv.v;
	child.envp = (const char *const *)envp.v;
	child.input = sources.buf;
	child.input_len = sources.len;
	child.timeout_ms = spec->timeout_ms + 2 * GRACE_MS;
	child.max_output = TARBALL_MAX;
	child.on_stderr_line = spec->progress;
	child.on_stderr_arg = spec->progress_arg;
	if (proc_run(&child, result, dg) != 0)
		return -1;
	if (result->timed_out || result->status == TIMEOUT_STATUS)
		return diag_set(dg, DIAG_ENGINE,
		    "mmdebstrap did not end within %d s (build_timeout)",
		    spec->timeout_ms / 1000);
	if (result->status != 0 || result->truncated) {
		diag_set(dg, DIAG_ENGINE, "mmdebstrap failed with status %d",
		    result->status);
		return diag_add_detail(dg, result->err.buf, result->err.len);
	}
	return 0;
}

static int
import(const struct engine *engine, const struct bootstrap_spec *spec,
    const struct strbuf *tarball, const char *reference, char **ret_image_id,
    struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_free char *id = NULL;
	const char *const argv[] = { engine->docker, "import", "--change",
		"LABEL " IMAGE_BASE_LABEL, "--change",
		"ENV PATH=" PROC_SYSTEM_PATH, "-", reference, NULL };
	struct proc_spec child = PROC_SPEC_INIT;

	if (engine_need_docker(engine, dg) != 0)
		return -1;
	child.argv = argv;
	child.envp = (const char *const *)engine->env.v;
	child.input = tarball->buf;
	child.input_len = tarball->len;
	child.timeout_ms = spec->timeout_ms;
	if (proc_run(&child, &result, dg) != 0 ||
	    engine_check_result(argv, &result, spec->timeout_ms, dg) != 0)
		return -1;
	id = xstrndup(result.out.buf, strcspn(result.out.buf, "\n"));
	if (!answer_is_image_id(id) || result.out.len != strlen(id) + 1)
		return diag_set(dg, DIAG_ENGINE,
		    "docker import gave no image id: \"%.80s\"", id);
	*ret_image_id = steal_ptr(&id);
	return 0;
}

uint64_t
bootstrap_count_ids(
    const char *text, const char *user, unsigned int uid, uint64_t *ret_free)
{
	cleanup_free char *number = xasprintf("%u", uid);
	uint64_t largest = 0;

	*ret_free = FIRST_FREE;
	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, ":\n");
		char *end = NULL;
		uint64_t first;
		uint64_t count;

		if (at[len] == ':') {
			first = strtoull(at + len + 1, &end, 10);
			count = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
			if (first + count > *ret_free)
				*ret_free = first + count;
			if (((len == strlen(user) &&
				 strncmp(at, user, len) == 0) ||
				(len == strlen(number) &&
				    strncmp(at, number, len) == 0)) &&
			    count > largest)
				largest = count;
		}
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return largest;
}

static bool
has_enough(const char *path, const struct paths *paths, uint64_t *ret_free)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	(void)fs_try_read_text(path, SUBIDS_MAX, &text);
	return bootstrap_count_ids(text.buf, paths->user, paths->uid,
		   ret_free) >= SUBIDS_NEEDED;
}

int
bootstrap_check_ids(const struct paths *paths, struct diag *dg)
{
	cleanup_free char *newuidmap = NULL;
	uint64_t uids;
	uint64_t gids;
	bool has_uids;
	bool has_gids;

	if (paths->uid == 0)
		return 0;
	newuidmap = program_find_system("newuidmap");
	if (newuidmap == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "--bootstrap needs newuidmap unless root runs it: install "
		    "it with \"sudo apt-get install uidmap\"");
	has_uids = has_enough("/etc/subuid", paths, &uids);
	has_gids = has_enough("/etc/subgid", paths, &gids);
	if (has_uids && has_gids)
		return 0;
	return diag_set(dg, DIAG_ENGINE,
	    "--bootstrap needs %d subordinate ids unless root runs it, and %s "
	    "has fewer for %s: add them with \"sudo usermod --add-subuids "
	    "%" PRIu64 "-%" PRIu64 " --add-subgids %" PRIu64 "-%" PRIu64
	    " %s\"",
	    SUBIDS_NEEDED, has_uids ? "/etc/subgid" : "/etc/subuid",
	    paths->user, uids, uids + SUBIDS_NEEDED - 1, gids,
	    gids + SUBIDS_NEEDED - 1, paths->user);
}

const char *
bootstrap_suite(const struct hostconf *hc)
{
	return *hc->codename != '\0' ? hc->codename : DEFAULT_SUITE;
}

int
bootstrap_base(const struct engine *engine, const struct bootstrap_spec *spec,
    char **ret_image_id, struct diag *dg)
{
	const char *suite = bootstrap_suite(spec->hostconf);
	cleanup_free char *reference = xasprintf("drydock-base:%s", suite);
	cleanup_free char *id = NULL;
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;

	if (spec->known != NULL) {
		id = xstrdup(spec->known->id);
		/* Somebody may have moved the tag. */
		if (!strvec_has(&spec->known->tags, reference) &&
		    image_tag(engine, id, reference, dg) != 0)
			return -1;
	} else if (run_mmdebstrap(spec, suite, &result, dg) != 0 ||
	    import(engine, spec, &result.out, reference, &id, dg) != 0) {
		return -1;
	}
	*ret_image_id = steal_ptr(&id);
	return 0;
}
