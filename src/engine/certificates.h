/* SPDX-License-Identifier: MIT */
/*
 * certificates: the authorities that this host's user added to the system's, so
 * that sessions trust them too.
 */
#ifndef DRYDOCK_CERTIFICATES_H
#define DRYDOCK_CERTIFICATES_H

struct diag;
struct paths;
struct settings;
struct strbuf;

/*
 * Appends what is in *.crt below /usr/local/share/ca-certificates, which
 * update-ca-certificates(8) reads, and in the file of the setting ca_file, in
 * PEM: certificates and nothing else of these files.  A ca_file that cannot be
 * read, that others could change, or without a certificate is DIAG_CONFIG.
 */
int certificates_read(const struct settings *settings,
    const struct paths *paths, struct strbuf *ret_pem, struct diag *dg);

#endif /* DRYDOCK_CERTIFICATES_H */
