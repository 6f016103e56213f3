import { access, chmod, open, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { runTool } from '../process/child.js';

/**
 * Makes the programs of an unpacked tree of packages run here, whatever this machine's C library is. Each one is
 * replaced by a script that starts it with the tree's own dynamic linker and libraries. The tree can be moved.
 */

/** The programs keep their folder: gcc finds its parts relative to itself. */
const hiddenName = (name: string) => `.${name}.program`;

/** Relative to the tree's root; the first that exists is used. Packages before Debian 13 have /lib and /lib64. */
const LOADERS = [
  'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
  'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
];

const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'];

/** The interpreter's path, in the program headers, is within the first page. */
const HEAD = 4096;

/** @param root the tree, with its C library */
export async function useOwnLoader(root: string): Promise<void> {
  const loader = await firstThere(root, LOADERS);
  if (loader === undefined) throw new Error(`${root} has no C library`);
  // Since glibc 2.33. Without it, a program takes its hidden file's name for its own.
  const help = await runTool([join(root, loader), '--help']);
  const keepsName = help.stdout.includes('--argv0');
  for (const file of await programsIn(root)) {
    const directory = dirname(file);
    const name = file.slice(directory.length + 1);
    const up = relative(directory, root);
    const script = scriptFor({ loader, up, name, keepsName });
    await rename(file, join(directory, hiddenName(name)));
    await writeFile(file, script);
    await chmod(file, 0o755);
  }
}

function scriptFor(of: { loader: string; up: string; name: string; keepsName: boolean }): string {
  const { loader, up, name, keepsName } = of;
  const libraries = LIBRARIES.map((path) => `$root/${path}`).join(':');
  return `#!/bin/sh
here=\${0%/*}
root=$here/${up}
exec "$root/${loader}" --library-path "${libraries}" ${keepsName ? '--argv0 "$0" ' : ''}"$here/${hiddenName(name)}" "$@"
`;
}

async function firstThere(root: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const there = await access(join(root, path)).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return undefined;
}

/** Executable files with an interpreter: neither scripts nor libraries nor static programs. */
async function programsIn(root: string): Promise<string[]> {
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const programs: string[] = [];
  for (const file of files) if (await hasInterpreter(file)) programs.push(file);
  return programs;
}

async function hasInterpreter(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o111) === 0 || /\.so\b/.test(file)) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    return head.startsWith('\x7fELF') && head.includes('/ld-linux-x86-64.so.2\0');
  } finally {
    await handle.close();
  }
}

/** Gives programs with a target prefix, such as `x86_64-linux-gnu-ld`, their plain names too. */
export async function linkPlainNames(directory: string): Promise<void> {
  const prefix = 'x86_64-linux-gnu-';
  const names = new Set(await readdir(directory));
  for (const name of names) {
    const plain = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (plain === '' || names.has(plain)) continue;
    await symlink(name, join(directory, plain));
  }
}
