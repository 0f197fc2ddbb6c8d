/* SPDX-License-Identifier: MIT */
/* Compares what a project says about its patches with what it has. */
#include "deps/patchcheck.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/ecosystem.h"
#include "deps/patchfiles.h"
#include "deps/patchledger.h"

/* A ledger that is not there is an empty one. */
static int
read_ledger(int project_fd, struct patchledger *ret_ledger, struct diag *dg)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (patchfiles_read(project_fd, PATCHLEDGER_PATH, PATCHLEDGER_MAX_SIZE,
		&text, &failure) != 0) {
		if (patchfiles_is_absent(&failure))
			return 0;
		diag_move(dg, &failure);
		return -1;
	}
	if (patchledger_parse(ret_ledger, text.buf, text.len, dg) != 0)
		return -1;
	return patchledger_judge(ret_ledger, dg);
}

static int
run(int project_fd, const struct patchledger *ledger, struct patchcheck *check,
    struct diag *dg)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		const struct patchledger part =
		    patchledger_part(ledger, ecosystems[i]->name);

		if (ecosystems[i]->check(project_fd, &part, check, dg) != 0)
			return -1;
	}
	patchfiles_check(project_fd, ledger, check);
	return 0;
}

int
patchcheck_run(int project_fd, struct patchcheck *ret_check, struct diag *dg)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	struct patchcheck check = PATCHCHECK_INIT;

	if (read_ledger(project_fd, &ledger, dg) != 0)
		return -1;
	check.npatches = ledger.nr;
	if (run(project_fd, &ledger, &check, dg) != 0) {
		patchcheck_release(&check);
		return -1;
	}
	*ret_check = check;
	return 0;
}

static bool
has_mark(int project_fd, const struct ecosystem *eco)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return patchfiles_read(project_fd, eco->manifest, eco->manifest_max,
		   &text, &ignored) == 0 &&
	    eco->has_mark(text.buf, text.len);
}

bool
patchcheck_is_needed(int project_fd)
{
	static const char *const entries[] = { PATCHLEDGER_PATH,
		PATCHFILES_PATCHES, PATCHFILES_COPIES };

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (patchfiles_may_exist(project_fd, entries[i]))
			return true;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (has_mark(project_fd, ecosystems[i]))
			return true;
	return false;
}
