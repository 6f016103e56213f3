/* The limits of questions and answers about one image. The host has the same limits. */
#ifndef LIMITS_H
#define LIMITS_H

/* Bytes of the questions, at most: the host sends no more (cli/power-cut/questions.ts). */
#define MOST_QUESTIONS (4l << 20)

/* As many lost parts as the questions have room for. */
#define MOST_LOST (MOST_QUESTIONS / (sizeof("lost 0 1\n") - 1))

/*
 * Bytes of the answers, at most. The host takes 4 MiB, with what the checks print
 * (cli/survivors/image-watcher.ts).
 */
#define MOST_ANSWERS (3l << 20)

#endif
