/* SPDX-License-Identifier: MIT */
/* userfile: what somebody else writes meanwhile stays. */
#include "host/userfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "host/paths.h"

#include "check.h"
#include "data-kit.h"

/* An editor replaces the file, or writes into it, without our lock. */
static void
test_changed_meanwhile(void)
{
	static const struct {
		const char *before; /* NULL: the file is absent */
		const char *meanwhile; /* NULL: nothing */
		bool in_place;
	} rows[] = {
		{ "a\n", NULL, false },
		{ NULL, NULL, false },
		{ "a\n", "b\n", false },
		{ "a\n", "longer\n", true },
		{ NULL, "b\n", false },
	};
	cleanup_paths struct paths paths;
	cleanup_close int dir = -1;

	data_kit_paths(&paths);
	dir = open(paths.config_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_userfile struct userfile file = USERFILE_INIT;
		cleanup_strbuf struct strbuf now = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_diag struct diag ignored = DIAG_INIT;
		const char *other = rows[i].meanwhile;
		cleanup_close int fd = -1;

		(void)unlinkat(dir, "f", 0);
		if (rows[i].before != NULL)
			CHECK_INT(fs_replace_file(dir, "f", rows[i].before,
				      strlen(rows[i].before), 0600, &dg),
			    0);
		CHECK_INT(userfile_open(&file, &paths, "f", 100, &dg), 0);
		if (other != NULL && rows[i].in_place) {
			fd = openat(dir, "f", O_WRONLY | O_TRUNC | O_CLOEXEC);
			CHECK_INT(
			    fs_write_all(fd, other, strlen(other), "f", &dg),
			    0);
		} else if (other != NULL) {
			CHECK_INT(fs_replace_file(dir, "f", other,
				      strlen(other), 0600, &dg),
			    0);
		}
		strbuf_addstr(&file.text, "mine\n");
		CHECK_INT(userfile_write(&file, &dg), other != NULL ? -1 : 0);
		CHECK_INT(dg.class, other != NULL ? DIAG_BUSY : DIAG_NONE);
		CHECK_INT(fs_read_file(dir, "f", 100, &now, &ignored), 0);
		CHECK_STR(now.buf, other != NULL ? other : file.text.buf);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a change that somebody makes meanwhile stays",
		    test_changed_meanwhile },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
