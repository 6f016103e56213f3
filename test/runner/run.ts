import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runFile } from './file.js';
import { Report } from './report.js';
import { NOT_UNIT, selectFiles } from './select.js';

/**
 * Runs test files, several in parallel, each in its own process.
 *
 *     npm run test:only [-- --jobs N] [PATH...]    files or folders; all tests without a PATH
 *     npm run test:unit                            without the tests that select.ts leaves out
 *
 * The tests use tap, and each also runs by itself: `node --import ./test/loader/register.js FILE`.
 * tap's own runner is not used: it takes 2 seconds to load before the first test, and puts a
 * coverage recorder, half a second, into each process that a test starts.
 *
 * Exit codes: 0 all passed, 1 something failed, 2 nothing to run.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    unit: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    /** Seconds that a file may take. */
    timeout: { type: 'string', default: '900' },
  },
});

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stop.abort());
}

const selected = selectFiles(positionals, values.unit);
if (!selected.ok) {
  console.error(selected.problem);
  process.exit(2);
}
if (values.unit) {
  console.log('Left out, since they are no unit tests (test/runner/select.ts):');
  for (const { why, paths } of NOT_UNIT) console.log(`  those that ${why}: ${paths.join(' ')}`);
  console.log();
}

const report = new Report((line) => console.log(line));
const waiting = [...selected.files];
async function work() {
  for (let file = waiting.shift(); file && !stop.signal.aborted; file = waiting.shift()) {
    report.add(await runFile(file, { seconds: Number(values.timeout), signal: stop.signal }));
  }
}
await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
report.end();
process.exitCode = stop.signal.aborted || report.failed > 0 ? 1 : 0;
