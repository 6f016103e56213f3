// SPDX-License-Identifier: MIT
#include "points.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

static struct point *points[BUCKETS];
static pthread_mutex_t points_mutex = PTHREAD_MUTEX_INITIALIZER;

struct point *point_at(uint64_t address, const struct instruction *instruction)
{
	struct point **bucket = &points[(address ^ address >> 12) % BUCKETS], *point;

	pthread_mutex_lock(&points_mutex);
	for (point = *bucket; point; point = point->next)
		if (point->address == address &&
		    memcmp(&point->instruction, instruction, sizeof(*instruction)) == 0)
			break;
	if (!point) {
		point = malloc(sizeof(*point));
		if (!point)
			abort();
		memcpy(&point->instruction, instruction, sizeof(*instruction));
		point->address = address;
		point->next = *bucket;
		*bucket = point;
	}
	pthread_mutex_unlock(&points_mutex);
	return point;
}
