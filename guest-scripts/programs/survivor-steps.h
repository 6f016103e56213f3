/*
 * What survivor.c does to a device before and after it looks at it: partitions, mounts, programs that
 * check. In C, since a shell would start six programs for it, each of which takes longer under
 * emulation than the mount.
 */
#ifndef SURVIVOR_STEPS_H
#define SURVIVOR_STEPS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a program says beyond this is passed over. */
#define MOST_SAID (256l << 10)

/* Makes a part of a disk its first partition: a device of its own, of which nothing has been read. */
static int add_partition(int disk, long start, long length)
{
	struct blkpg_partition partition = { .start = start, .length = length, .pno = 1 };
	struct blkpg_ioctl_arg asked = { .op = BLKPG_ADD_PARTITION,
					 .datalen = sizeof(partition),
					 .data = &partition };

	return ioctl(disk, BLKPG, &asked);
}

/* The host gets its room back. */
static void delete_partition(int disk, long start, long length)
{
	struct blkpg_partition partition = { .pno = 1 };
	struct blkpg_ioctl_arg asked = { .op = BLKPG_DEL_PARTITION,
					 .datalen = sizeof(partition),
					 .data = &partition };
	unsigned long long range[] = { start, length };

	ioctl(disk, BLKPG, &asked);
	ioctl(disk, BLKDISCARD, range);
}

/* A process that is just ending can hold a mount for a moment; it gets ten seconds. */
static int unmount(const char *directory)
{
	for (int tries = 0; tries < 100; tries++) {
		if (umount2(directory, 0) == 0)
			return 0;
		if (errno != EBUSY)
			return -1;
		usleep(100000);
	}
	return -1;
}

/*
 * Runs a program to its end, with what it says on both of its outputs in `said`.
 *
 * Returns its exit code; 128 and the signal's number where one killed it, 127 where it did not start.
 */
static int run(char *const argv[], FILE *said)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	static char piece[1 << 14];
	int ends[2], status = 0, error;
	long kept = 0;
	ssize_t got;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return 127;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	error = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (error) {
		fprintf(said, "%s: %s\n", argv[0], strerror(error));
		close(ends[0]);
		return 127;
	}
	while ((got = read(ends[0], piece, sizeof(piece))) > 0) {
		if (kept < MOST_SAID)
			fwrite(piece, 1, got, said);
		kept += got;
	}
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
