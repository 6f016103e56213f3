/*
 * promises: does what a script on standard input says to files below the working directory. By
 * marks (../marker.h) it tells what it is about to change, and what the file system has promised.
 *
 *   {"kind":"change","file":1,"from":0,"to":4096}    from now on these bytes may be old or new
 *   {"kind":"size","file":1}                         its size may be old or new
 *   {"kind":"create","name":"a","file":1}            the name may be there or not
 *   {"kind":"rename","from":"a","to":"b","file":1}   it may have either name
 *   {"kind":"unlink","name":"a"}                     the name may be there or not
 *   {"kind":"promise","by":"fsync","file":1,"name":"a","size":8192,
 *    "data":[[0,4096,17],[4096,4096,34]],"checksum":"…"}
 *   {"kind":"promise","by":"fsync-directory","names":[["a",1],["b",0]]}
 *
 * A change is announced before it is made, and a promise after the call that makes it has returned.
 * A promise covers what the script wrote, never what is read back. "data" has parts of the
 * file: offset, length, and the byte that fills them. "size" is there if the call promises
 * the size. "checksum" is FNV-1a (64 bits) of the bytes of "data" in their order. A file keeps
 * its number, whatever its name is; in "names", 0 stands for a name that leads to no file. Names
 * are paths below the working directory.
 *
 * The script has a command on each line. Numbers may end in k or m.
 *
 *   begin                       sync(2); from here on stores count, and all files are promised
 *   directory NAME              makes a directory
 *   file NAME [sync | dsync]    makes a file, and opens it for the commands that follow
 *   use NAME [sync | dsync]     opens a file that was made before
 *   write OFFSET LENGTH BYTE    pwrite(2); BYTE is hexadecimal
 *   append LENGTH BYTE
 *   truncate SIZE
 *   allocate OFFSET LENGTH      allocates blocks; what is beyond the end becomes zeros
 *   punch OFFSET LENGTH         makes a hole; the size stays
 *   zero OFFSET LENGTH          makes zeros of it, and keeps its blocks; the size stays
 *   map OFFSET LENGTH [sync]    maps the file, shared; with MAP_SYNC
 *   store OFFSET LENGTH BYTE    stores through the mapping
 *   flush OFFSET LENGTH         clwb and sfence by the program; a promise with MAP_SYNC
 *   fsync | fdatasync
 *   msync OFFSET LENGTH
 *   sync
 *   sync-directory NAME         calls fsync of it
 *   rename FROM TO
 *   unlink NAME
 *   thread CPU … end            several in a row run at the same time, each with its own files
 *
 * Exit codes: 0; 1 if a call failed; 2 if the script has a mistake; 77 if something that it needs
 * is not there (MAP_SYNC, a processor).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "../marker.h"
#include "give-up.h"
#include "script.h"

#define MOST_LINES 1024
#define LONGEST_LINE 256
#define MOST_THREADS 8

static char *lines[MOST_LINES];
static int line_count;
static struct worker threads[MOST_THREADS];
static int running;

static void read_script(void)
{
	char line[LONGEST_LINE];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strchr(line, '\n') && !feof(stdin))
			give_up(BAD_SCRIPT, "a line is too long: %s", line);
		line[strcspn(line, "\n")] = 0;
		if (line_count == MOST_LINES)
			give_up(BAD_SCRIPT, "the script is too long");
		lines[line_count++] = strdup(line + strspn(line, " \t"));
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(worker->cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		give_up(NOT_THERE, "there is no processor %d", worker->cpu);
	for (int i = 0; i < worker->count; i++)
		run_line(worker, worker->lines[i]);
	return NULL;
}

/* Starts a thread with the commands from a line on. Returns the line of its `end`. */
static int start_thread(int cpu, int from)
{
	struct worker *worker = &threads[running];
	int end = from;

	while (end < line_count && strcmp(lines[end], "end"))
		end++;
	if (running == MOST_THREADS || end == line_count)
		give_up(BAD_SCRIPT, "a thread has no end, or there are too many threads");
	*worker = (struct worker){
		.cpu = cpu, .lines = lines + from, .count = end - from, .descriptor = -1
	};
	must(pthread_create(&worker->thread, NULL, work, worker) == 0, "thread");
	running++;
	return end;
}

static void join_threads(void)
{
	for (; running > 0; running--)
		must(pthread_join(threads[running - 1].thread, NULL) == 0, "join");
}

int main(void)
{
	static struct worker self = { .cpu = -1, .descriptor = -1 };

	read_script();
	for (int i = 0; i < line_count; i++) {
		int cpu;

		if (sscanf(lines[i], "thread %d", &cpu) == 1) {
			i = start_thread(cpu, i + 1);
			continue;
		}
		join_threads();
		run_line(&self, lines[i]);
	}
	join_threads();
	marker_end("", 0);
	return 0;
}
