import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from '../schema.js';
import { resetInstructionCount } from './instruction-count.js';
import type { MachineShape } from './machine.js';
import type { Monitor, MonitorAnswer, MonitorCommand } from './monitor.js';
import { countInstructions } from './recording.js';

/**
 * Moves a machine's state out of one QEMU and into another, without its memory, which is in files.
 */

const IGNORE_SHARED = {
  capabilities: [{ capability: 'x-ignore-shared', state: true }],
};

/** Stops the guest and writes its state, from which recorded machines can begin if this one is such. */
export async function saveMachine(
  monitor: Monitor,
  file: string,
  { recorded }: Pick<MachineShape, 'recorded'>,
): Promise<MonitorAnswer> {
  const saved = await saveState(monitor, file);
  if (!saved.ok || !recorded) return saved;
  const instructions = await countInstructions(monitor);
  if (instructions !== undefined && (await resetInstructionCount(file, instructions))) return saved;
  return {
    ok: false,
    error: 'this QEMU saves the count of instructions in a way that is not known',
  };
}

/**
 * Stops the guest and writes its state. QEMU's sandbox keeps it from starting a program that
 * writes, so it sends the state to a socket of ours, in a directory that nobody else may enter.
 */
async function saveState(monitor: Monitor, file: string): Promise<MonitorAnswer> {
  const directory = await mkdtemp(join(tmpdir(), 'daxrepro-'));
  const socket = join(directory, 'state');
  const server = createServer();
  try {
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const received = new Promise<void>((resolve, reject) => {
      server.once('connection', (connection) => {
        const output = createWriteStream(file);
        connection.once('error', reject);
        output.once('error', reject).once('close', () => resolve());
        connection.pipe(output);
      });
    });
    // Awaited only if QEMU reports that it sends; until then an error must not be unhandled.
    received.catch(() => {});
    const begun = await monitor.begin();
    if (!begun.ok) return begun;
    const asked = await executeAll(monitor, [
      ['stop'],
      ['migrate-set-capabilities', IGNORE_SHARED],
      ['migrate', { uri: `unix:${socket}` }],
    ]);
    if (!asked.ok) return asked;
    const status = await waitFor(monitor, 'query-migrate', (value) => value['status'], [
      'completed',
      'failed',
      'cancelled',
    ]);
    if (!status.ok || status.value !== 'completed') {
      return { ok: false, error: status.ok ? 'QEMU could not save its state' : status.error };
    }
    await received;
    return status;
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Gives a clone its state, lets it run, and plugs in the devices that were not there when it was
 * saved. The clone was started in mode `resume`.
 */
export async function resumeFrom(
  monitor: Monitor,
  descriptor: number,
  plug: readonly MonitorCommand[],
): Promise<MonitorAnswer> {
  const begun = await monitor.begin();
  if (!begun.ok) return begun;
  const version = await monitor.execute('query-version');
  const asked = await executeAll(monitor, [
    ['migrate-set-capabilities', IGNORE_SHARED],
    ['migrate-incoming', { uri: stateUri(version, descriptor) }],
  ]);
  if (!asked.ok) return asked;
  const status = await waitFor(monitor, 'query-status', (value) => value['status'], [
    'paused',
    'running',
    'internal-error',
  ]);
  if (!status.ok || status.value === 'internal-error') {
    return { ok: false, error: status.ok ? 'QEMU could not take the state' : status.error };
  }
  return executeAll(monitor, [['cont'], ...plug]);
}

/**
 * How QEMU reads a file that it has open. 7.2 has no `file:`. 10.0 warns about `fd:` of a plain file, and 11.1
 * refuses it.
 */
function stateUri(version: MonitorAnswer, descriptor: number): string {
  const parsed = version.ok ? VersionSchema.safeParse(version.value) : undefined;
  const major = parsed?.data?.qemu.major ?? 0;
  return major >= 10 ? `file:/dev/fd/${descriptor}` : `fd:${descriptor}`;
}

/** The answer to `query-version`. */
const VersionSchema = z.object({ qemu: z.object({ major: z.number() }) });

/** One after the other, until one fails. */
async function executeAll(
  monitor: Monitor,
  commands: readonly MonitorCommand[],
): Promise<MonitorAnswer> {
  for (const [command, given] of commands) {
    const answer = await monitor.execute(command, given);
    if (!answer.ok) return answer;
  }
  return { ok: true, value: undefined };
}

/**
 * Repeats the query until the answer is one of these. Ends with QEMU, which others limit in time.
 */
async function waitFor(
  monitor: Monitor,
  command: string,
  read: (value: Record<string, unknown>) => unknown,
  until: readonly string[],
): Promise<MonitorAnswer> {
  for (;;) {
    const answer = await monitor.execute(command);
    if (!answer.ok) return answer;
    const value = read(answer.value as Record<string, unknown>);
    if (until.includes(String(value))) return { ok: true, value };
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
