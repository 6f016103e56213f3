/*
 * survivor DISK SIZE TYPE journal|repair DIRECTORY: examines images that survived power cuts,
 * each a file system of TYPE. They lie one after the other on DISK. Each has SIZE bytes, and the
 * first begins at SIZE.
 *
 * On standard input, for each image: `look NUMBER LENGTH`, and as many bytes of questions
 * (questions.h).
 *
 * The image is mounted on DIRECTORY as the next boot would mount it, but without DAX, which does
 * not change what is on the medium. If the file system has no journal (`repair`), e2fsck repairs
 * it before; else it is checked afterwards. A repair can give a file other blocks. So an image
 * that lost something is asked before the repair too, and `repaired` stands between the answers.
 *
 * Standard output gets the channel's events (lib/channel.sh): the file `survivor-NUMBER-check`,
 * which has what the check or the repair prints; the file `survivor-NUMBER`, which has the
 * answers; and `survivor`, with the status of each step. After a step that failed no other is
 * taken, and its status is empty. The program judges nothing.
 *
 * survivor DIRECTORY: answers the questions on standard input about this directory, on standard
 * output.
 *
 * It is written in C because a shell would start six programs for each image, each of which takes
 * longer under emulation than the mount.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "channel.h"
#include "device.h"
#include "limits.h"
#include "questions.h"
#include "run.h"

/* Below this, e2fsck has repaired everything (e2fsck(8)). */
#define FIRST_UNREPAIRED 4
/* What mount(8) exits with where a mount fails. */
#define MOUNT_FAILED 32

/* The arguments. */
static const char *type, *directory;
static long image_size;
static bool repairs;
static int disk;

/* The disk's first partition. */
static char device[64];

/* The status of each step, as text, and why a step failed. */
struct steps {
	char repair[8], mount[8], looked[8], check[8], said[128];
};

static int note(char *step, int status)
{
	snprintf(step, sizeof(((struct steps *)0)->repair), "%d", status);
	return status;
}

static void failed(struct steps *steps, const char *step)
{
	snprintf(steps->said, sizeof(steps->said), "%s: %s", step, strerror(errno));
}

/* Runs a check, and sends what it prints: its exit code does not tell everything. */
static int check(long number, char *const argv[])
{
	size_t size;
	char *text;
	FILE *said = open_memstream(&text, &size);
	int status = run(argv, said);

	fclose(said);
	send_file(number, "-check", text, size);
	free(text);
	return status;
}

static const char *const WITHOUT_ANSWERS[] = {
	[NOT_UNDERSTOOD] = "a question was not understood",
	[NOT_ANSWERED] = "a file or a directory could not be read",
	[TOO_MUCH] = "there is more to answer than the host takes",
};

/* Answers from within the mounted image. */
static enum answered ask(const char *questions)
{
	enum answered answered = NOT_ANSWERED;
	char *copy = strdup(questions);

	if (copy && chdir(directory) == 0) {
		answered = answer(copy);
		/* Else it cannot be unmounted. */
		if (chdir("/") != 0)
			answered = NOT_ANSWERED;
	}
	free(copy);
	return answered;
}

static bool ask_before_repair(const char *questions, struct steps *steps)
{
	enum answered answered;

	if (strncmp(questions, "lost ", 5))
		return true;
	if (mount(device, directory, type, MS_RDONLY, NULL) != 0) {
		failed(steps, "mount before the repair");
		return false;
	}
	answered = ask(questions);
	say("repaired\n");
	if (unmount(directory) != 0) {
		failed(steps, "umount before the repair");
		return false;
	}
	if (answered != ANSWERED)
		snprintf(steps->said, sizeof(steps->said), "%s", WITHOUT_ANSWERS[answered]);
	return answered == ANSWERED;
}

static void take_steps(long number, const char *questions, struct steps *steps)
{
	char *const repair[] = { "e2fsck", "-f", "-y", device, NULL };
	char *const check_ext[] = { "e2fsck", "-f", "-n", device, NULL };
	/* One thread and few buffers: an image holds little. */
	char *const check_xfs[] = { "xfs_repair", "-n", "-P", "-o", "bhash=512", device, NULL };
	enum answered answered;

	if (repairs && !ask_before_repair(questions, steps))
		return;
	if (repairs && note(steps->repair, check(number, repair)) >= FIRST_UNREPAIRED)
		return;
	if (mount(device, directory, type, 0, NULL) != 0) {
		failed(steps, "mount");
		note(steps->mount, MOUNT_FAILED);
		return;
	}
	note(steps->mount, 0);
	answered = ask(questions);
	if (note(steps->looked, answered) != ANSWERED)
		snprintf(steps->said, sizeof(steps->said), "%s", WITHOUT_ANSWERS[answered]);
	if (unmount(directory) != 0) {
		failed(steps, "umount");
		return;
	}
	if (!repairs)
		note(steps->check, check(number, strcmp(type, "xfs") ? check_ext : check_xfs));
}

static void examine(long number, const char *questions)
{
	struct steps steps = { 0 };
	char line[64], *said;
	size_t size;
	FILE *stream = open_memstream(&said, &size);

	answers_begin(stream);
	send_event("{\"event\":\"step\",\"name\":\"survivor-%ld\"}\n", number);
	if (add_partition(disk, number * image_size, image_size) != 0) {
		failed(&steps, "partition");
	} else {
		take_steps(number, questions, &steps);
		delete_partition(disk, number * image_size, image_size);
	}
	fclose(stream);
	send_file(number, "", said, size);
	free(said);
	/* The host waits for this line, and for the kernel's messages before it. */
	snprintf(line, sizeof(line), "<5>daxrepro: survivor %ld.\n", number);
	if (print_on_console(line) != 0)
		failed(&steps, "/dev/kmsg");
	send_event("{\"event\":\"survivor\",\"number\":%ld,\"repair\":\"%s\",\"mount\":\"%s\","
		   "\"looked\":\"%s\",\"check\":\"%s\",\"said\":\"%s\"}\n",
		   number, steps.repair, steps.mount, steps.looked, steps.check, steps.said);
}

static int examine_all(char *questions)
{
	char line[64];
	long number, length;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "look %ld %ld", &number, &length) != 2 || length < 0 ||
		    length > MOST_QUESTIONS) {
			fprintf(stderr, "survivor: what is \"%s\"?\n", line);
			return 2;
		}
		if (fread(questions, 1, length, stdin) != (size_t)length)
			break;
		questions[length] = 0;
		examine(number, questions);
	}
	return 0;
}

static int answer_here(char *questions)
{
	long length = fread(questions, 1, MOST_QUESTIONS + 1, stdin);

	if (length > MOST_QUESTIONS)
		return NOT_UNDERSTOOD;
	questions[length] = 0;
	answers_begin(stdout);
	return answer(questions);
}

int main(int argc, char **argv)
{
	static char questions[MOST_QUESTIONS + 2];

	if (argc == 2 && chdir(argv[1]) == 0)
		return answer_here(questions);
	if (argc != 6) {
		fprintf(stderr, "usage: survivor DISK SIZE TYPE journal|repair DIRECTORY\n");
		return 2;
	}
	image_size = atol(argv[2]);
	type = argv[3];
	repairs = !strcmp(argv[4], "repair");
	directory = argv[5];
	snprintf(device, sizeof(device), "%s1", argv[1]);
	disk = open(argv[1], O_RDWR | O_CLOEXEC);
	if (disk < 0 || !channel_begin()) {
		perror(argv[1]);
		return 1;
	}
	return examine_all(questions);
}
