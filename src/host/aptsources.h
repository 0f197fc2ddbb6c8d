/* SPDX-License-Identifier: MIT */
/*
 * aptsources: the package sources of the host's apt (sources.list(5)), in one
 * plain format.  The build script filters them by the release of the image.
 *
 * Each line is "KEY|URI SUITE COMPONENT...".  KEY is empty, the path of the
 * keyring that signs the source, or "trusted".  A leading "@" in SUITE stands
 * for the codename of the host's release: the same archive also has the release
 * of the image.  Source packages, disabled entries, flat archives and URIs
 * other than http and https (file:, cdrom:) are left out.
 */
#ifndef DRYDOCK_APTSOURCES_H
#define DRYDOCK_APTSOURCES_H

#include <stdbool.h>

struct strvec;

/*
 * Appends to lines, by the format that the file's name stands for.  Entries
 * that do not parse are skipped: the files belong to the host, not to drydock.
 */
void aptsources_parse(const char *name, const char *text, const char *codename,
    struct strvec *lines);

/* Returns true for a name that apt reads in sources.list.d/. */
bool aptsources_is_name(const char *name);

/*
 * Reads all sources of the host: sources.list and sources.list.d/ below dir
 * ("/etc/apt").  codename may be "".
 */
void aptsources_read(
    const char *dir, const char *codename, struct strvec *lines);

#endif /* DRYDOCK_APTSOURCES_H */
