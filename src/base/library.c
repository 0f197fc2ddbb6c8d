/* SPDX-License-Identifier: MIT */
/* library: loads a shared library by name. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/diag.h"

int
library_load(const struct library *library, void *table, struct diag *dg)
{
	void *handle = NULL;

	/*
	 * RTLD_LAZY saves a quarter of the time: of what libcurl's libraries
	 * call, a request needs little.
	 */
	for (const char *const *file = library->files;
	     *file != NULL && handle == NULL; file++)
		handle = dlopen(*file, RTLD_LAZY | RTLD_LOCAL);
	if (handle == NULL)
		return diag_set(dg, library->failure,
		    "cannot load %s (%s): install %s", library->name, dlerror(),
		    library->packages);
	for (size_t i = 0; i < library->nfunctions; i++) {
		const struct library_function *f = &library->functions[i];
		void *symbol = dlsym(handle, f->name);

		if (symbol == NULL)
			return diag_set(dg, library->failure,
			    "%s has no %s: install %s", library->name, f->name,
			    library->newer);
		/*
		 * ISO C has no cast from an object pointer to a function
		 * pointer.
		 */
		memcpy((char *)table + f->offset, &symbol, sizeof(symbol));
	}
	return 0;
}
