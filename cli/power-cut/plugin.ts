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
 * The QEMU plugin that computes what would survive a power cut (power-cut/plugin), and the one that watches a byte
 * (power-cut/who-wrote). This machine's compiler builds each once, and the cache keeps it.
 */

/**
 * The flags of power-cut/plugin/Makefile. Without -fno-plt: LD_PRELOAD also loads the plugin into programs that
 * run before QEMU, and these lack the functions of QEMU that it calls.
 */
const FLAGS = ['-std=gnu11', '-O2', '-fPIC', '-fvisibility=hidden', '-shared'];

interface PluginSources {
  kind: string;
  file: string;
  /** Folders, and the sources in each: all of them, or these. */
  folders: readonly { folder: string; only?: readonly string[] }[];
}

const POWER_CUT: PluginSources = {
  kind: 'power-cut-plugin',
  file: 'power-cut.so',
  folders: [{ folder: 'power-cut/plugin/' }],
};

/** Reports the stores to one byte. It shares some sources with the other one. */
const WHO_WROTE: PluginSources = {
  kind: 'who-wrote-plugin',
  file: 'who-wrote.so',
  folders: [
    { folder: 'power-cut/who-wrote/' },
    { folder: 'power-cut/plugin/', only: ['address.c', 'decode.c', 'memory.c', 'points.c'] },
  ],
};

/** @returns the plugin's path */
export function buildPlugin(store: Store, signal?: AbortSignal): Promise<Outcome<string>> {
  return build(POWER_CUT, store, signal);
}

/** @returns the path of the plugin that watches one byte */
export function buildWatchingPlugin(store: Store, signal?: AbortSignal): Promise<Outcome<string>> {
  return build(WHO_WROTE, store, signal);
}

async function build(
  { kind, file, folders }: PluginSources,
  store: Store,
  signal: AbortSignal | undefined,
): Promise<Outcome<string>> {
  const compiler = await findCompiler('gcc');
  if (!compiler) {
    return failure(
      'program-missing',
      'This machine has no C compiler to build the power-cut plugin with',
      '`daxrepro setup` installs what is missing',
    );
  }
  const hash = createHash('sha256');
  const sources: string[] = [];
  for (const { folder, only } of folders) {
    const root = fileURLToPath(new URL(folder, packageRoot));
    const names = (await readdir(root)).filter((name) => /\.[ch]$/.test(name)).sort();
    for (const name of names) hash.update(`${name}\n`).update(await readFile(join(root, name)));
    const own = names.filter((name) => name.endsWith('.c') && (only?.includes(name) ?? true));
    sources.push(...own.map((name) => join(root, name)));
  }
  const key = cacheKey({
    sources: hash.digest('hex'),
    compiler: compiler.identity,
    flags: FLAGS.join(' '),
  });
  const entry = await lookUpOrMake(store, kind, key, (directory) =>
    tool(
      [compiler.path, ...FLAGS, '-o', join(directory, file), ...sources, '-ldl', '-pthread'],
      { cannot: `Cannot build the plugin ${file}` },
      { ...(signal ? { signal } : {}) },
    ),
  );
  return entry.ok ? success(join(entry.value, file)) : entry;
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
