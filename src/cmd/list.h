/* SPDX-License-Identifier: MIT */
/* list: output that "drydock list" and "drydock port" share. */
#ifndef DRYDOCK_LIST_H
#define DRYDOCK_LIST_H

#include <stdbool.h>

struct jsonw;
struct portlist;

/* Writes the ports of a session as an array. */
void list_write_ports(
    struct jsonw *w, const struct portlist *ports, bool companion);

#endif /* DRYDOCK_LIST_H */
