/* SPDX-License-Identifier: MIT */
/*
 * hostconf: reads the network settings of apt, npm and the environment, and
 * certificates.
 */
#include "engine/hostconf.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/xalloc.h"
#include "engine/tarball.h"
#include "host/aptsources.h"
#include "host/npmrc.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/settings.h"
#include "host/trusted.h"

#define APT_DIR "/etc/apt"
#define TEXT_MAX ((size_t)256 * 1024)
#define CA_MAX ((size_t)1024 * 1024)
/* moby/buildkit session/secrets: MaxSecretSize. */
#define SECRET_MAX ((size_t)500 * 1024)
#define APT_CONFIG_TIMEOUT_MS 10000
#define CERTIFICATES_DIR "/usr/local/share/ca-certificates"
#define CERTIFICATES_DEPTH 4
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* Returns the value of NAME=value in os-release(5), without quotes. */
static char *
os_release_value(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p != NULL && *p != '\0';) {
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			p += len + 1;
			p += strspn(p, "\"'");
			return xstrndup(p, strcspn(p, "\"'\n"));
		}
		p = strchr(p, '\n');
		p = p == NULL ? NULL : p + 1;
	}
	return xstrdup("");
}

/* Adds a bundle unless its text is already included. */
static void
add_ca(struct hostconf *hc, const char *path)
{
	cleanup_strbuf struct strbuf pem = STRBUF_INIT;

	if (path == NULL || *path != '/' ||
	    !fs_try_read_text(path, CA_MAX, &pem) ||
	    strstr(hc->ca.buf, pem.buf) != NULL)
		return;
	strbuf_add(&hc->ca, pem.buf, pem.len);
	strbuf_addch(&hc->ca, '\n');
}

/*
 * Adds one line of `apt-config dump`: NAME "VALUE";  A value that is a path is
 * skipped: it names a program or file of the host, which the build does not
 * have.
 */
static void
take_apt_setting(struct hostconf *hc, const char *line)
{
	static const char *const wanted[] = { "Acquire::http::",
		"Acquire::https::", "Acquire::Check-Valid-Until ",
		"Acquire::Check-Date ", "Acquire::Max-FutureTime ",
		"Acquire::Retries ", "Acquire::ForceIPv4 ",
		"Acquire::ForceIPv6 " };
	static const char ca_info[] = "Acquire::https::CaInfo \"";
	const char *quote = strchr(line, '"');
	size_t len = strlen(line);

	/* The closing quote must not be the opening one. */
	if (quote == NULL || len < 3 || quote >= line + len - 2 ||
	    strncmp(line + len - 2, "\";", 2) != 0)
		return;
	if (strncasecmp(line, ca_info, sizeof(ca_info) - 1) == 0) {
		cleanup_free char *path =
		    xstrndup(quote + 1, len - 3 - (size_t)(quote - line));

		add_ca(hc, path);
	}
	if (quote[1] == '/' || quote[1] == '"')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (strncasecmp(line, wanted[i], strlen(wanted[i])) == 0) {
			strbuf_addf(&hc->apt_conf, "%s\n", line);
			return;
		}
}

static void
take_apt_settings(struct hostconf *hc, const char *text)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	strvec_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.nr; i++)
		take_apt_setting(hc, lines.v[i]);
}

static void
read_apt_settings(struct hostconf *hc)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *program = program_find_system("apt-config");
	const char *const argv[] = { program, "dump", NULL };
	const char *const envp[] = { "PATH=" PROC_SYSTEM_PATH, "LC_ALL=C",
		NULL };
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.envp = envp;
	spec.timeout_ms = APT_CONFIG_TIMEOUT_MS;
	if (program == NULL || proc_run(&spec, &result, &ignored) != 0 ||
	    result.status != 0 || result.timed_out || result.truncated)
		return;
	take_apt_settings(hc, result.out.buf);
}

