/* SPDX-License-Identifier: MIT */
/* SHA-256 by libmd. */
#include "base/digest.h"

#include <sys/types.h>

#include <sha2.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct digest {
	SHA2_CTX ctx;
};

struct digest *
digest_new(void)
{
	struct digest *d = xmalloc(sizeof(*d));

	SHA256Init(&d->ctx);
	return d;
}

void
digest_add(struct digest *d, const void *data, size_t len)
{
	if (len > 0)
		SHA256Update(&d->ctx, data, len);
}

void
digest_finish(struct digest *d, char ret_hex[DIGEST_HEX_SIZE])
{
	(void)SHA256End(&d->ctx, ret_hex);
	free(d);
}

void
digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE])
{
	struct digest *d = digest_new();

	digest_add(d, data, len);
	digest_finish(d, ret_hex);
}
