/* SPDX-License-Identifier: MIT */
/* protected: the table of protected paths, and its queries. */
#include "host/protected.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/text.h"

#define CREDENTIALS PROTECTED_CREDENTIALS
#define LOCAL "local"
#define PROFILES "profiles"
#define PROGRAMS "own-programs"
#define STARTUP "startup"
#define SYSTEM "system"

static const struct protected_place table[] = {
	{ CREDENTIALS, ".ssh", "ssh(1), FILES" },
	{ CREDENTIALS, ".gnupg", "gpg(1), FILES" },
	{ CREDENTIALS, ".aws", "AWS CLI, configuration files" },
	{ CREDENTIALS, ".azure", "Azure CLI, AZURE_CONFIG_DIR" },
	{ CREDENTIALS, ".kube", "kubectl, kubeconfig" },
	{ CREDENTIALS, ".docker", "docker(1), config.json" },
	{ CREDENTIALS, ".config/containers/auth.json",
	    "containers-auth.json(5)" },
	{ CREDENTIALS, ".config/gcloud", "gcloud, CLOUDSDK_CONFIG" },
	{ CREDENTIALS, ".config/gh", "gh, GH_CONFIG_DIR" },
	{ CREDENTIALS, ".config/glab-cli", "glab, GLAB_CONFIG_DIR" },
	{ CREDENTIALS, ".config/hub", "hub(1)" },
	{ CREDENTIALS, ".config/git/credentials", "git-credential-store(1)" },
	{ CREDENTIALS, ".git-credentials", "git-credential-store(1)" },
	{ CREDENTIALS, ".netrc", "netrc(5)" },
	{ CREDENTIALS, ".npmrc", "npmrc(5)" },
	{ CREDENTIALS, ".pypirc", ".pypirc, PyPA specifications" },
	{ CREDENTIALS, ".cargo/credentials", "cargo-login(1)" },
	{ CREDENTIALS, ".cargo/credentials.toml", "cargo-login(1)" },
	{ CREDENTIALS, ".gem/credentials", "gem, guides.rubygems.org" },
	{ CREDENTIALS, ".terraform.d", "Terraform CLI, credentials" },
	{ CREDENTIALS, ".vault-token", "vault, token helper" },
	{ CREDENTIALS, ".pgpass", "PostgreSQL, libpq-pgpass" },
	{ CREDENTIALS, ".my.cnf", "MySQL, option files" },
	{ CREDENTIALS, ".password-store", "pass(1)" },
	{ CREDENTIALS, ".config/op", "1Password CLI, configuration" },
	{ CREDENTIALS, ".config/rclone", "rclone(1), rclone.conf" },
	{ CREDENTIALS, ".config/sops", "sops, age keys" },

	/* Keyrings are in .local/share/keyrings. */
	{ LOCAL, ".local", "XDG Base Directory Specification" },

	{ PROFILES, ".mozilla", "Firefox, profiles" },
	{ PROFILES, ".thunderbird", "Thunderbird, profiles" },
	{ PROFILES, ".config/google-chrome", "Chrome, user data directory" },
	{ PROFILES, ".config/chromium", "Chromium, user data directory" },
	{ PROFILES, ".config/BraveSoftware", "Brave, profiles" },
	{ PROFILES, ".config/microsoft-edge", "Edge, user data directory" },
	{ PROFILES, ".config/vivaldi", "Vivaldi, profiles" },
	{ PROFILES, ".config/opera", "Opera, profiles" },
	{ PROFILES, ".config/1Password", "1Password for Linux" },
	{ PROFILES, ".config/Bitwarden", "Bitwarden for Linux" },
	{ PROFILES, ".config/keepassxc", "KeePassXC, settings" },
	{ PROFILES, ".var/app", "flatpak(1): data of applications" },
	{ PROFILES, "snap", "snapd: data of applications" },

	{ PROGRAMS, "bin", "Debian's /etc/skel/.profile" },
	{ PROGRAMS, ".cargo/bin", "rustup, cargo-install(1)" },
	{ PROGRAMS, "go/bin", "go help install" },

	{ STARTUP, ".profile", "bash(1), dash(1)" },
	{ STARTUP, ".bash_profile", "bash(1), FILES" },
	{ STARTUP, ".bash_login", "bash(1), FILES" },
	{ STARTUP, ".bash_logout", "bash(1), FILES" },
	{ STARTUP, ".bashrc", "bash(1), FILES" },
	{ STARTUP, ".bash_aliases", "Debian's /etc/skel/.bashrc" },
	{ STARTUP, ".zshenv", "zsh(1), STARTUP/SHUTDOWN FILES" },
	{ STARTUP, ".zprofile", "zsh(1), STARTUP/SHUTDOWN FILES" },
	{ STARTUP, ".zshrc", "zsh(1), STARTUP/SHUTDOWN FILES" },
	{ STARTUP, ".zlogin", "zsh(1), STARTUP/SHUTDOWN FILES" },
	{ STARTUP, ".zlogout", "zsh(1), STARTUP/SHUTDOWN FILES" },
	{ STARTUP, ".config/fish", "fish(1), configuration files" },
	{ STARTUP, ".pam_environment", "pam_env(8)" },
	{ STARTUP, ".config/environment.d", "environment.d(5)" },
	{ STARTUP, ".config/systemd", "systemd.unit(5)" },
	{ STARTUP, ".config/autostart", "XDG Autostart Specification" },
	{ STARTUP, ".config/plasma-workspace", "KDE Plasma: env, shutdown" },
	{ STARTUP, ".xprofile", "display managers" },
	{ STARTUP, ".xsession", "Xsession(5)" },
	{ STARTUP, ".xsessionrc", "Xsession(5)" },
	{ STARTUP, ".xinitrc", "startx(1)" },
	{ STARTUP, ".gitconfig", "git-config(1): runs aliases, hooks, pagers" },
	{ STARTUP, ".config/git", "git-config(1)" },

	{ "root", "/", "hier(7)" },
	{ "root-home", "/root", "hier(7)" },
	{ SYSTEM, "/etc", "hier(7)" },
	{ SYSTEM, "/proc", "proc(5)" },
	{ SYSTEM, "/sys", "sysfs(5)" },
	{ SYSTEM, "/dev", "hier(7)" },
	{ SYSTEM, "/run", "hier(7)" },
	{ SYSTEM, "/boot", "hier(7)" },
	{ SYSTEM, "/var/spool/cron", "crontab(1), atd(8)" },
	{ "engine-socket", "/run/docker.sock", "dockerd(8)" },
	{ "engine-socket", "/run/containerd/containerd.sock", "containerd" },
	{ "engine-socket", "/run/podman/podman.sock",
	    "podman-system-service(1)" },
	{ "engine-socket", "/run/crio/crio.sock", "crio(8)" },
	{ "engine-data", "/var/lib/docker", "dockerd(8)" },
	{ "engine-data", "/var/lib/containerd", "containerd" },
	{ "engine-data", "/var/lib/containers", "containers-storage.conf(5)" },
};