static int
is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
read_apt_auth(struct hostconf *hc)
{
	struct dirent **entries = NULL;
	int n = scandir(APT_DIR "/auth.conf.d", &entries, is_shown, alphasort);

	if (fs_try_read_text(APT_DIR "/auth.conf", TEXT_MAX, &hc->apt_auth))
		strbuf_addch(&hc->apt_auth, '\n');
	for (int i = 0; i < n; i++) {
		cleanup_free char *path =
		    xasprintf(APT_DIR "/auth.conf.d/%s", entries[i]->d_name);

		if (fs_try_read_text(path, TEXT_MAX, &hc->apt_auth))
			strbuf_addch(&hc->apt_auth, '\n');
		free(entries[i]);
	}
	free(entries);
}

static void
read_npmrc(
    struct hostconf *hc, const struct paths *paths, const char *const *environ_)
{
	cleanup_free char *own = xasprintf("%s/.npmrc", paths->home);
	cleanup_free char *cafile = NULL;
	const char *user = envp_get(environ_, "NPM_CONFIG_USERCONFIG");
	const char *const files[] = { "/etc/npmrc", "/usr/etc/npmrc",
		"/usr/local/etc/npmrc", user != NULL ? user : own };

	/* A later line overrides an earlier one, as in npm. */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (fs_try_read_text(files[i], TEXT_MAX, &text))
			npmrc_parse(text.buf, environ_, &hc->npmrc, &cafile);
	}
	npmrc_from_environment(environ_, &hc->npmrc, &cafile);
	/*
	 * Drop unused credentials: install scripts of packages can read them in
	 * a build.
	 */
	hc->npm_withheld = !npmrc_keep_used(&hc->npmrc);
	add_ca(hc, cafile);
}

static void
read_proxies(struct hostconf *hc, const char *const *environ_)
{
	static const char *const names[] = { "HTTP_PROXY", "http_proxy",
		"HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy",
		"ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = envp_get(environ_, names[i]);

		if (value != NULL && *value != '\0')
			strvec_pushf(&hc->proxies, "%s=%s", names[i], value);
	}
}

void
hostconf_read(struct hostconf *ret, const struct paths *paths,
    const char *const *environ_)
{
	cleanup_strbuf struct strbuf release = STRBUF_INIT;
	cleanup_free char *id = NULL;

	(void)fs_try_read_text("/etc/os-release", TEXT_MAX, &release);
	id = os_release_value(release.buf, "ID");
	ret->codename = strcmp(id, "debian") == 0
	    ? os_release_value(release.buf, "VERSION_CODENAME")
	    : xstrdup("");
	aptsources_read(APT_DIR, ret->codename, &ret->sources);
	add_ca(ret, "/etc/ssl/certs/ca-certificates.crt");
	add_ca(ret, "/etc/pki/tls/certs/ca-bundle.crt");
	add_ca(ret, envp_get(environ_, "SSL_CERT_FILE"));
	add_ca(ret, envp_get(environ_, "NODE_EXTRA_CA_CERTS"));
	read_apt_settings(ret);
	read_apt_auth(ret);
	read_npmrc(ret, paths, environ_);
	read_proxies(ret, environ_);
}

/*
 * Appends the certificates in text, but never a private key in the same file.
 * Returns true if there was a certificate.
 */
static bool
add_blocks(const char *text, struct strbuf *pem)
{
	bool any = false;

	for (const char *at; (at = strstr(text, BEGIN)) != NULL;) {
		const char *end = strstr(at, END);

		if (end == NULL)
			break;
		text = end + strlen(END);
		strbuf_add(pem, at, (size_t)(text - at));
		strbuf_addch(pem, '\n');
		any = true;
	}
	return any;
}

/* Reads files sorted by name, so that the same files give the same text. */
static void
add_directory(const char *dir, int depth, struct strbuf *pem)
{
	struct dirent **entries = NULL;
	int n = depth > 0 ? scandir(dir, &entries, is_shown, alphasort) : 0;

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		const char *dot = strrchr(name, '.');
		cleanup_free char *path = xasprintf("%s/%s", dir, name);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (dot == NULL || strcmp(dot, ".crt") != 0)
			add_directory(path, depth - 1, pem);
		else if (fs_try_read_text(path, TEXT_MAX, &text))
			(void)add_blocks(text.buf, pem);
		free(entries[i]);
	}
	free(entries);
}

