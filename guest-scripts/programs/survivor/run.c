#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bytes of what a program prints; the rest is dropped. */
#define MOST_SAID (256l << 10)

/* Starts a program whose outputs both lead to the pipe's end. Returns an error's number, or 0. */
static int start(char *const argv[], const int ends[2], pid_t *child)
{
	posix_spawn_file_actions_t actions;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	error = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static void copy(int from, FILE *to)
{
	static char piece[1 << 14];
	long kept = 0;
	ssize_t got;

	while ((got = read(from, piece, sizeof(piece))) > 0) {
		if (kept < MOST_SAID)
			fwrite(piece, 1, got, to);
		kept += got;
	}
}

int run(char *const argv[], FILE *said)
{
	int ends[2], status = 0, error;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return 127;
	error = start(argv, ends, &child);
	close(ends[1]);
	if (error)
		fprintf(said, "%s: %s\n", argv[0], strerror(error));
	else
		copy(ends[0], said);
	close(ends[0]);
	if (error)
		return 127;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
