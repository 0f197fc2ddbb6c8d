/* SPDX-License-Identifier: MIT */
/* certificates: extracts PEM certificates from text files. */
#include "engine/certificates.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/settings.h"
#include "host/slurp.h"
#include "host/trusted.h"

#define SYSTEM_DIR "/usr/local/share/ca-certificates"
#define DEPTH_MAX 4
#define FILE_MAX ((size_t)256 * 1024)
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

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

static int
is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
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
		else if (slurp_text(path, FILE_MAX, &text))
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
	if (fs_read_fd(fd, path, FILE_MAX, &text, dg) != 0)
		return diag_wrap(dg, "setting ca_file");
	if (!add_blocks(text.buf, pem))
		return diag_set(dg, DIAG_CONFIG,
		    "setting ca_file: %s has no certificate in PEM", path);
	return 0;
}

int
certificates_read(const struct settings *settings, const struct paths *paths,
    struct strbuf *ret_pem, struct diag *dg)
{
	add_directory(SYSTEM_DIR, DEPTH_MAX, ret_pem);
	if (settings->ca_file[0] == '\0')
		return 0;
	return add_file(paths, settings->ca_file, ret_pem, dg);
}
