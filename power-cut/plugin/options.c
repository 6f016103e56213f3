// SPDX-License-Identifier: MIT
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The value of `key=value`, or NULL. */
static const char *value_of(const char *argument, const char *key)
{
	size_t length = strlen(key);

	return strncmp(argument, key, length) == 0 && argument[length] == '='
		       ? argument + length + 1
		       : NULL;
}

static bool number(const char *text, uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(text, &end, 0);
	return *text && !*end && errno == 0;
}

static bool number_option(const char *argument, struct options *to)
{
	const struct {
		const char *key;
		uint64_t *to;
	} numbers[] = {
		{ "low", &to->ram.low },
		{ "seed", &to->cut.seed },
		{ "states", &to->cut.states },
		{ "max-cuts", &to->cut.most_cuts },
		{ "max-bytes", &to->cut.most_bytes },
		{ "moments", &to->moments },
		{ "gap", &to->gap },
		{ "calls", &to->calls },
		{ "lost-calls", &to->lost_calls },
	};

	for (size_t index = 0; index < sizeof(numbers) / sizeof(*numbers); index++) {
		const char *value = value_of(argument, numbers[index].key);
		if (value)
			return number(value, numbers[index].to);
	}
	return false;
}

/* rangeN-KEY=VALUE */
static bool range_option(const char *argument, struct options *to)
{
	unsigned int index = argument[5] - '0';
	struct range *range = &to->ranges[index];
	const char *value;

	if (index >= MOST_RANGES || argument[6] != '-')
		return false;
	argument += 7;
	if (index >= to->range_count)
		to->range_count = index + 1;
	if ((value = value_of(argument, "start")))
		return number(value, &range->start);
	if ((value = value_of(argument, "size")))
		return number(value, &range->live.size);
	if ((value = value_of(argument, "offset")))
		return number(value, &range->live.offset);
	if ((value = value_of(argument, "file"))) {
		range->live.file = value;
		return true;
	}
	if ((value = value_of(argument, "flush"))) {
		range->flush = strcmp(value, "requests") == 0 ? FLUSH_REQUESTS : FLUSH_INSTRUCTIONS;
		return range->flush == FLUSH_REQUESTS || strcmp(value, "instructions") == 0;
	}
	return false;
}

static bool one_option(const char *argument, struct options *to)
{
	const char *value;

	if ((value = value_of(argument, "out")))
		to->directory = value;
	else if ((value = value_of(argument, "memory")))
		to->ram.mapping.file = value;
	else if ((value = value_of(argument, "promises"))) {
		to->cut_at_promises = strcmp(value, "cut") == 0;
		return to->cut_at_promises || strcmp(value, "keep") == 0;
	} else if (strncmp(argument, "range", 5) == 0)
		return range_option(argument, to);
	else
		return number_option(argument, to);
	return true;
}

const char *parse_options(int argc, char **argv, struct options *to)
{
	*to = (struct options){
		.cut = { .states = 2, .most_cuts = 10000, .most_bytes = UINT64_C(4) << 30 },
		.cut_at_promises = true,
		.gap = 1000,
	};
	for (int index = 0; index < argc; index++)
		if (!one_option(argv[index], to))
			return argv[index];
	if (!to->directory)
		return "out= is missing";
	if (!to->ram.mapping.file || !to->ram.low)
		return "memory= or low= is missing";
	if (!to->range_count)
		return "range0-start= is missing";
	if (to->cut.states > 100)
		return "states= is more than 100";
	for (unsigned int index = 0; index < to->range_count; index++) {
		const struct range *range = &to->ranges[index];
		if (!range->live.file || !range->live.size)
			return "a range without a file or a size";
		if ((range->start | range->live.size | range->live.offset) % PAGE)
			return "a range that is not made of whole pages";
	}
	return NULL;
}
