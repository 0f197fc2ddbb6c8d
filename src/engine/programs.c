/* SPDX-License-Identifier: MIT */
/* programs: lists the programs on an image's PATH by its own shell. */
#include "engine/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/inimage.h"
#include "host/paths.h"

#define DIRECTORY "programs"
#define FILE_MAX ((size_t)256 * 1024)
#define ID_PREFIX "sha256:"

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

	return text->len >= len && text->len <= FILE_MAX &&
	    memcmp(text->buf + text->len - len, end, len) == 0;
}

int
programs_record(const struct paths *paths, const struct engine *engine,
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
		    image_id, FILE_MAX);
	if (fs_make_dir(paths->state_fd, DIRECTORY, 0700, &dir, dg) != 0)
		return -1;
	name = image_id + strlen(ID_PREFIX);
	fs_temp_clean(dir, name);
	return fs_replace_file(
	    dir, name, result.out.buf, result.out.len, 0600, dg);
}

int
programs_read(const struct paths *paths, const char *image_id,
    struct strvec *ret_names, bool *ret_known, struct diag *dg)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	*ret_known = false;
	if (!answer_is_image_id(image_id))
		return diag_set(
		    dg, DIAG_DATA, "'%.80s' is not an id", image_id);
	strbuf_addf(&path, DIRECTORY "/%s", image_id + strlen(ID_PREFIX));
	if (fs_open_nolinks(paths->state_fd, path.buf, O_RDONLY | O_NONBLOCK, 0,
		&fd, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (fs_read_fd(fd, path.buf, FILE_MAX, &text, dg) != 0)
		return -1;
	if (!is_complete(&text))
		return diag_set(dg, DIAG_DATA,
		    "%s/%s is damaged: run \"drydock build\"", paths->state_dir,
		    path.buf);
	strvec_split(ret_names, text.buf, '\n');
	*ret_known = true;
	return 0;
}

int
programs_prune(
    const struct paths *paths, const struct strvec *images, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int dir = -1;

	if (fs_open_nolinks(paths->state_fd, DIRECTORY, O_RDONLY | O_DIRECTORY,
		0, &dir, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (fs_list_names(dir, DIRECTORY, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *id = xasprintf(ID_PREFIX "%s", names.v[i]);

		if (strvec_has(images, id))
			continue;
		if (unlinkat(dir, names.v[i], 0) != 0 && errno != ENOENT)
			return diag_set_errno(dg, DIAG_IO, errno,
			    "remove %s/" DIRECTORY "/%s", paths->state_dir,
			    names.v[i]);
	}
	return 0;
}
