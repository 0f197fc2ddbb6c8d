/* SPDX-License-Identifier: MIT */
/* bootstrap: mmdebstrap makes a tree, the engine imports it. */
#include "engine/bootstrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "engine/hostconf.h"
#include "engine/image.h"
#include "engine/workdir.h"

#define SYSTEM_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_SUITE "bookworm"
#define BASE_LABEL "io.drydock.image=base"
#define ROOM_NEEDED ((unsigned long)1024 * 1024 * 1024)
#define OUTPUT_MAX ((size_t)16 * 1024 * 1024)

/*
 * mmdebstrap hands its settings on to the tree's own apt; those are the
 * host's, and go.  So do passwords that stand in a source's URI.
 */
static const char tidy[] =
    "set -e; cd \"$1\"; "
    "rm -rf usr/share/man/* usr/share/info/* usr/share/locale/* "
    "var/lib/apt/lists/* var/cache/apt/*.bin var/log/*.log var/log/apt "
    "etc/apt/apt.conf.d/99mmdebstrap; "
    "find usr/share/doc -type f ! -name copyright -delete; "
    "find etc/apt/sources.list* -type f "
    "-exec sed -i 's,//[^/@ ]*@,//,' {} +";

static void
give_line(void *arg, const char *line, size_t len)
{
	const struct bootstrap_spec *spec = arg;
	cleanup_free char *copy = xstrndup(line, len);

	if (spec->progress != NULL)
		spec->progress(spec->progress_arg, copy);
}

/* The host's sources of its own release, as sources.list(5) has them. */
static void
write_sources(const struct hostconf *hc, struct strbuf *out)
{
	for (size_t i = 0; i < hc->sources.nr; i++) {
		const char *line = hc->sources.v[i];
		const char *bar = strchr(line, '|');
		const char *at = strstr(bar, " @");
		int keylen = (int)(bar - line);

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
	for (const char *p = hc->apt_conf.buf; *p != '\0';) {
		size_t len = strcspn(p, "\n");

		/* mmdebstrap wants NAME "VALUE" without the semicolon. */
		strvec_pushf(argv, "--aptopt=%.*s",
		    (int)(len > 0 && p[len - 1] == ';' ? len - 1 : len), p);
		p += len + (p[len] == '\n' ? 1 : 0);
	}
}

static void
make_environment(
    const struct hostconf *hc, const char *tmp, struct strvec *envp)
{
	strvec_push(envp, "PATH=" SYSTEM_PATH);
	strvec_push(envp, "LC_ALL=C.UTF-8");
	strvec_pushf(envp, "TMPDIR=%s", tmp);
	strvec_push_all(envp, (const char *const *)hc->proxies.v);
}

static int
run_mmdebstrap(const struct bootstrap_spec *spec, const char *suite,
    const char *dir, const char *tarball, struct diag *dg)
{
	const struct hostconf *hc = spec->hostconf;
	cleanup_free char *program =
	    proc_find_program("mmdebstrap", SYSTEM_PATH);
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strvec struct strvec envp = STRVEC_INIT;
	cleanup_strbuf struct strbuf sources = STRBUF_INIT;
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	struct proc_spec child = PROC_SPEC_INIT;

	if (program == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "--bootstrap needs mmdebstrap: "
		    "apt-get install mmdebstrap");
	strvec_push(&argv, program);
	strvec_push(&argv, "--variant=apt");
	strvec_pushf(&argv, "--mode=%s", geteuid() == 0 ? "root" : "unshare");
	add_apt_options(hc, &argv);
	strvec_pushf(&argv, "--customize-hook=%s", tidy);
	strvec_push(&argv, suite);
	strvec_push(&argv, tarball);
	write_sources(hc, &sources);
	if (sources.len > 0)
		strvec_push(&argv, "-"); /* sources on stdin */
	make_environment(hc, dir, &envp);
	child.argv = (const char *const *)argv.v;
	child.envp = (const char *const *)envp.v;
	child.input = sources.buf;
	child.input_len = sources.len;
	child.timeout_ms = spec->timeout_ms;
	child.max_output = OUTPUT_MAX;
	child.on_stderr_line = give_line;
	child.on_stderr_arg = (void *)(uintptr_t)spec;
	if (proc_run(&child, &result, dg) < 0)
		return -1;
	if (result.timed_out)
		return diag_set(dg, DIAG_ENGINE,
		    "mmdebstrap did not end within %d s (build_timeout)",
		    spec->timeout_ms / 1000);
	if (result.status != 0) {
		diag_set(dg, DIAG_ENGINE, "mmdebstrap failed with status %d",
		    result.status);
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	return 0;
}

static int
import(const struct engine *engine, const struct bootstrap_spec *spec,
    const char *tarball, const char *reference, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const args[] = { "import", "--change", "LABEL " BASE_LABEL,
		"--change", "ENV PATH=" SYSTEM_PATH, tarball, reference, NULL };
	struct engine patient = *engine;

	patient.timeout_ms = spec->timeout_ms;
	return engine_docker(&patient, args, &result, dg);
}

static int
find_base(const struct engine *engine, const char *reference, bool *ret_there,
    struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;

	if (image_inspect(engine, reference, &image, dg) < 0)
		return -1;
	*ret_there = image.id != NULL && strvec_has(&image.labels, BASE_LABEL);
	return 0;
}

/* Half a minute of small files: in memory where there is room. */
static const char *
roomy_parent(void)
{
	struct statvfs st;

	if (statvfs("/dev/shm", &st) == 0 &&
	    st.f_bavail * st.f_frsize >= ROOM_NEEDED &&
	    (st.f_flag & ST_NOEXEC) == 0 &&
	    access("/dev/shm", W_OK | X_OK) == 0)
		return "/dev/shm";
	return NULL;
}

int
bootstrap_base(const struct engine *engine, const struct bootstrap_spec *spec,
    char **ret_reference, struct diag *dg)
{
	const char *suite = *spec->hostconf->codename != '\0'
	    ? spec->hostconf->codename
	    : DEFAULT_SUITE;
	cleanup_free char *reference = xasprintf("drydock-base:%s", suite);
	cleanup_workdir struct workdir work = WORKDIR_INIT;
	cleanup_free char *tarball = NULL;
	bool there = false;

	if (!spec->fresh && find_base(engine, reference, &there, dg) < 0)
		return -1;
	if (!there) {
		/* The subordinate ids of an ordinary user pass through. */
		if (workdir_make(&work, roomy_parent(), 0711, dg) < 0)
			return -1;
		tarball = xasprintf("%s/base.tar", work.path);
		if (run_mmdebstrap(spec, suite, work.path, tarball, dg) < 0 ||
		    import(engine, spec, tarball, reference, dg) < 0)
			return -1;
	}
	*ret_reference = steal_ptr(&reference);
	return 0;
}
