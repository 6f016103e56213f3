/* Runs the programs that check and repair. */
#ifndef RUN_H
#define RUN_H

#include <stdio.h>

/*
 * Runs a program to its end, and writes what it prints on both of its outputs to `said`.
 *
 * Returns its exit code; 128 and the signal's number where a signal killed it, 127 where it did
 * not start.
 */
int run(char *const argv[], FILE *said);

#endif
