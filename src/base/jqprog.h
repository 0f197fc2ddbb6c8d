/* SPDX-License-Identifier: MIT */
/*
 * jqprog: one jq program, compiled once, run over JSON text (libjq).
 *
 * libjq's values never leave this module: text goes in, text comes out.
 * Callers bound the size and check the input with json_parse() first, since
 * libjq accepts duplicate keys and nan.
 */
#ifndef DRYDOCK_JQPROG_H
#define DRYDOCK_JQPROG_H

#include <stddef.h>

struct diag;
struct strbuf;
struct jqprog;

/*
 * Compiles text (terminated).  name is for messages.  One that does not
 * compile is DIAG_CONFIG, with libjq's words as detail.  No modules (a syntax
 * error, also $HOME/.jq is not read), no input, inputs, debug, stderr, halt
 * (errors when they run), no environment ($ENV and env are empty).
 */
int jqprog_compile(const char *name, const char *text, struct jqprog **ret_prog,
    struct diag *dg);
void jqprog_free(struct jqprog *prog);
void jqprog_freep(struct jqprog **prog);

/*
 * Runs it over one document; the program must give exactly one output, which
 * is appended to out as compact JSON.  None, several, or a jq error is
 * DIAG_CONFIG.  To libjq 1.6 error(null) is the same as empty: it goes unseen
 * beside an output.  A program of definitions alone gives its input.
 */
int jqprog_run(struct jqprog *prog, const char *input, size_t len,
    struct strbuf *out, struct diag *dg);

#define cleanup_jqprog __attribute__((cleanup(jqprog_freep)))

#endif /* DRYDOCK_JQPROG_H */
