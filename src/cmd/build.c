/* SPDX-License-Identifier: MIT */
/*
 * build: builds the agent image and the egress image, or lists the images.
 * Progress is shown on stderr: one status line that is rewritten on a terminal,
 * one line per step elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/sessions.h"
#include "engine/build.h"
#include "engine/built.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/inimage.h"
#include "host/agent.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/statedir.h"
#include "host/toolchain.h"
#include "host/trusted.h"
#include "session/image-use.h"
#include "session/images.h"

#define DEFAULT_COLUMNS 80

struct build_cmd_options {
	const char *base;
	bool bootstrap;
	bool pull;
	bool no_cache;
	bool list;
	bool update;
	bool json;
};

struct status {
	const char *image; /* "agent" */
	bool rewrite; /* stderr is a terminal that can rewrite a line */
	bool shown; /* a status line is displayed */
	struct strvec steps; /* printed; BuildKit repeats them */
};

static bool
can_rewrite(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && term != NULL &&
	    strcmp(term, "dumb") != 0 && *term != '\0';
}

static size_t
columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

/*
 * Returns the step's title in a line of BuildKit's plain progress ("#6 [2/6]
 * RUN ..."), or NULL for other output ("#6 1.23 words").  A line of mmdebstrap
 * starts with "I: ".
 */
static const char *
headline(const char *line)
{
	if (strncmp(line, "I: ", 3) == 0)
		return strstr(line, "-hook") == NULL ? line + 3 : NULL;
	if (line[0] != '#')
		return NULL;
	line += 1 + strspn(line + 1, "0123456789");
	if (strncmp(line, " [", 2) != 0 || strstr(line, "[internal]") != NULL)
		return NULL;
	return line + 1;
}

/*
 * Returns the text for the status line: any output, without step number and
 * time.
 */
static const char *
latest(const char *line)
{
	if (headline(line) != NULL)
		return headline(line);
	if (line[0] == '#')
		line += 1 + strspn(line + 1, "0123456789");
	return line + strspn(line, " .0123456789");
}

static void
rewrite(struct status *status, const char *text)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	size_t room = columns() - 1;

	strbuf_addf(&shown, "drydock: %s: ", status->image);
	strbuf_add_escaped(&shown, text, strlen(text));
	if (shown.len > room) {
		/* Do not cut a UTF-8 character in two. */
		while (
		    room > 0 && ((unsigned char)shown.buf[room] & 0xc0) == 0x80)
			room--;
		strbuf_setlen(&shown, room);
	}
	(void)fprintf(stderr, "\r\033[K%s", shown.buf);
	(void)fflush(stderr);
	status->shown = true;
}

/* Appends a step with single blanks and without --mount options. */
static void
add_step(struct strbuf *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " \r");

		if (len > 0 && strncmp(text, "--mount=", 8) != 0)
			strbuf_addf(out, "%s%.*s", out->len > 0 ? " " : "",
			    (int)len, text);
		text += len + strspn(text + len, " \r");
	}
}

static void
show(void *arg, const char *data, size_t len)
{
	struct status *status = arg;
	cleanup_free char *line = xstrndup(data, len);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (status->rewrite) {
		add_step(&text, latest(line));
		if (text.len > 0)
			rewrite(status, text.buf);
	} else if (headline(line) != NULL) {
		add_step(&text, headline(line));
		if (strvec_has(&status->steps, text.buf))
			return;
		strvec_push(&status->steps, text.buf);
		diag_note("%s: %s", status->image, text.buf);
	}
}

static int
build_one(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct build_options *options,
    struct build_outcome *ret_outcome, struct diag *dg)
{
	struct status status = {
		.image = build_kind_name(kind),
		.rewrite = can_rewrite(),
		.steps = STRVEC_INIT,
	};
	struct build_options own = *options;
	int ret;

	own.progress = show;
	own.progress_arg = &status;
	diag_note("building the %s image", status.image);
	ret = build_image(kind, engine, recipe, &own, ret_outcome, dg);
	if (status.shown)
		(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	strvec_release(&status.steps);
	return ret;
}

static int
build_images(const struct engine *engine, const struct build_recipe *recipe,
    const struct build_options *options, struct build_outcome *ret_agent,
    struct build_outcome *ret_egress, struct diag *dg)
{
	cleanup_close int lock_fd = -1;
	struct build_options egress = *options;

