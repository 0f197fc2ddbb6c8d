/* SPDX-License-Identifier: MIT */
/* library: loads a shared library by name. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

int
library_load(const char *const *names, const struct library_function *functions,
    size_t nr, void *table, const char **ret_missing)
{
	void *library = NULL;

	/*
	 * RTLD_LAZY saves a quarter of the time: of what libcurl's libraries
	 * call, a request needs little.
	 */
	for (; *names != NULL && library == NULL; names++)
		library = dlopen(*names, RTLD_LAZY | RTLD_LOCAL);
	*ret_missing = NULL;
	if (library == NULL)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		void *symbol = dlsym(library, functions[i].name);

		if (symbol == NULL) {
			*ret_missing = functions[i].name;
			return -1;
		}
		/*
		 * ISO C has no cast from an object pointer to a function
		 * pointer.
		 */
		memcpy((char *)table + functions[i].offset, &symbol,
		    sizeof(symbol));
	}
	return 0;
}
