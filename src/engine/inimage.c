/* SPDX-License-Identifier: MIT */
/* inimage: runs programs of an image with docker run. */
#include "engine/inimage.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "host/agent.h"

#define NOBODY "65534:65534"

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
