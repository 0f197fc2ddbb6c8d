/* SPDX-License-Identifier: MIT */
/*
 * data-kit: the tree's data files as an installation has them: nobody but the
 * owner writes to them, whatever umask the tree was cloned under.
 */
#ifndef DRYDOCK_TESTS_DATA_KIT_H
#define DRYDOCK_TESTS_DATA_KIT_H

struct paths;

/*
 * Returned: the directory "data" in dir, with copies of agents/, bundles/,
 * compose/ and toolchains/, to be paths.data_dir; made once.  A failure is a failed check.
 */
char *data_kit_copy(const char *dir);

/*
 * Sets the caller's ids, data_dir to such a copy in check_tmpdir(), and
 * config_dir to a new directory beside it.  The caller releases *paths.
 */
void data_kit_paths(struct paths *paths);

#endif /* DRYDOCK_TESTS_DATA_KIT_H */
