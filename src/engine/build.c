/* SPDX-License-Identifier: MIT */
/* build: from what is installed to a verified image, one step after another. */
#include "engine/build.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/bootstrap.h"
#include "engine/buildkit.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/hostconf.h"
#include "engine/image.h"
#include "host/paths.h"
#include "host/settings.h"

/* docker run's own failures; anything else is the container's. */
#define RUN_FAILED 125

const char *
build_kind_name(enum build_kind kind)
{
	switch (kind) {
	case BUILD_AGENT:
		return "agent";
	case BUILD_EGRESS:
		return "egress";
	}
	assert(false);
	return "";
}

int
build_context_digest(enum build_kind kind, const struct settings *settings,
    const struct context_files *files, char ret_hex[DIGEST_HEX_SIZE],
    struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (context_list(files, build_kind_name(kind), &text, dg) < 0)
		return -1;
	strbuf_addf(&text, "base %s\n", settings->base_image);
	if (kind == BUILD_AGENT)
		for (size_t i = 0; i < settings->packages.nr; i++)
			strbuf_addf(
			    &text, "package %s\n", settings->packages.v[i]);
	digest_bytes(text.buf, text.len, ret_hex);
	return 0;
}

static int
check_base(const char *reference, const struct image *image, struct diag *dg)
{
	const char *instruction = image_acts_by(image);

	if (instruction != NULL)
		return diag_set(dg, DIAG_POLICY,
		    "base image %s has a %s: such an image is not built on",
		    reference, instruction);
	for (size_t i = 0; i < image->labels.nr; i++) {
		const char *label = image->labels.v[i];

		if (strncmp(label, IMAGE_LABEL_PREFIX,
			strlen(IMAGE_LABEL_PREFIX)) == 0 &&
		    strcmp(label, IMAGE_BASE_LABEL) != 0)
			return diag_set(dg, DIAG_POLICY,
			    "base image %s has the label %s, which is "
			    "drydock's own",
			    reference, label);
	}
	return 0;
}

static int
pull(const struct engine *engine, const struct settings *settings,
    const char *reference, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const args[] = { "pull", "--quiet", "--", reference, NULL };
	struct engine patient = *engine;

	patient.timeout_ms = (int)settings->build_timeout_ms;
	if (engine_docker(&patient, args, &result, dg) < 0)
		return diag_wrap(dg,
		    "get base image %s (a host without a registry: "
		    "drydock build --bootstrap)",
		    reference);
	return 0;
}

/* The reference of a base image that the engine has and that may be one. */
static int
find_base(const struct engine *engine, const struct settings *settings,
    const struct build_options *options, const struct hostconf *hc,
    char **ret_reference, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_free char *reference = NULL;

	if (options->bootstrap) {
		const struct bootstrap_spec spec = {
			.hostconf = hc,
			.fresh = !options->keep_base &&
			    (options->pull || options->no_cache),
			.timeout_ms = (int)settings->build_timeout_ms,
			.progress = options->progress,
			.progress_arg = options->progress_arg,
		};

		if (bootstrap_base(engine, &spec, &reference, dg) < 0)
			return -1;
	} else {
		reference =
		    xstrdup(options->base != NULL ? options->base
						  : settings->base_image);
	}
	if (image_inspect(engine, reference, &image, dg) < 0)
		return -1;
	if (!options->bootstrap && (image.id == NULL || options->pull)) {
		image_release(&image);
		if (pull(engine, settings, reference, dg) < 0 ||
		    image_inspect(engine, reference, &image, dg) < 0)
			return -1;
	}
	if (image.id == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "base image %s is not there after it was made", reference);
	if (check_base(reference, &image, dg) < 0)
		return -1;
	*ret_reference = steal_ptr(&reference);
	return 0;
}

static void
describe(enum build_kind kind, const struct settings *settings,
    const struct paths *paths, const char *base, const char *context,
    struct buildkit_spec *spec)
{
	const char *name = build_kind_name(kind);

	strvec_pushf(&spec->args, "BASE=%s", base);
	strvec_pushf(&spec->labels, IMAGE_LABEL_PREFIX "image=%s", name);
	strvec_pushf(&spec->labels, IMAGE_LABEL_PREFIX "context=%s", context);
	if (kind == BUILD_EGRESS)
		return;
	if (settings->packages.nr > 0) {
		cleanup_strbuf struct strbuf packages = STRBUF_INIT;

		for (size_t i = 0; i < settings->packages.nr; i++)
			strbuf_addf(&packages, "%s%s", i > 0 ? " " : "",
			    settings->packages.v[i]);
		strvec_pushf(&spec->args, "PACKAGES=%s", packages.buf);
	}
	strvec_pushf(&spec->args, "UID=%u", paths->uid);
	strvec_pushf(&spec->args, "GID=%u", paths->gid);
	strvec_pushf(&spec->args, "NAME=%s", paths->user);
	strvec_pushf(&spec->args, "HOME_DIR=%s", paths->home);
	strvec_pushf(&spec->labels, IMAGE_LABEL_PREFIX "uid=%u", paths->uid);
	strvec_pushf(&spec->labels, IMAGE_LABEL_PREFIX "gid=%u", paths->gid);
	strvec_pushf(&spec->labels, IMAGE_LABEL_PREFIX "user=%s", paths->user);
	strvec_pushf(&spec->labels, IMAGE_LABEL_PREFIX "home=%s", paths->home);
}

