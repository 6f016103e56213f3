import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure, type Outcome, success } from '../outcome.js';
import { tool } from '../process/tool.js';
import { cacheKey, lookUpOrMake, type Store } from '../store/store.js';
import { findCompiler } from '../system/compiler.js';
import { packageRoot } from '../version.js';

/**
 * The QEMU plugin that computes what would survive a power cut (power-cut/plugin). This machine's compiler
 * builds it once, and the cache keeps it.
 */
const SOURCES = new URL('power-cut/plugin/', packageRoot);

const KIND = 'power-cut-plugin';
const FILE = 'power-cut.so';

/**
 * The flags of power-cut/plugin/Makefile. Without -fno-plt: LD_PRELOAD also loads the plugin into programs that
 * run before QEMU, and these lack the functions of QEMU that it calls.
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

/** A persistent range of the guest's physical memory. */
export interface PmemRange {
  /** Physical address and bytes. */
  start: number;
  size: number;
  /** The file behind it, as QEMU gets it, and the range's offset in that file. */
  file: string;
  offset: number;
  /** `requests`: for virtio-pmem, where the guest asks for a flush of the whole device. */
  flush: 'instructions' | 'requests';
}

export interface PowerCutOptions {
  /** The plugin's path. */
  plugin: string;
  /** Another path of the plugin if this one contains blanks or colons, which separate paths in LD_PRELOAD. */
  preload?: string;
  /** The output directory, which must exist and be empty. */
  directory: string;
  /** The guest's ordinary memory: its file, and how many bytes are below 4 GiB. */
  memory: { file: string; low: number };
  ranges: readonly PmemRange[];
  /** The seed of random states and random moments; below 2^53. */
  seed: number;
  /** Random states per cut; at most 100. */
  states: number;
  /** Whether to cut after each promise. */
  cutAtPromises: boolean;
  /** The most cuts at random moments, and the average number of stores between the first two. */
  moments: number;
  gap: number;
  /** The most cuts after sync calls: of calls at which nothing is lost, and of the others. */
  calls: number;
  lostCalls: number;
  /** Limits for all cuts together. */
  mostCuts: number;
  mostBytes: number;
}

/** QEMU's arguments and its environment. */
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

/** Escapes a text for QEMU's option lists. */
function escapeComma(text: string): string {
  return text.replaceAll(',', ',,');
}
