/* SPDX-License-Identifier: MIT */
/*
 * certificates: the certificate authorities that the user added to the host's
 * system store or named in ca_file.  Sessions trust them too.
 */
#ifndef DRYDOCK_CERTIFICATES_H
#define DRYDOCK_CERTIFICATES_H

struct diag;
struct paths;
struct settings;
struct strbuf;

/*
 * Appends the certificates in PEM, and nothing else of these files.  They come
 * from *.crt below /usr/local/share/ca-certificates (update-ca-certificates(8))
 * and from the file of the setting ca_file.
 *
 * DIAG_CONFIG: ca_file is unreadable, writable for others, or has no
 * certificate.
 */
int certificates_read(const struct settings *settings,
    const struct paths *paths, struct strbuf *ret_pem, struct diag *dg);

#endif /* DRYDOCK_CERTIFICATES_H */