static int
add_file(const struct paths *paths, const char *path, struct strbuf *pem,
    struct diag *dg)
{
	cleanup_free char *dir =
	    xstrndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (trusted_open(paths, dir, path + strlen(dir), 0, &fd, dg) < 0)
		return diag_wrap(dg, "setting ca_file");
	if (fd < 0)
		return diag_set(
		    dg, DIAG_CONFIG, "setting ca_file: %s is not there", path);
	if (fs_read_fd(fd, path, TEXT_MAX, &text, dg) != 0)
		return diag_wrap(dg, "setting ca_file");
	if (!add_blocks(text.buf, pem))
		return diag_set(dg, DIAG_CONFIG,
		    "setting ca_file: %s has no certificate in PEM", path);
	return 0;
}

int
hostconf_read_certificates(const struct settings *settings,
    const struct paths *paths, struct strbuf *ret_pem, struct diag *dg)
{
	add_directory(CERTIFICATES_DIR, CERTIFICATES_DEPTH, ret_pem);
	if (settings->ca_file[0] == '\0')
		return 0;
	return add_file(paths, settings->ca_file, ret_pem, dg);
}

static bool
names_loopback(const char *text)
{
	return strstr(text, "://127.") != NULL ||
	    strstr(text, "://localhost") != NULL ||
	    strstr(text, "://[::1]") != NULL;
}

bool
hostconf_is_local(const struct hostconf *hc)
{
	for (size_t i = 0; i < hc->proxies.nr; i++)
		if (names_loopback(hc->proxies.v[i]))
			return true;
	for (size_t i = 0; i < hc->sources.nr; i++)
		if (names_loopback(hc->sources.v[i]))
			return true;
	return names_loopback(hc->apt_conf.buf) ||
	    names_loopback(hc->npmrc.buf);
}

static void
add_text(struct tarball *tar, const char *name, const struct strbuf *text)
{
	if (text->len > 0)
		tarball_add_file(tar, name, 0644, text->buf, text->len);
}

/* Adds the sources as one file, and each key file that they name. */
static void
add_sources(struct tarball *tar, const struct hostconf *hc)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < hc->sources.nr; i++) {
		const char *line = hc->sources.v[i];
		cleanup_free char *key = xstrndup(line, strcspn(line, "|"));
		cleanup_free char *name = NULL;
		cleanup_strbuf struct strbuf data = STRBUF_INIT;

		strbuf_addf(&text, "%s\n", line);
		if (*key != '/' || strvec_has(&keys, key))
			continue;
		strvec_push(&keys, key);
		name = xasprintf("keys%s", strrchr(key, '/'));
		if (fs_try_read(key, TEXT_MAX, &data))
			tarball_add_file(tar, name, 0644, data.buf, data.len);
	}
	add_text(tar, "sources", &text);
}

int
hostconf_pack(const struct hostconf *hc, struct strbuf *out, struct diag *dg)
{
	struct tarball *tar = tarball_new(out, true);

	add_sources(tar, hc);
	add_text(tar, "apt.conf", &hc->apt_conf);
	add_text(tar, "auth.conf", &hc->apt_auth);
	add_text(tar, "npmrc", &hc->npmrc);
	add_text(tar, "ca.crt", &hc->ca);
	add_text(tar, "trusted.crt", &hc->trusted);
	if (tarball_finish(tar, dg) != 0)
		return -1;
	if (out->len > SECRET_MAX)
		return diag_set(dg, DIAG_CONFIG,
		    "this host's certificates, package keys and registry "
		    "settings are more than a build takes (%zu kB)",
		    SECRET_MAX / 1024);
	return 0;
}

void
hostconf_release(struct hostconf *hc)
{
	free(hc->codename);
	hc->codename = NULL;
	strvec_release(&hc->sources);
	strbuf_release(&hc->apt_conf);
	strbuf_release(&hc->apt_auth);
	strbuf_release(&hc->npmrc);
	strbuf_release(&hc->ca);
	strbuf_release(&hc->trusted);
	strvec_release(&hc->proxies);
}
