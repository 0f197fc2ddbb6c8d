/* SPDX-License-Identifier: MIT */
/*
 * aptsources: where this host's apt gets packages from (sources.list(5)), in
 * one plain form that a build's script filters by the image's release.
 *
 * Each line is "KEY|URI SUITE COMPONENT...".  KEY is empty, the path of the
 * keyring that signs it, or "trusted".  In SUITE a leading "@" stands for the
 * codename of the host's release: the same archive holds the image's release.
 * Left out are source packages, disabled entries, flat archives, and URIs that
 * are not reached by network (file:, cdrom:).
 */
#ifndef DRYDOCK_APTSOURCES_H
#define DRYDOCK_APTSOURCES_H

#include <stddef.h>

struct strvec;

/* Both append to lines; what does not parse is left out, as it is not ours. */
void aptsources_parse_list(
    const char *text, const char *codename, struct strvec *lines);
void aptsources_parse_deb822(
    const char *text, const char *codename, struct strvec *lines);

/*
 * All of the host's, from sources.list and sources.list.d/ below dir
 * ("/etc/apt").  codename may be "".
 */
void aptsources_read(
    const char *dir, const char *codename, struct strvec *lines);

#endif /* DRYDOCK_APTSOURCES_H */