	/*
	 * A concurrent build may hold the lock for two images, each within
	 * build_timeout.
	 */
	if (built_lock(recipe->paths,
		2 * (int)recipe->settings->build_timeout_ms, &lock_fd,
		dg) != 0 ||
	    build_one(BUILD_AGENT, engine, recipe, options, ret_agent, dg) != 0)
		return -1;
	/* The first build has just pulled or created the base. */
	egress.pull = false;
	egress.second = true;
	return build_one(BUILD_EGRESS, engine, recipe, &egress, ret_egress, dg);
}

int
build_both(const struct engine *engine, const struct build_recipe *recipe,
    const char *const *environ_, struct diag *dg)
{
	cleanup_build_outcome struct build_outcome agent = { NULL, "" };
	cleanup_build_outcome struct build_outcome egress = { NULL, "" };
	const struct build_options options = { .environ_ = environ_ };

	return build_images(engine, recipe, &options, &agent, &egress, dg);
}

static void
add_outcome(
    struct jsonw *w, const char *key, const struct build_outcome *outcome)
{
	jsonw_key_object(w, key);
	jsonw_key_str(w, "id", outcome->image_id);
	jsonw_key_str(w, "context", outcome->context);
	jsonw_close_object(w);
}

static int
print_json(const struct build_outcome *agent,
    const struct build_outcome *egress, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	add_outcome(w, "agent", agent);
	add_outcome(w, "egress", egress);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static int
check_update(const struct agent *agent, struct diag *dg)
{
	const char *version = agent_package_version(agent);

	if (version == NULL)
		return diag_set(dg, DIAG_USAGE,
		    "build: agent %s has no npm package that --update could "
		    "update",
		    agent->name);
	if (strcmp(version, AGENT_LATEST) == 0)
		return 0;
	return diag_set(dg, DIAG_USAGE,
	    "build: agent %s has the fixed version %s; to update it, run "
	    "\"drydock config set agent_version %s@latest\"",
	    agent->name, version, agent->name);
}

/*
 * Returned: the client's version in the newest recorded image, or in the newest
 * one at the fixed version if there is none, or NULL.  A failure is a warning.
 */
static char *
current_version(const struct context *ctx, const struct build_recipe *recipe)
{
	cleanup_context_files struct context_files *files = NULL;
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_free char *package = agent_package(recipe->agent);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf differs = STRBUF_INIT;
	struct agent fixed = *recipe->agent;
	const struct agent *const agents[] = { recipe->agent, &fixed };
	struct images_spec spec = { .engine = ctx->engine, .recipe = *recipe };
	char *version = NULL;
	int rc = 0;

	fixed.version = NULL;
	for (size_t i = 0;
	     rc == 0 && image.id == NULL && i < ARRAY_SIZE(agents); i++) {
		spec.recipe.agent = agents[i];
		rc = images_find(
		    &spec, BUILD_AGENT, &files, &image, &differs, &dg);
	}
	if (rc == 0 && image.id != NULL)
		rc = inimage_client_version(
		    ctx->engine, image.id, package, &version, &dg);
	if (rc != 0)
		diag_warn("the old version is unknown: %s", dg.message);
	return version;
}

static int
tell_versions(const struct context *ctx, const struct agent *agent,
    const char *image_id, const char *from, struct diag *dg)
{
	cleanup_free char *package = agent_package(agent);
	cleanup_free char *to = NULL;

	if (inimage_client_version(ctx->engine, image_id, package, &to, dg) !=
	    0)
		return -1;
	diag_note("%s: %s -> %s", package, from != NULL ? from : "none",
	    to != NULL ? to : "none");
	return 0;
}

/* If the engine does not answer, the sizes stay unknown. */
static void
read_own_sizes(const struct engine *engine, struct image_uses *uses)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	cleanup_free int64_t *shared = xcalloc(uses->nr + 1, sizeof(*shared));
	cleanup_diag struct diag dg = DIAG_INIT;

	for (size_t i = 0; i < uses->nr; i++)
		strvec_push(&ids, uses->v[i].entry->image);
	if (images_shared_sizes(engine, &ids, shared, &dg) != 0) {
		diag_warn("%s", dg.message);
		return;
	}
	for (size_t i = 0; i < uses->nr; i++)
		if (shared[i] >= 0 && uses->v[i].image.size >= shared[i])
			uses->v[i].own_size = uses->v[i].image.size - shared[i];
}

static void
add_json(struct jsonw *w, const struct image_use *use)
{
	const struct built *entry = use->entry;

	jsonw_open_object(w);
	jsonw_key_str(w, "id", entry->image);
	jsonw_key_str(w, "kind", entry->kind);
	if (entry->recipe != NULL)
		jsonw_key_str(w, "recipe", entry->recipe);
	if (entry->user != NULL) {
		jsonw_key_str(w, "user", entry->user);
		jsonw_key_str(w, "home", entry->home);
	}
	jsonw_key_str(w, "built_at", entry->built_at);
	jsonw_key_int(w, "size", use->image.size);
	if (use->own_size >= 0)
		jsonw_key_int(w, "own_size", use->own_size);
	jsonw_key_strvec(w, "names", &use->image.tags);
	jsonw_key_strvec(w, "needed_by", &use->users);
	jsonw_close_object(w);
}

static int
list_json(const struct image_uses *uses, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_array(w, "images");
	for (size_t i = 0; i < uses->nr; i++)
		if (uses->v[i].image.id != NULL)
			add_json(w, &uses->v[i]);
	jsonw_close_array(w);
	if (uses->unknown != NULL)
		jsonw_key_str(w, "unknown", uses->unknown);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static void
add_megabytes(struct strbuf *out, int64_t size)
{
	if (size < 0)
		strbuf_addf(out, "%8s   ", "-");
	else
		strbuf_addf(
		    out, "%8lld MB", (long long)(size + 500000) / 1000000);
}

static void
list_text(const struct image_uses *uses)
{
	(void)printf("%-12s  %11s%11s  %-13s %s\n", "IMAGE", "SIZE",
	    "NOT SHARED", "BUILT", "CONTENTS AND USERS");
	for (size_t i = 0; i < uses->nr; i++) {
		const struct image_use *use = &uses->v[i];
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		cleanup_strbuf struct strbuf when = STRBUF_INIT;
		cleanup_strbuf struct strbuf what = STRBUF_INIT;

		if (use->image.id == NULL)
			continue;
		strbuf_addf(
		    &line, "%.12s  ", use->image.id + strlen("sha256:"));
		add_megabytes(&line, use->image.size);
		add_megabytes(&line, use->own_size);
		listed_add_when(&when, use->entry->built_at, time(NULL));
		image_use_describe(use, &what);
		strbuf_addf(&line, "  %-13s ", when.buf);
		strbuf_add_escaped(&line, what.buf, what.len);
		if (use->entry->home != NULL) {
			strbuf_addstr(&line, " for ");
			strbuf_add_escaped(
			    &line, use->entry->home, strlen(use->entry->home));
		}
		strbuf_addstr(
		    &line, use->users.nr > 0 ? ", needed by " : ", not needed");
		for (size_t u = 0; u < use->users.nr; u++) {
			strbuf_addstr(&line, u > 0 ? ", " : "");
			strbuf_add_escaped(
			    &line, use->users.v[u], strlen(use->users.v[u]));
		}
		(void)printf("%s\n", line.buf);
	}
}

static int
list(struct context *ctx, bool json, struct diag *dg)
{
	cleanup_image_uses struct image_uses uses = IMAGE_USES_INIT;
	const struct image_uses_spec spec = { ctx->paths, ctx->settings,
		ctx->engine };

	if (sessions_find_engine(ctx, NULL, dg) != 0 ||
	    image_uses_read(&spec, &uses, dg) != 0)
		return -1;
	read_own_sizes(ctx->engine, &uses);
	if (uses.unknown != NULL)
		diag_warn(
		    "not all uses of the images are known: %s", uses.unknown);
	if (json)
		return list_json(&uses, dg);
	list_text(&uses);
	return 0;
}

static int
build_run(struct context *ctx, struct diag *dg)
{
	const struct build_cmd_options *o = ctx->options;
	cleanup_build_outcome struct build_outcome image = { NULL, "" };
	cleanup_build_outcome struct build_outcome egress = { NULL, "" };
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	const struct build_recipe recipe = { ctx->settings, &agent, &toolchains,
		ctx->paths };
	const struct build_options build = {
		.base = o->base,
		.bootstrap = o->bootstrap,
		.pull = o->pull,
		.no_cache = o->no_cache,
		.update = o->update,
		.environ_ = ctx->environ_,
	};
	cleanup_free char *from = NULL;

	if (ctx->argc > 1 || ctx->dashdash < ctx->argc)
		return diag_set(dg, DIAG_USAGE, "build takes one directory");
	if (o->list &&
	    (ctx->argc > 0 || o->base != NULL || o->bootstrap || o->pull ||
		o->no_cache || o->update))
		return diag_set(
		    dg, DIAG_USAGE, "build: --list accepts only --json");
	if (o->list)
		return list(ctx, o->json, dg);
	if (o->bootstrap && o->base != NULL)
		return diag_set(dg, DIAG_USAGE,
		    "build: --base and --bootstrap exclude each other");
	if (o->base != NULL && (*o->base == '\0' || *o->base == '-'))
		return diag_set(dg, DIAG_USAGE,
		    "build: --base \"%s\" is not an image", o->base);
	if (ctx->argc > 0 &&
	    (project_open(&project, ctx->argv[0], ctx->paths, dg) != 0 ||
		settings_load_project(
		    ctx->settings, ctx->paths, &project, dg) != 0))
		return -1;
	/*
	 * trusted_check() must run first: settings such as base_image and
	 * packages decide the content of every session's image.
	 */
	if (agent_choose(&agent, ctx->settings, ctx->paths, dg) != 0 ||
	    toolchains_load(
		&toolchains, &ctx->settings->toolchains, ctx->paths, dg) != 0 ||
	    statedir_open(ctx->paths, dg) != 0 ||
	    trusted_check(ctx->paths, project.path, dg) != 0 ||
	    (o->update && check_update(&agent, dg) != 0) ||
	    engine_ready(ctx->engine, ctx->settings, ctx->paths, NULL,
		ctx->environ_, dg) != 0)
		return -1;
	if (o->update)
		from = current_version(ctx, &recipe);
	if (build_images(ctx->engine, &recipe, &build, &image, &egress, dg) !=
		0 ||
	    (o->update &&
		tell_versions(ctx, &agent, image.image_id, from, dg) != 0))
		return -1;
	if (o->json)
		return print_json(&image, &egress, dg);
	(void)printf("agent  %s\negress %s\n", image.image_id, egress.image_id);
	return 0;
}

static const struct optdef build_optdefs[] = {
	{ "base", 0, OPT_STRING, offsetof(struct build_cmd_options, base),
	    "IMAGE", "build on IMAGE instead of the setting base_image" },
	{ "bootstrap", 0, OPT_FLAG,
	    offsetof(struct build_cmd_options, bootstrap), NULL,
	    "make the base from Debian's package sources, without a registry" },
	{ "pull", 0, OPT_FLAG, offsetof(struct build_cmd_options, pull), NULL,
	    "download or make the base again" },
	{ "no-cache", 0, OPT_FLAG, offsetof(struct build_cmd_options, no_cache),
	    NULL, "run every step again" },
	{ "list", 0, OPT_FLAG, offsetof(struct build_cmd_options, list), NULL,
	    "build nothing; list the images and what needs each" },
	{ "update", 0, OPT_FLAG, offsetof(struct build_cmd_options, update),
	    NULL,
	    "install the agent's newest version (agent_version = latest) and "
	    "print the old and the new version" },
	{ "json", 'j', OPT_FLAG, offsetof(struct build_cmd_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_build = {
	.name = "build",
	.args = "[DIR]",
	.summary = "make the agent's and the egress image",
	.description =
	    "With DIR, builds the images that the project needs: its settings "
	    "file names\ntoolchains, packages, agent and base image.  "
	    "Projects with equal needs share\ntheir images.\n\n"
	    "Build steps use this host's package sources, proxy variables and "
	    "npm settings;\nthe images keep none of them.  The agent's image "
	    "is made for the caller: name,\nuid, gid and home.  A new image is "
	    "checked in a container like a session's\nbefore it counts.",
	.needs = CMD_NEED_SETTINGS | CMD_NEED_SETUID,
	.options = build_optdefs,
	.options_size = sizeof(struct build_cmd_options),
	.run = build_run,
};
