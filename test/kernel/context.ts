import { join } from 'node:path';
import type { Test } from 'tap';
import type { KernelContext } from '../../cli/kernel/kernel.js';
import type { ProgressEvent } from '../../cli/progress.js';

/** A context with the test's own store, and a list of the reported progress. */
export function makeContext(root: string) {
  const events: ProgressEvent[] = [];
  const context: KernelContext = {
    store: { root: join(root, 'cache') },
    progress: (event) => void events.push(event),
  };
  return {
    context,
    notes: () => events.filter(({ type }) => type === 'note').map(({ text }) => text),
    stages: () => events.filter(({ type }) => type === 'stage').map(({ text }) => text),
  };
}

/** Puts a directory first in PATH until the test ends. */
export function prependPath(t: Test, directory: string): void {
  const before = process.env['PATH'];
  process.env['PATH'] = `${directory}:${before}`;
  t.teardown(() => {
    process.env['PATH'] = before;
  });
}