/*
 * Groups that store secrets or programs and are never copied.  Startup files
 * may be copied.
 */
static const char *const kept_from_copies[] = { CREDENTIALS, LOCAL, PROFILES };

static const char *const of_the_kernel[] = { "/proc", "/sys", "/dev", "/run" };

/* Variables that name the directory of an activated environment. */
static const char *const activations[] = { "VIRTUAL_ENV", "CONDA_PREFIX",
	"DIRENV_DIR" };

const struct protected_place *
protected_at(size_t i)
{
	return i < ARRAY_SIZE(table) ? &table[i] : NULL;
}

bool
protected_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

bool
protected_has(const char *home, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_the_kernel); i++) {
		if (protected_is_below(path, of_the_kernel[i]))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		cleanup_free char *place = NULL;
		size_t group = 0;

		while (group < ARRAY_SIZE(kept_from_copies) &&
		    strcmp(table[i].group, kept_from_copies[group]) != 0)
			group++;
		if (group == ARRAY_SIZE(kept_from_copies))
			continue;
		place = xasprintf("%s/%s", home, table[i].path);
		if (protected_is_below(path, place) ||
		    protected_is_below(place, path))
			return true;
	}
	return false;
}

bool
protected_is_credential(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].group, CREDENTIALS) == 0 &&
		    protected_is_below(path, table[i].path))
			return true;
	}
	return false;
}

char *
protected_search_dir_in(const char *search, const char *project)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	strvec_split(&dirs, search, ':');
	for (size_t i = 0; i < dirs.nr; i++) {
		cleanup_free char *real = realpath(dirs.v[i], NULL);

		if (real != NULL && protected_is_below(real, project))
			return xstrdup(dirs.v[i]);
	}
	return NULL;
}

bool
protected_is_activated(const char *dir)
{
	if (text_ends_with(dir, "/node_modules/.bin"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(activations); i++) {
		const char *root = getenv(activations[i]);

		/* direnv puts a dash before the path. */
		if (root != NULL && *root == '-')
			root++;
		if (root != NULL && *root == '/' && root[1] != '\0' &&
		    protected_is_below(dir, root))
			return true;
	}
	return false;
}
