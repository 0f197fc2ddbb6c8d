/* SPDX-License-Identifier: MIT */
/*
 * jqprog: a jq program, compiled once and run over JSON text (libjq).
 *
 * libjq's values never leave this module: input and output are text.  libjq
 * accepts duplicate keys and nan.  Callers therefore bound the size and check
 * the input with json_parse() first.
 */
#ifndef DRYDOCK_JQPROG_H
#define DRYDOCK_JQPROG_H

#include <stddef.h>

struct diag;
struct strbuf;
struct jqprog;

/*
 * Compiles text (terminated).  name is for messages.  A program that does not
 * compile is DIAG_CONFIG, with libjq's messages as detail.  Modules are a
 * syntax error, and $HOME/.jq is not read.  input, inputs, debug, stderr and
 * halt fail at run time.  The environment is empty ($ENV and env).
 */
int jqprog_compile(const char *name, const char *text, struct jqprog **ret_prog,
    struct diag *dg);
void jqprog_free(struct jqprog *prog);
void jqprog_freep(struct jqprog **prog);

/*
 * Runs the program over one document.  The program must give exactly one
 * output, which is appended to out as compact JSON.  No output, several outputs
 * or a jq error is DIAG_CONFIG.  libjq 1.6 treats error(null) as empty, so that
 * it is not detected beside an output.  A program that consists of definitions
 * alone returns its input.
 */
int jqprog_run(struct jqprog *prog, const char *input, size_t len,
    struct strbuf *out, struct diag *dg);

#define cleanup_jqprog __attribute__((cleanup(jqprog_freep)))

#endif /* DRYDOCK_JQPROG_H */
