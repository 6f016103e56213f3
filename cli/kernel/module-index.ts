import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * What a directory like /lib/modules/<release> says about its modules, in the files that depmod and
 * the kernel's build wrote: modules.dep(5), modules.builtin, modules.softdep, modules.alias.
 */
export interface ModuleIndex {
  /** By name: the path below the directory, `kernel/fs/ext4/ext4.ko.xz`. */
  paths: Map<string, string>;
  /** By name: the names of all modules it depends on, directly or not. */
  dependencies: Map<string, string[]>;
  builtIn: Set<string>;
  /** By name: modules to load with it, as names or aliases: `crypto-crc32c`. */
  companions: Map<string, string[]>;
  /** By alias without wildcards: the modules that provide it. */
  aliases: Map<string, string[]>;
}

/** Without companions and aliases: modules.alias is a megabyte long. */
export async function readModulePaths(
  directory: string,
): Promise<Pick<ModuleIndex, 'paths' | 'dependencies' | 'builtIn'>> {
  const paths = new Map<string, string>();
  const dependencies = new Map<string, string[]>();
  for (const line of await readLines(directory, 'modules.dep')) {
    const [path = '', needed = ''] = line.split(':');
    const name = moduleName(path);
    paths.set(name, path);
    dependencies.set(name, words(needed).map(moduleName));
  }
  const builtIn = (await readLines(directory, 'modules.builtin')).map(moduleName);
  return { paths, dependencies, builtIn: new Set(builtIn) };
}

export async function readModuleIndex(directory: string): Promise<ModuleIndex> {
  const companions = new Map<string, string[]>();
  for (const line of await readLines(directory, 'modules.softdep')) {
    const [, name = '', ...others] = words(line);
    const wanted = others.filter((word) => word !== 'pre:' && word !== 'post:');
    add(companions, moduleName(name), wanted);
  }
  const aliases = new Map<string, string[]>();
  for (const line of await readLines(directory, 'modules.alias')) {
    const [, alias = '', name = ''] = words(line);
    if (!/[*?[]/.test(alias)) add(aliases, alias, [name]);
  }
  return { ...(await readModulePaths(directory)), companions, aliases };
}

async function readLines(directory: string, name: string): Promise<string[]> {
  const text = await readFile(join(directory, name), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** `ext4` for `kernel/fs/ext4/ext4.ko.xz`. The kernel treats - and _ in names as the same. */
export function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.(xz|zst|gz))?$/, '')
    .replaceAll('-', '_');
}

export interface Selection {
  /** Names of the wanted modules and of all their dependencies. */
  modules: string[];
  builtIn: string[];
  absent: string[];
}

/** The files needed to load each of `wanted`. */
export function selectModules(index: ModuleIndex, wanted: readonly string[]): Selection {
  const modules = new Set<string>();
  const select = (name: string) => {
    if (modules.has(name) || !index.paths.has(name)) return;
    modules.add(name);
    for (const other of index.dependencies.get(name) ?? []) select(other);
    for (const companion of index.companions.get(name) ?? []) {
      for (const other of named(index, companion)) select(other);
    }
  };
  const builtIn: string[] = [];
  const absent: string[] = [];
  for (const name of wanted.map(moduleName)) {
    if (index.paths.has(name)) select(name);
    else (index.builtIn.has(name) ? builtIn : absent).push(name);
  }
  return { modules: [...modules].sort(), builtIn, absent };
}

function named(index: ModuleIndex, nameOrAlias: string): string[] {
  const name = moduleName(nameOrAlias);
  return index.paths.has(name) ? [name] : (index.aliases.get(nameOrAlias) ?? []).map(moduleName);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function add(map: Map<string, string[]>, key: string, values: string[]) {
  map.set(key, [...(map.get(key) ?? []), ...values]);
}