/*
 * The image in a container hardened like a session's, as the user of one: the
 * guardrails hold there, or Squid starts there.
 */
static int
verify(enum build_kind kind, const struct engine *engine,
    const struct paths *paths, const char *image_id, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_free char *user = NULL;
	const char *program = "/usr/lib/drydock/holder";
	const char *arg = "check-policy";

	user = xasprintf("%u:%u", paths->uid, paths->gid);
	if (kind == BUILD_EGRESS) {
		program = "/usr/sbin/squid";
		arg = "-v";
		if (paths->uid == 0) {
			free(user);
			user =
			    xasprintf("%d:%d", BUILD_PROXY_ID, BUILD_PROXY_ID);
		}
	}
	const char *const args[] = { "run", "--rm", "--pull", "never",
		"--network", "none", "--read-only", "--cap-drop", "ALL",
		"--security-opt", "no-new-privileges", "--pids-limit", "64",
		"--memory", "256m", "--user", user, "--entrypoint", program,
		image_id, arg, NULL };

	if (engine_ask(engine, args, engine->launch_timeout_ms, &result, dg) <
	    0)
		return -1;
	if (result.status == 0)
		return 0;
	diag_set(dg, result.status == RUN_FAILED ? DIAG_ENGINE : DIAG_DATA,
	    "the new %s image does not pass its check (%s %s: status %d)",
	    build_kind_name(kind), program, arg, result.status);
	return diag_add_detail(dg, result.err.buf, result.err.len);
}

/*
 * A name for people, and against `docker image prune`; the image that had it
 * keeps it until the new one has passed.
 */
static int
tag(enum build_kind kind, const struct engine *engine,
    const struct paths *paths, const char *image_id, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_free char *name = kind == BUILD_AGENT
	    ? xasprintf("drydock-agent:uid-%u", paths->uid)
	    : xstrdup("drydock-egress:latest");
	const char *const args[] = { "tag", image_id, name, NULL };

	return engine_docker(engine, args, &result, dg);
}

/* The failure that led here is the one to tell. */
static void
remove_image(const struct engine *engine, const char *image_id)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;
	const char *const args[] = { "rmi", "--force", image_id, NULL };

	if (engine_docker(engine, args, &result, &failure) < 0)
		diag_warn("%s", failure.message);
}

int
build_image(enum build_kind kind, const struct engine *engine,
    const struct settings *settings, const struct paths *paths,
    const struct build_options *options, struct build_outcome *ret_outcome,
    struct diag *dg)
{
	cleanup_hostconf struct hostconf hc = HOSTCONF_INIT;
	cleanup_buildkit_spec struct buildkit_spec spec = BUILDKIT_SPEC_INIT;
	cleanup_context_files struct context_files *files = NULL;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_free char *base = NULL;
	cleanup_free char *image_id = NULL;
	char context[DIGEST_HEX_SIZE];

	if (context_read(paths, &files, dg) < 0 ||
	    context_pack(files, build_kind_name(kind), &tar, dg) < 0 ||
	    build_context_digest(kind, settings, files, context, dg) < 0 ||
	    buildkit_check(engine, dg) < 0)
		return -1;
	hostconf_read(&hc, paths, options->environ_);
	if (find_base(engine, settings, options, &hc, &base, dg) < 0)
		return -1;
	describe(kind, settings, paths, base, context, &spec);
	spec.context = &tar;
	spec.hostconf = &hc;
	spec.no_cache = options->no_cache;
	spec.timeout_ms = (int)settings->build_timeout_ms;
	spec.progress = options->progress;
	spec.progress_arg = options->progress_arg;
	if (buildkit_run(engine, &spec, &image_id, dg) < 0)
		return diag_wrap(
		    dg, "build the %s image", build_kind_name(kind));
	if (verify(kind, engine, paths, image_id, dg) < 0) {
		remove_image(engine, image_id);
		return -1;
	}
	if (tag(kind, engine, paths, image_id, dg) < 0)
		return -1;
	ret_outcome->image_id = steal_ptr(&image_id);
	memcpy(ret_outcome->context, context, sizeof(context));
	return 0;
}

void
build_outcome_release(struct build_outcome *outcome)
{
	free(outcome->image_id);
	outcome->image_id = NULL;
}
