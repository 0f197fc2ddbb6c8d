/* SPDX-License-Identifier: MIT */
/*
 * data-kit: the tree's data files as an installation has them: nobody but the
 * owner writes to them, whatever umask the tree was cloned under.
 */
#ifndef DRYDOCK_TESTS_DATA_KIT_H
#define DRYDOCK_TESTS_DATA_KIT_H

/*
 * Returned: the directory "data" in dir, with copies of agents/, compose/ and
 * toolchains/, to be paths.data_dir; made once.  What goes wrong is a failed check.
 */
char *data_kit_copy(const char *dir);

#endif /* DRYDOCK_TESTS_DATA_KIT_H */
