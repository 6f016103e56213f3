import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tool } from '../kernel/tool.js';
import { failure, type Outcome, success } from '../outcome.js';
import { cacheKey, lookUpOrMake, type Store } from '../store/store.js';
import { findCompiler } from '../system/compiler.js';
import { packageRoot } from '../version.js';

/**
 * The QEMU plugin that knows what would survive a power cut (power-cut/plugin): built once by this
 * machine's compiler, kept in the cache.
 */
const SOURCES = new URL('power-cut/plugin/', packageRoot);

const KIND = 'power-cut-plugin';
const FILE = 'power-cut.so';

/**
 * As power-cut/plugin/Makefile has them. No -fno-plt: preloaded, it is in programs on QEMU's way that have
 * none of QEMU's functions.
 */
const FLAGS = ['-std=gnu11', '-O2', '-fPIC', '-fvisibility=hidden', '-shared'];

/** @returns the plugin's path */
export async function buildPlugin(store: Store, signal?: AbortSignal): Promise<Outcome<string>> {
  const compiler = await findCompiler('gcc');
  if (!compiler) {
    return failure(
      'program-missing',
      'This machine has no C compiler to build the power-cut plugin with',
      '`daxrepro setup` installs what is missing',
    );
  }
  const root = fileURLToPath(SOURCES);
  const names = (await readdir(root)).filter((name) => /\.[ch]$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\n`).update(await readFile(join(root, name)));
  const key = cacheKey({
    sources: hash.digest('hex'),
    compiler: compiler.identity,
    flags: FLAGS.join(' '),
  });
  const entry = await lookUpOrMake(store, KIND, key, (directory) =>
    tool(
      [
        compiler.path,
        ...FLAGS,
        ...['-o', join(directory, FILE)],
        ...names.filter((name) => name.endsWith('.c')).map((name) => join(root, name)),
        ...['-ldl', '-pthread'],
      ],
      { cannot: 'Cannot build the power-cut plugin' },
      { ...(signal ? { signal } : {}) },
    ),
  );
  return entry.ok ? success(join(entry.value, FILE)) : entry;
}

/** One piece of the guest's physical memory that is persistent. */
export interface PmemRange {
  /** Physical address and bytes. */
  start: number;
  size: number;
  /** The file behind it, as QEMU is given it, and where in it the range begins. */
  file: string;
  offset: number;
  /** `requests`: virtio-pmem, where the guest asks for a flush of the whole device. */
  flush: 'instructions' | 'requests';
}

export interface PowerCutOptions {
  /** The plugin's path. */
  plugin: string;
  /** Another path of it, where this one has blanks or colons: LD_PRELOAD would take it for several. */
  preload?: string;
  /** Where it writes; must be there and empty. */
  directory: string;
  /** The guest's ordinary memory: its file, and bytes of it below 4 GiB. */
  memory: { file: string; low: number };
  ranges: readonly PmemRange[];
  /** What random states and drawn moments begin with; below 2^53. */
  seed: number;
  /** Random states at each cut; at most 100. */
  states: number;
  /** A cut after each promise. */
  cutAtPromises: boolean;
  /** How many cuts at drawn moments at most, and stores between the first two, on average. */
  moments: number;
  gap: number;
  /** How many cuts after sync calls at most: of those at which nothing is lost, and of the others. */
  calls: number;
  lostCalls: number;
  /** Limits of all cuts. */
  mostCuts: number;
  mostBytes: number;
}

/** What QEMU's command line gets, and its environment. */
export function powerCutArguments(options: PowerCutOptions): {
  arguments: string[];
  environment: Record<string, string>;
} {
  const settings: [string, string | number][] = [
    ['out', options.directory],
    ['memory', options.memory.file],
    ['low', options.memory.low],
    ...options.ranges.flatMap(({ start, size, file, offset, flush }, index) =>
      Object.entries({ start, size, file, offset, flush }).map(
        ([name, value]): [string, string | number] => [`range${index}-${name}`, value],
      ),
    ),
    ['seed', options.seed],
    ['states', options.states],
    ['promises', options.cutAtPromises ? 'cut' : 'keep'],
    ['moments', options.moments],
    ['gap', options.gap],
    ['calls', options.calls],
    ['lost-calls', options.lostCalls],
    ['max-cuts', options.mostCuts],
    ['max-bytes', options.mostBytes],
  ];
  const text = settings.map(([name, value]) => `${name}=${escapeComma(String(value))}`);
  const requests = options.ranges.some(({ flush }) => flush === 'requests');
  return {
    arguments: ['-plugin', [`file=${escapeComma(options.plugin)}`, ...text].join(',')],
    environment: requests ? { LD_PRELOAD: options.preload ?? options.plugin } : {},
  };
}

/** As QEMU's option lists want it. */
function escapeComma(text: string): string {
  return text.replaceAll(',', ',,');
}
