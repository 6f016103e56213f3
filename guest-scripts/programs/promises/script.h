/* One command of the script (main.c has them all). */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "worker.h"

void run_line(struct worker *worker, const char *line);

#endif
