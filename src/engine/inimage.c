/* SPDX-License-Identifier: MIT */
/* inimage: runs an image's programs with docker run, and lists them. */
#include "engine/inimage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/paths.h"

#define NOBODY "65534:65534"
#define PROGRAMS "programs"
#define PROGRAMS_MAX ((size_t)256 * 1024)
#define ID_PREFIX "sha256:"

int
inimage_run(const struct engine *engine, const char *user, const char *image_id,
    const char *program, const char *const *args,
    struct proc_result *ret_result, struct diag *dg)
{
	static const char *const hardening[] = { "run", "--rm", "--pull",
		"never", "--network", "none", "--read-only", "--cap-drop",
		"ALL", "--security-opt", "no-new-privileges", "--pids-limit",
		"64", "--memory", "256m", NULL };
	cleanup_strvec struct strvec all = STRVEC_INIT;

	strvec_push_all(&all, hardening);
	strvec_push(&all, "--user");
	strvec_push(&all, user);
	strvec_push(&all, "--entrypoint");
	strvec_push(&all, program);
	strvec_push(&all, image_id);
	strvec_push_all(&all, args);
	return engine_ask(engine, (const char *const *)all.v,
	    engine->launch_timeout_ms, ret_result, dg);
}

int
inimage_client_version(const struct engine *engine, const char *image_id,
    const char *package, char **ret_version, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_free char *file =
	    xasprintf("/usr/local/lib/node_modules/%s/package.json", package);
	const char *const args[] = { file, NULL };
	const char *version;

	*ret_version = NULL;
	if (inimage_run(
		engine, NOBODY, image_id, "/bin/cat", args, &result, dg) != 0)
		return -1;
	if (result.status == INIMAGE_FAILED) {
		diag_set(dg, DIAG_ENGINE, "read %s of the image", file);
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	if (result.status != 0)
		return 0;
	if (json_parse(result.out.buf, result.out.len, file, &root, dg) != 0)
		return -1;
	version = json_string(json_get(root, "version"));
	if (version == NULL || !agent_is_exact_version(version))
		return diag_set(
		    dg, DIAG_DATA, "%s: version: missing or not valid", file);
	*ret_version = xstrdup(version);
	return 0;
}

int
inimage_npm_registry(const struct engine *engine, const char *image_id,
    char **ret_url, struct diag *dg)
{
	static const char *const args[] = { "-c",
		"cd / && HOME=/nonexistent npm_config_logs_max=0 "
		"npm_config_update_notifier=false npm config get registry",
		NULL };
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;

	if (inimage_run(
		engine, NOBODY, image_id, "/bin/sh", args, &result, dg) != 0)
		return -1;
	if (result.status != 0) {
		diag_set(dg, DIAG_ENGINE,
		    "npm of image %s does not tell its registry: status %d",
		    image_id, result.status);
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	*ret_url = xstrndup(result.out.buf, strcspn(result.out.buf, "\n"));
	return 0;
}

/* The last name is sh, which shows that the list is complete. */
static const char script[] =
    "IFS=:\n"
    "for dir in $PATH; do\n"
    "  for file in \"$dir\"/*; do\n"
    "    if [ -f \"$file\" ] && [ -x \"$file\" ]; then\n"
    "      printf '%s\\n' \"${file##*/}\"\n"
    "    fi\n"
    "  done\n"
    "done\n"
    "echo sh\n";

static bool
is_complete(const struct strbuf *text)
{
	static const char end[] = "\nsh\n";
	size_t len = strlen(end);

	return text->len >= len && text->len <= PROGRAMS_MAX &&
	    memcmp(text->buf + text->len - len, end, len) == 0;
}

int
inimage_record_programs(const struct paths *paths, const struct engine *engine,
    const char *user, const char *image_id, struct diag *dg)
{
	const char *const args[] = { "-c", script, NULL };
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_close int dir = -1;
	const char *name;

	if (!answer_is_image_id(image_id))
		return diag_set(
		    dg, DIAG_ENGINE, "'%.80s' is not an id", image_id);
	if (inimage_run(engine, user, image_id, "/bin/sh", args, &result, dg) !=
	    0)
		return -1;
	if (result.status != 0) {
		diag_set(dg, DIAG_ENGINE,
		    "list the programs of image %s: status %d", image_id,
		    result.status);
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	if (!is_complete(&result.out))
		return diag_set(dg, DIAG_DATA,
		    "the list of the programs of image %s is incomplete or "
		    "has more than %zu bytes",
		    image_id, PROGRAMS_MAX);
	if (fs_make_dir(paths->state_fd, PROGRAMS, 0700, &dir, dg) != 0)
		return -1;
	name = image_id + strlen(ID_PREFIX);
	fs_temp_clean(dir, name);
	return fs_replace_file(
	    dir, name, result.out.buf, result.out.len, 0600, dg);
}

int
inimage_read_programs(const struct paths *paths, const char *image_id,
    struct strvec *ret_names, bool *ret_known, struct diag *dg)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*ret_known = false;
	if (!answer_is_image_id(image_id))
		return diag_set(
		    dg, DIAG_DATA, "'%.80s' is not an id", image_id);
	strbuf_addf(&path, PROGRAMS "/%s", image_id + strlen(ID_PREFIX));
	if (fs_read_nolinks(
		paths->state_fd, path.buf, PROGRAMS_MAX, &text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (!is_complete(&text))
		return diag_set(dg, DIAG_DATA,
		    "%s/%s is damaged: run \"drydock build\"", paths->state_dir,
		    path.buf);
	strvec_split(ret_names, text.buf, '\n');
	*ret_known = true;
	return 0;
}

int
inimage_prune_programs(
    const struct paths *paths, const struct strvec *images, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int dir = -1;

	if (fs_open_nolinks(paths->state_fd, PROGRAMS, O_RDONLY | O_DIRECTORY,
		0, &dir, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (fs_list_names(dir, PROGRAMS, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *id = xasprintf(ID_PREFIX "%s", names.v[i]);

		if (strvec_has(images, id))
			continue;
		if (unlinkat(dir, names.v[i], 0) != 0 && errno != ENOENT)
			return diag_set_errno(dg, DIAG_IO, errno,
			    "remove %s/" PROGRAMS "/%s", paths->state_dir,
			    names.v[i]);
	}
	return 0;
}
