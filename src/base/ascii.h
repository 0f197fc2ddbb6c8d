/* SPDX-License-Identifier: MIT */
/* ascii: sets of characters for strspn(3), whatever the locale. */
#ifndef DRYDOCK_ASCII_H
#define DRYDOCK_ASCII_H

#define ASCII_ALNUM                  \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789"

#endif /* DRYDOCK_ASCII_H */
