// SPDX-License-Identifier: MIT OR GPL-2.0
/* A module that observes a kernel under test, and changes nothing of what it observes. */
#include <linux/module.h>

#include "witness.h"

static int __init witness_init(void)
{
	int error = unmounts_begin();

	if (error)
		return error;
	error = sync_calls_begin();
	if (error)
		unmounts_end();
	return error;
}

static void __exit witness_exit(void)
{
	sync_calls_end();
	unmounts_end();
}

module_init(witness_init);
module_exit(witness_exit);
MODULE_DESCRIPTION("Observes unmounts and sync calls of file systems under test");
MODULE_LICENSE("Dual MIT/GPL");
