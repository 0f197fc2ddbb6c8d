/* SPDX-License-Identifier: MIT */
/* Which docker is run: who can replace it, and where sessions can write. */

/* For the search of PATH alone: the host's own docker would come first. */
#include "host/program.c"

#include <grp.h>

#include "check.h"
#include "tree-kit.h"

struct world {
	struct paths paths;
	struct settings settings;
	struct knownprojects *known; /* owned */
	int dir; /* owned; the test's own */
};

static void
world_release(struct world *w)
{
	knownprojects_freep(&w->known);
	settings_release(&w->settings);
	paths_release(&w->paths);
	(void)close(w->dir);
}

#define cleanup_world __attribute__((cleanup(world_release)))

/* A home, a state directory, and the known project "project". */
static void
world_init(struct world *w)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *project = xasprintf("%s/project", check_tmpdir());

	memset(w, 0, sizeof(*w));
	w->dir = tree_open();
	paths_init(&w->paths);
	settings_init(&w->settings);
	w->paths.uid = getuid();
	w->paths.home = xasprintf("%s/home", check_tmpdir());
	w->paths.state_dir = xasprintf("%s/state", check_tmpdir());
	CHECK_INT(mkdirat(w->dir, "home", 0700), 0);
	CHECK_INT(mkdirat(w->dir, "project", 0700), 0);
	CHECK_INT(mkdirat(w->dir, "state", 0700), 0);
	CHECK_INT(fs_open_dir(w->paths.state_dir, &w->paths.state_fd, &dg), 0);
	CHECK_INT(knownprojects_add(&w->paths, project, &dg), 0);
	CHECK_INT(knownprojects_load(&w->paths, &w->known, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

/* An executable at bin/docker below the directory at path. */
static void
put_program(const struct world *w, const char *path)
{
	cleanup_free char *bin = xasprintf("%s/bin", path);
	cleanup_free char *docker = xasprintf("%s/docker", bin);

	(void)mkdirat(w->dir, path, 0755);
	CHECK_INT(mkdirat(w->dir, bin, 0755), 0);
	tree_file(w->dir, docker, 0755);
}

/* Returned: the program found, "" for none, or the failure's message. */
static char *
find(const struct world *w, const char *search_path, const char *project)
{
	const char *const projects[] = { project, NULL };
	const struct program_search search = {
		.paths = &w->paths,
		.settings = &w->settings,
		.path = search_path,
		.known = w->known,
		.projects = projects,
	};
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *passed_over = NULL;
	char *path = NULL;

	if (program_find(PROGRAM_DOCKER, &search, &path, &passed_over, &dg) !=
	    0)
		return xstrdup(dg.message);
	if (path != NULL)
		return path;
	return xasprintf("%s", passed_over != NULL ? passed_over : "");
}

static void
name_program(struct world *w, const char *below)
{
	free(w->settings.docker);
	w->settings.docker = xasprintf("%s/%s", check_tmpdir(), below);
}

static void
expect_named(struct world *w, const char *below, const char *message)
{
	cleanup_free char *found = NULL;
	cleanup_free char *want = NULL;

	name_program(w, below);
	found = find(w, "/nowhere", NULL);
	want = xasprintf("%s%s", w->settings.docker, message);
	CHECK_STR(found, want);
}

static void
a_setting_names_a_program(void)
{
	cleanup_world struct world w;

	world_init(&w);
	put_program(&w, "tools");
	expect_named(&w, "tools/bin/docker", "");
	expect_named(&w, "tools/bin/absent",
	    " is not a program that can be run (setting docker)");
	expect_named(&w, "tools/bin",
	    " is not a program that can be run (setting docker)");
	tree_file(w.dir, "tools/bin/plain", 0644);
	expect_named(&w, "tools/bin/plain",
	    " is not a program that can be run (setting docker)");
	CHECK_INT(fchmodat(w.dir, "tools/bin/docker", 0757, 0), 0);
	expect_named(&w, "tools/bin/docker",
	    " is not run: a user other than you and root can replace it (setting "
	    "docker)");
	CHECK_INT(fchmodat(w.dir, "tools/bin/docker", 0755, 0), 0);
	CHECK_INT(fchmodat(w.dir, "tools/bin", 0757, 0), 0);
	expect_named(&w, "tools/bin/docker",
	    " is not run: a user other than you and root can replace it (setting "
	    "docker)");
}

/* A group that the test's user alone is in, by the name of the user. */
static struct group own_group;

struct group *
getgrgid(gid_t gid)
{
	return gid == getgid() ? &own_group : NULL;
}

/* As umask 002 leaves it: the group is the caller's, or others are in it. */
static void
a_group_may_write_that_is_the_callers_own(void)
{
	static const char refused[] =
	    " is not run: a user other than you and root can replace it (setting "
	    "docker)";
	static char name[] = "tester", other[] = "other";
	static char *alone[] = { name, NULL };
	static char *more[] = { name, other, NULL };
	cleanup_world struct world w;

	world_init(&w);
	w.paths.user = xstrdup(name);
	w.paths.gid = getgid();
	own_group = (struct group){ .gr_name = name, .gr_mem = alone };
	put_program(&w, "tools");
	CHECK_INT(fchmodat(w.dir, "tools/bin", 0775, 0), 0);
	expect_named(&w, "tools/bin/docker", "");
	CHECK_INT(fchmodat(w.dir, "tools/bin/docker", 0775, 0), 0);
	expect_named(&w, "tools/bin/docker", "");
	own_group.gr_mem = more;
	expect_named(&w, "tools/bin/docker", refused);
	own_group.gr_mem = alone;
	own_group.gr_name = other;
	expect_named(&w, "tools/bin/docker", refused);
	own_group.gr_name = name;
	CHECK_INT(fchmodat(w.dir, "tools/bin/docker", 0755, 0), 0);
	expect_named(&w, "tools/bin/docker", "");
	/* The mode's bits of the group are another user's then. */
	if (!CHECK(tree_access_list(w.dir, "tools/bin", 12345)))
		return;
	expect_named(&w, "tools/bin/docker", refused);
}

static void
put_script(const struct world *w, const char *first)
{
	tree_put(w->dir, "script", first);
	CHECK_INT(fchmodat(w->dir, "script", 0755, 0), 0);
}

/* The kernel runs what a script names, not the script. */
static void
what_runs_a_script_is_a_program_too(void)
{
	static const char refused[] =
	    " is not run: it, a link to it or its interpreter lies where "
	    "sessions can write; name one outside of every project (setting docker)";
	static const char none[] =
	    " is not a program that can be run (setting docker)";
	cleanup_world struct world w;
	cleanup_free char *direct =
	    xasprintf("#! \t%s/project/bin/docker -x\n", check_tmpdir());
	cleanup_free char *link = xasprintf("#!%s/link", check_tmpdir());
	cleanup_free char *chain = xasprintf("#!%s/chain", check_tmpdir());
	cleanup_free char *found = NULL;
	cleanup_free char *itself = xasprintf("#!%s/script\n", check_tmpdir());

	world_init(&w);
	put_program(&w, "project");
	put_script(&w, "#!/bin/sh\n");
	expect_named(&w, "script", "");
	/* What is said of a project that holds /bin/sh, the policy says. */
	found = find(&w, "/nowhere", "/usr");
	CHECK_STR(found, w.settings.docker);
	put_script(&w, direct);
	expect_named(&w, "script", refused);
	CHECK_INT(symlinkat("project/bin/docker", w.dir, "link"), 0);
	put_script(&w, link);
	expect_named(&w, "script", refused);
	tree_put(w.dir, "chain", direct);
	CHECK_INT(fchmodat(w.dir, "chain", 0755, 0), 0);
	put_script(&w, chain);
	expect_named(&w, "script", refused);
	put_script(&w, "#!bin/sh\n");
	expect_named(&w, "script", none);
	put_script(&w, "#!\n");
	expect_named(&w, "script", none);
	put_script(&w, itself);
	expect_named(&w, "script", none);
}

/* By its other name an agent could write it. */
static void
a_named_program_has_one_name(void)
{
	cleanup_world struct world w;

	world_init(&w);
	put_program(&w, "tools");
	CHECK_INT(linkat(w.dir, "tools/bin/docker", w.dir, "other", 0), 0);
	/* Root's programs often have several names. */
	if (getuid() == 0) {
		expect_named(&w, "tools/bin/docker", "");
		w.paths.uid = 12345;
		CHECK_INT(fchownat(w.dir, "other", 12345, 0, 0), 0);
	}
	expect_named(&w, "tools/bin/docker",
	    " is not run: it or its interpreter has a second hard link, "
	    "through which it can be changed: name a copy (setting docker)");
	CHECK_INT(unlinkat(w.dir, "other", 0), 0);
	expect_named(&w, "tools/bin/docker", "");
}

static void
no_setting_reaches_into_a_project(void)
{
	static const char refused[] =
	    " is not run: it, a link to it or its interpreter lies where "
	    "sessions can write; name one outside of every project (setting docker)";
	cleanup_world struct world w;
	cleanup_free char *deep = xasprintf("%s/project/deep", check_tmpdir());
	cleanup_free char *into =
	    xasprintf("%s/project/bin/docker", check_tmpdir());

	world_init(&w);
	put_program(&w, "project");
	put_program(&w, "state");
	CHECK_INT(mkdirat(w.dir, "project/deep", 0755), 0);
	put_program(&w, "tools");
	expect_named(&w, "project/bin/docker", refused);
	expect_named(&w, "project/deep/../bin/docker", refused);
	expect_named(&w, "state/bin/docker", refused);
	/* By links: to a program there, to its directory, and through one. */
	CHECK_INT(symlinkat(into, w.dir, "link"), 0);
	expect_named(&w, "link", refused);
	CHECK_INT(symlinkat("project/bin", w.dir, "linked"), 0);
	expect_named(&w, "linked/docker", refused);
	CHECK_INT(
	    symlinkat("../../tools/bin/docker", w.dir, "project/bin/out"), 0);
	expect_named(&w, "project/bin/out", refused);
	CHECK_INT(symlinkat("project/bin/out", w.dir, "through"), 0);
	expect_named(&w, "through", refused);
	expect_named(&w, "tools/bin/docker", "");
	/* Another name of the directory does not hide it. */
	CHECK_INT(symlinkat(deep, w.dir, "alias"), 0);
	expect_named(&w, "alias/../bin/docker", refused);
}

/* Looks in BELOW/bin as in a directory of PATH, from the directory cwd. */
static void
expect_path(const struct world *w, const char *below, const char *cwd,
    const char *project, bool runs)
{
	const char *const projects[] = { project, NULL };
	const struct program_search search = {
		.paths = &w->paths,
		.settings = &w->settings,
		.known = w->known,
		.projects = projects,
	};
	const struct candidate c = { &search, cwd, TRUST_ROOT };
	cleanup_free char *program =
	    xasprintf("%s/%s/bin/docker", check_tmpdir(), below);
	cleanup_free char *path = xasprintf(
	    "relative:bin::/nowhere:%s/%s/bin:", check_tmpdir(), below);
	cleanup_free char *passed_over = NULL;
	cleanup_free char *found = look_in(&c, "docker", path, &passed_over);

	if (!CHECK_STR(found, runs ? program : NULL))
		CHECK_STR(below, "found");
	CHECK_STR(passed_over, runs ? NULL : program);
}

static void
a_program_of_path_is_roots_alone(void)
{
	static const struct {
		const char *name;
		mode_t directory, program;
		uid_t directory_owner, program_owner;
		bool runs;
	} cases[] = {
		{ "fine", 0755, 0755, 0, 0, true },
		{ "program-of-a-group", 0755, 0775, 0, 0, false },
		{ "program-of-all", 0755, 0757, 0, 0, false },
		{ "program-of-a-user", 0755, 0755, 0, 12345, false },
		{ "directory-of-a-group", 0775, 0755, 0, 0, false },
		{ "directory-of-all", 0757, 0755, 0, 0, false },
		{ "directory-of-a-user", 0755, 0755, 12345, 0, false },
		{ "directory-of-all-sticky", 01777, 0755, 0, 0, true },
	};
	cleanup_world struct world w;

	world_init(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *program =
		    xasprintf("%s/bin/docker", cases[i].name);

		put_program(&w, cases[i].name);
		CHECK_INT(
		    fchmodat(w.dir, cases[i].name, cases[i].directory, 0), 0);
		CHECK_INT(fchmodat(w.dir, program, cases[i].program, 0), 0);
		if (getuid() == 0) {
			CHECK_INT(fchownat(w.dir, cases[i].name,
				      cases[i].directory_owner, 0, 0),
			    0);
			CHECK_INT(fchownat(w.dir, program,
				      cases[i].program_owner, 0, 0),
			    0);
		}
		/* Of an ordinary user's own none is run. */
		expect_path(&w, cases[i].name, NULL, NULL,
		    cases[i].runs && getuid() == 0);
	}
	CHECK_INT(symlinkat("program-of-a-user", w.dir, "link"), 0);
	expect_path(&w, "link", NULL, NULL, false);
}

/* Of root's own projects, too, where all is root's. */
static void
no_program_of_path_is_in_a_project(void)
{
	cleanup_world struct world w;
	cleanup_free char *other = xasprintf("%s/other", check_tmpdir());
	cleanup_free char *cwd = xasprintf("%s/cwd", check_tmpdir());
	bool root = getuid() == 0;

	world_init(&w);
	put_program(&w, "tools");
	put_program(&w, "other");
	put_program(&w, "cwd");
	put_program(&w, "project");
	put_program(&w, "state");
	put_program(&w, "home");
	expect_path(&w, "tools", cwd, other, root);
	expect_path(&w, "other", cwd, NULL, root);
	expect_path(&w, "other", cwd, other, false);
	expect_path(&w, "cwd", NULL, NULL, root);
	expect_path(&w, "cwd", cwd, NULL, false);
	/* A directory that holds the home is no project. */
	expect_path(&w, "tools", check_tmpdir(), NULL, root);
	expect_path(&w, "tools", "/", NULL, root);
	expect_path(&w, "project", NULL, NULL, false);
	expect_path(&w, "state", NULL, NULL, false);
	expect_path(&w, "home", NULL, NULL, root);
	CHECK_INT(mkdirat(w.dir, "links", 0755), 0);
	CHECK_INT(mkdirat(w.dir, "links/bin", 0755), 0);
	CHECK_INT(
	    symlinkat("../../project/bin/docker", w.dir, "links/bin/docker"),
	    0);
	expect_path(&w, "links", NULL, NULL, false);
	CHECK_INT(unlinkat(w.dir, "project/bin/docker", 0), 0);
	CHECK_INT(symlinkat("/bin/sh", w.dir, "project/bin/docker"), 0);
	expect_path(&w, "project", NULL, NULL, false);
}

/* A known project that holds one of the system's directories. */
static void
what_is_below_a_project_is_not_the_systems(void)
{
	cleanup_world struct world w;
	cleanup_free char *path = xasprintf("%s/project/bin", check_tmpdir());
	cleanup_free char *program = xasprintf("%s/docker", path);
	cleanup_free char *passed_over = NULL;
	const struct program_search search = { &w.paths, &w.settings, NULL,
		NULL, NULL };
	struct program_search known = search;
	const struct candidate c = { &known, NULL, TRUST_SYSTEM };

	world_init(&w);
	known.known = w.known;
	put_program(&w, "project");
	CHECK_STR(look_in(&c, "docker", path, &passed_over), NULL);
	CHECK_STR(passed_over, program);
}

static void
the_systems_own_comes_before_path(void)
{
	cleanup_world struct world w;
	cleanup_free char *system = program_find_system("docker");
	cleanup_free char *path = xasprintf("%s/tools/bin", check_tmpdir());
	cleanup_free char *program = xasprintf("%s/docker", path);
	cleanup_free char *found = NULL;
	cleanup_free char *none = NULL;

	world_init(&w);
	put_program(&w, "tools");
	found = find(&w, path, NULL);
	CHECK_STR(found, system != NULL ? system : program);
	none = find(&w, NULL, NULL);
	CHECK_STR(none, system != NULL ? system : "");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a setting names a program", a_setting_names_a_program },
		{ "a group may write that is the caller's own",
		    a_group_may_write_that_is_the_callers_own },
		{ "what runs a script is a program, too",
		    what_runs_a_script_is_a_program_too },
		{ "a named program has one name",
		    a_named_program_has_one_name },
		{ "no setting reaches into a project",
		    no_setting_reaches_into_a_project },
		{ "a program of PATH is root's alone",
		    a_program_of_path_is_roots_alone },
		{ "no program of PATH is in a project",
		    no_program_of_path_is_in_a_project },
		{ "the system's own comes before PATH",
		    the_systems_own_comes_before_path },
		{ "what is below a project is not the system's",
		    what_is_below_a_project_is_not_the_systems },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
