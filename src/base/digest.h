/* SPDX-License-Identifier: MIT */
/* digest: SHA-256 (FIPS 180-4) as 64 lower-case hex digits. */
#ifndef DRYDOCK_DIGEST_H
#define DRYDOCK_DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65 /* with the terminator */

void digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE]);

#endif /* DRYDOCK_DIGEST_H */
