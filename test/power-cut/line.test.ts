import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { findProgram } from '../../cli/system/programs.js';

// When the plugin that watches a byte calls the byte written back, and when it calls it on the medium.

const skip = findProgram('gcc') === undefined && 'there is no gcc';

const LINE = fileURLToPath(new URL('../../power-cut/who-wrote/line.c', import.meta.url));
/** s: store, n: non-temporal store, w: write-back, c: clflush, o: of another line, f: fence, d: drains stores alone. */
const MAIN = `#include <stdio.h>
#include "${LINE}"
struct options options = { .physical = 0x1010 };
int main(void)
{
	int one;
	while ((one = getchar()) != EOF) {
		if (one == 's' || one == 'n')
			medium_stored(one == 'n');
		if (one == 'w' || one == 'c')
			putchar(medium_written_back(0x1000, one == 'c') ? 'W' : '-');
		if (one == 'o')
			putchar(medium_written_back(0x1040, false) ? 'W' : '-');
		if (one == 'f' || one == 'd')
			putchar(medium_fenced(one == 'd') ? 'M' : '-');
	}
}
`;

/** What happens, and what is reported. */
const TABLE: [string, string][] = [
  ['swf', 'WM'],
  ['sf', '-'],
  ['sof', '--'],
  ['swd', 'W-'],
  ['swdf', 'W-M'],
  ['nf', 'M'],
  ['nd', 'M'],
  ['nff', 'M-'],
  ['wf', '--'],
  ['swwf', 'W-M'],
  ['scf', 'W-'],
  ['nsf', '-'],
  ['snf', 'M'],
  ['swswf', 'WWM'],
];

t.test('follows stores, write-backs and fences of one byte', { skip }, async (t) => {
  const directory = t.testdir({});
  const source = join(directory, 'main.c');
  const program = join(directory, 'main');
  writeFileSync(source, MAIN);
  execFileSync('gcc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  for (const [input, expected] of TABLE) {
    t.equal(execFileSync(program, { input }).toString(), expected, input);
  }
});
