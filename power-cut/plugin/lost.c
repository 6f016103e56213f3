// SPDX-License-Identifier: MIT
#include "lost.h"

#include <inttypes.h>

#include "output.h"
#include "sites.h"
#include "unfenced.h"

/* Consecutive lines with the same history. */
struct run {
	struct file *file;
	struct range *range;
	uint64_t line, lines;
	uint32_t store, write_back;
	bool dirty, pending, before;
	uint64_t since;
};

static void print_site(struct file *file, const char *name, uint32_t number)
{
	const struct site *site = site_of(number);

	if (!site) {
		file_print(file, ",\"%s\":null", name);
		return;
	}
	file_print(file,
		   ",\"%s\":{\"address\":\"0x%" PRIx64
		   "\",\"kernel\":%s,\"cpu\":%u,\"kind\":\"%s\"}",
		   name, site->address, site->address >> 63 ? "true" : "false", site->cpu,
		   site_kind_name(site->kind));
}

static void end_run(struct run *run)
{
	if (run->lines == 0)
		return;
	file_print(run->file,
		   "{\"range\":%u,\"offset\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"state\":\"%s\"",
		   range_number(run->range), run->line * LINE, run->lines,
		   !run->pending ? "dirty"
		   : run->dirty  ? "both"
				 : "pending");
	print_site(run->file, "store", run->store);
	print_site(run->file, "writeBack", run->write_back);
	file_print(run->file, "%s}\n", run->before ? ",\"before\":true" : "");
	run->lines = 0;
}

static bool continues(const struct run *run, const struct run *next)
{
	return run->lines && run->range == next->range && run->line + run->lines == next->line &&
	       run->store == next->store && run->write_back == next->write_back &&
	       run->dirty == next->dirty && run->pending == next->pending &&
	       run->before == next->before;
}

static void add_lost(struct range *range, uint64_t line, void *data)
{
	struct run *run = data, next = {
		.file = run->file,
		.range = range,
		.line = line,
		.lines = 1,
		.store = range->last_store[line],
		.write_back = range->last_write_back[line],
		.dirty = is_dirty(range, line),
		.pending = is_pending(range, line),
		.before = run->since && is_before(range, line, run->since),
		.since = run->since,
	};

	if (!is_lost(range, line))
		return;
	if (continues(run, &next)) {
		run->lines++;
		return;
	}
	end_run(run);
	*run = next;
}

bool write_lost(const char *name, uint64_t since)
{
	struct run run = { .file = file_begin(name), .since = since };

	each_unfenced(add_lost, &run);
	end_run(&run);
	return file_end(run.file);
}
