import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { makeBzImage } from '../kernel/fixtures.js';
import { compileInto } from './compiled.js';
import { FAKE_QEMU } from './fake-qemu.js';

/**
 * For tests that start the program as a user does, with a fake QEMU and a kernel that is only an
 * image.
 */
export interface FakeMachine {
  /** The test's directory, with an empty `cases/`. */
  top: string;
  main: string;
  /** Directory to put first in PATH. */
  bin: string;
  bzImage: string;
}

/** @param files additional files in the test's directory */
export function fakeMachine(
  t: Pick<Test, 'testdir'>,
  files: Record<string, string> = {},
): FakeMachine {
  const top = t.testdir({ bin: {}, cases: {}, ...files });
  const { main } = compileInto(top);
  const bin = join(top, 'bin');
  // Each run asks for the version, and for plugins: a shell answers faster than the fake. A test may set another.
  writeFileSync(
    join(bin, 'qemu-system-x86_64'),
    `#!/bin/sh
case $1 in --version) echo "QEMU emulator version \${FAKE_QEMU_VERSION:-9.9.9 (fake)}" ;; -plugin) ;; *) exec ${FAKE_QEMU} "$@" ;; esac
`,
    { mode: 0o755 },
  );
  const bzImage = join(top, 'bzImage');
  writeFileSync(bzImage, makeBzImage('6.1.0-test', Buffer.from('no payload that is known')));
  return { top, main, bin, bzImage };
}
