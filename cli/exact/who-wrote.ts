import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure, type Outcome, success } from '../outcome.js';
import type { Progress } from '../progress.js';
import type { Store } from '../store/store.js';
import { type Answer, answerOf } from './answer.js';
import { type Byte, parseByte } from './byte.js';
import { GuestCode } from './code.js';
import { GuestMemory } from './guest-memory.js';
import { guestModules } from './guest-modules.js';
import { readKernelTables } from './kernel-tables.js';
import { type Image, type Located, locate, unpackImage } from './locate.js';
import type { KeptExecution } from './read-record.js';
import { type ExactReplay, replayExactly } from './replay.js';
import { endOfReplay, type ReplayOptions } from './replayer.js';
import { readSeen } from './stores.js';
import { type Watched, watchArguments, watchingPlugin } from './watch-byte.js';

export interface WhoWrote {
  replay: ExactReplay;
  /** undefined if the replay was not exact: it shows another execution. */
  answer: Answer | undefined;
}

export interface WhoWroteContext extends ReplayOptions {
  store: Store;
  progress: Progress;
}

/** Finds who stored to a byte last, from one replay of the execution. */
export async function whoWrote(
  kept: KeptExecution,
  asked: string,
  context: WhoWroteContext,
): Promise<Outcome<WhoWrote>> {
  const byte = parseByte(asked);
  if (!byte.ok) return byte;
  const machine = machineOf(kept);
  if (!machine.ok) return machine;
  const plugin = await watchingPlugin(kept, context);
  if (!plugin.ok) return plugin;
  const scratch = await mkdtemp(join(tmpdir(), 'daxrepro-who-wrote-'));
  try {
    const located = await place(byte.value, kept, machine.value, scratch, context);
    if (!located.ok) return located;
    const watched = watchedByte(byte.value, located.value, machine.value);
    if (!watched.ok) return watched;
    return await watch(kept, watched.value, { asked, plugin: plugin.value, scratch, context });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Machine {
  /** Bytes of memory below 4 GiB. */
  low: number;
  /** TEST_DEV's range of physical memory. */
  test: { start: number; size: number };
  /** TEST_DEV's name: `pmem0`. */
  disk: string;
}

function machineOf({ record, unit }: KeptExecution): Outcome<Machine> {
  const { machine } = record;
  const test = machine?.pmem[0];
  if (!machine || !test) {
    return refused('its record does not say where the devices are in memory', AGAIN);
  }
  if (record.start.kind === 'off') {
    return refused('it began with a boot, and only a clone has its memory in a file', AGAIN);
  }
  const device = unit.dax.looks?.[0]?.device ?? '/dev/pmem0';
  const [, disk] = /^\/dev\/(pmem\d+)$/.exec(device) ?? [];
  if (disk === undefined) {
    return refused(`TEST_DEV is ${device}, not a whole device`, 'Use replay --exact --gdb');
  }
  return success({ low: machine.low, test, disk });
}

const AGAIN = 'Record the failure again with `daxrepro run … --record`, without --no-checkpoint';

function refused(why: string, remedy: string): Outcome<never> {
  return failure('usage', `--who-wrote does not work with this record: ${why}`, remedy);
}

async function place(
  byte: Byte,
  kept: KeptExecution,
  { test }: Machine,
  scratch: string,
  context: WhoWroteContext,
): Promise<Outcome<Located | undefined>> {
  if (byte.kind === 'address') return success(undefined);
  const image = await imageOf(kept, test, scratch, context);
  return image.ok ? locate(byte, image.value) : image;
}

/** The image that the run kept; else TEST_DEV's content at the end of a replay. */
async function imageOf(
  kept: KeptExecution,
  range: Machine['test'],
  scratch: string,
  context: WhoWroteContext,
): Promise<Outcome<Image>> {
  const { fs, images = [] } = kept.unit;
  const known = images.find(({ file }) => /^[^/]+\/image-test\.tar\.gz$/.test(file ?? ''));
  if (known?.file !== undefined) {
    const directory = join(scratch, 'image');
    await mkdir(directory);
    const archive = join(kept.directory, 'image-test.tar.gz');
    const unpacked = await unpackImage(archive, directory);
    return unpacked.ok ? success({ fs, file: unpacked.value }) : unpacked;
  }
  context.progress({ type: 'stage', text: 'replaying once, for the content of TEST_DEV' });
  const file = join(scratch, 'image');
  const ended = await endOfReplay(kept, context, ({ monitor }) =>
    monitor.execute('pmemsave', { val: range.start, size: range.size, filename: file }),
  );
  if (!ended.ok) return ended;
  if (ended.value.ok) return success({ fs, file });
  return failure(
    'tool-failed',
    `The content of TEST_DEV cannot be read: ${ended.value.error}`,
    'Free space in the temporary directory, or name a physical address',
  );
}

/** The largest unit that the plugin compares addresses in. */
const PAGE = 4096;

function watchedByte(
  byte: Byte,
  located: Located | undefined,
  { low, test, disk }: Machine,
): Outcome<Watched> {
  if (byte.kind === 'address') {
    const { address } = byte;
    const within = { low, disk, unit: PAGE, byte: Number(address % BigInt(PAGE)) };
    return success(
      address < 1n << 63n ? { ...within, physical: address } : { ...within, virtual: address },
    );
  }
  if (!located) throw new Error('a block or a file has a place');
  if (located.offset >= test.size || located.blockSize > PAGE) {
    return failure(
      'usage',
      `Byte ${located.offset} is outside of TEST_DEV, which has ${test.size}, or its blocks are larger than a page`,
      'Give a block or a file on TEST_DEV',
    );
  }
  const physical = BigInt(test.start + located.offset);
  return success({ low, disk, unit: located.blockSize, byte: located.byte, physical, located });
}

interface Watching {
  asked: string;
  plugin: string;
  scratch: string;
  context: WhoWroteContext;
}

async function watch(
  kept: KeptExecution,
  watched: Watched,
  { asked, plugin, scratch, context }: Watching,
): Promise<Outcome<WhoWrote>> {
  const { progress } = context;
  progress({ type: 'stage', text: "reading the kernel's tables" });
  const kernel = await readKernelTables(kept.start.get('kernel') ?? '');
  const directory = join(scratch, 'seen');
  await mkdir(directory);
  progress({ type: 'stage', text: `replaying ${kept.unit.fs} ${kept.unit.test}, watching a byte` });
  let code = new GuestCode(kernel, []);
  const replay = await replayExactly(kept, {
    ...context,
    more: watchArguments(watched, kernel, {
      ...{ plugin, directory },
      memory: kept.start.get('memory') ?? '',
    }),
    atEnd: async ({ monitor }) => {
      const memory = new GuestMemory(monitor, scratch);
      if (kernel) code = new GuestCode(kernel, await guestModules(memory, kernel));
    },
  });
  if (!replay.ok) return replay;
  if (!replay.value.exact) return success({ replay: replay.value, answer: undefined });
  const console = await readFile(join(kept.directory, 'console.log'));
  const seen = await readSeen(directory);
  if (!seen.end) {
    return failure(
      'tool-failed',
      'The plugin that watched the replay did not say how many stores it saw',
      'Check that the temporary directory is not full, and start it again',
    );
  }
  const { instructions } = replay.value;
  const answer = answerOf(seen, watched, { asked, code, console, kernel, instructions });
  return success({ replay: replay.value, answer });
}
