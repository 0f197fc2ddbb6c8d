/* SPDX-License-Identifier: MIT */
/*
 * build-images: builds the images one after the other and prints the progress.
 */
#include "cmd/build-images.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/built.h"
#include "host/settings.h"

#define DEFAULT_COLUMNS 80

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

static void
wipe(struct status *status)
{
	if (status->shown)
		(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	status->shown = false;
}

static int
build_one(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct paths *paths,
    const struct build_options *options, struct build_outcome *ret_outcome,
    struct diag *dg)
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
	ret = build_image(kind, engine, recipe, paths, &own, ret_outcome, dg);
	wipe(&status);
	strvec_release(&status.steps);
	return ret;
}

int
build_images(const struct engine *engine, const struct build_recipe *recipe,
    const struct paths *paths, const struct build_options *options,
    struct built_images *ret_built, struct diag *dg)
{
	cleanup_close int lock_fd = -1;
	struct build_options second = *options;

	/*
	 * A concurrent build may hold the lock for two images, each within
	 * build_timeout.
	 */
	if (built_lock(paths, 2 * (int)recipe->settings->build_timeout_ms,
		&lock_fd, dg) != 0 ||
	    build_one(BUILD_AGENT, engine, recipe, paths, options,
		&ret_built->agent, dg) != 0)
		return -1;
	/* The first build has just pulled or created the base. */
	second.pull = false;
	second.keep_base = true;
	return build_one(BUILD_EGRESS, engine, recipe, paths, &second,
	    &ret_built->egress, dg);
}

void
built_images_release(struct built_images *built)
{
	build_outcome_release(&built->agent);
	build_outcome_release(&built->egress);
}
