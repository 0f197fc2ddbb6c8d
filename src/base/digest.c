/* SPDX-License-Identifier: MIT */
/* SHA-256 by libmd. */
#include "base/digest.h"

#include <sys/types.h>

#include <sha2.h>

void
digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	if (len > 0)
		SHA256Update(&ctx, data, len);
	(void)SHA256End(&ctx, ret_hex);
}
