/* SPDX-License-Identifier: MIT */
/* Prompts.  Reads one byte at a time: input after the line stays unread. */
#include "terminal/prompt.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "terminal/tty.h"

bool
prompt_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) &&
	    tty_in_foreground(STDIN_FILENO);
}

int
prompt_line(
    const char *question, char *ret_answer, size_t size, struct diag *dg)
{
	size_t len = 0;
	char c;

	/* If the question cannot be printed, read no answer. */
	if (fprintf(stderr, "drydock: %s ", question) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "ask");
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)fputc('\n', stderr);
			return diag_set(dg, DIAG_CANCELLED, "cancelled");
		}
		if (c == '\n')
			break;
		if (len < size - 1 && !isspace((unsigned char)c))
			ret_answer[len++] = (char)tolower((unsigned char)c);
	}
	ret_answer[len] = '\0';
	return 0;
}

int
prompt_yes(const char *question, struct diag *dg)
{
	char answer[8];

	if (prompt_line(question, answer, sizeof(answer), dg) != 0)
		return -1;
	if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0)
		return 0;
	return diag_set(dg, DIAG_CANCELLED, "cancelled");
}
