// SPDX-License-Identifier: MIT OR GPL-2.0
/* A module that looks at a kernel under test, and changes nothing of what it looks at. */
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
MODULE_DESCRIPTION(
	"What was still to be written when a file system was unmounted, and what sync calls promised");
MODULE_LICENSE("Dual MIT/GPL");
