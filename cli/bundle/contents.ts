import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptInputs } from '../inputs/read.js';
import type { KeptResult } from '../results/read.js';
import { sha256Of, sha256OfFile } from '../sha256.js';
import { version } from '../version.js';
import type { PackedKernels } from './kernels.js';
import type { Member } from './member.js';
import type { Bundle, PackedKernel } from './schema.js';
import { type Scrub, scrubber, scrubCommand } from './scrub.js';
import { isBundleName, LARGEST_FILE } from './tar.js';

export interface Contents {
  bundle: Bundle;
  /** Sorted by name. */
  members: Member[];
  /** Files of the run that are left out, because their names do not fit into a bundle. */
  left: string[];
}

/** Files written by daxrepro that contain paths of this machine. All others come from a guest. */
const OURS = /(?:^|\/)(?:unit\.json|bisect\.json|qemu-argv\.json|failure\.txt|results\.xml)$/;

export async function contentsOf(
  run: KeptResult,
  kept: KeptInputs,
  packed?: PackedKernels,
): Promise<Contents> {
  const { directory, result } = run;
  const scrub = scrubber(directory, result.directory, kept);
  const members: Member[] = [
    json('result.json', withoutPaths(run, scrub)),
    json('inputs/manifest.json', manifestOf(kept, scrub)),
  ];
  for (const { name } of kept.inputs.files) {
    members.push({ name: `inputs/${name}`, content: join(kept.directory, name) });
  }
  const left: string[] = [];
  for (const name of await ordinaryFiles(directory)) {
    if (name === 'result.json' || /^(?:inputs|kernels)\//.test(name)) continue;
    const file = join(directory, name);
    if (!isBundleName(name) || (await stat(file)).size > LARGEST_FILE) left.push(name);
    else if (!OURS.test(name)) members.push({ name, content: file });
    else members.push({ name, content: Buffer.from(scrub(await readFile(file, 'utf8'))) });
  }
  for (const member of packed?.members ?? []) {
    if (!isBundleName(member.name)) left.push(member.name);
    else members.push(member);
  }
  members.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = [];
  for (const { name, content } of members) files.push({ name, ...(await hashOf(content)) });
  const tool = { name: 'daxrepro' as const, version: version() };
  const kernels = packed && (JSON.parse(scrub(JSON.stringify(packed.kernels))) as PackedKernel[]);
  const bundle = { schemaVersion: 1 as const, tool, kind: run.kind };
  return { bundle: { ...bundle, ...(kernels ? { kernels } : {}), files }, members, left };
}

function json(name: string, value: unknown): Member {
  return { name, content: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) };
}

function withoutPaths({ result }: KeptResult, scrub: Scrub): unknown {
  const scrubbed = JSON.parse(scrub(JSON.stringify(result))) as KeptResult['result'];
  return { ...scrubbed, command: scrubCommand(result.command, scrub), directory: '.' };
}

/** The manifest without origins of files, and without the places of the suite and the tree. */
function manifestOf({ inputs }: KeptInputs, scrub: Scrub): unknown {
  const { suiteDirectory: _, treeDirectory: ___, ...rest } = inputs;
  const files = inputs.files.map(({ from: __, ...file }) => file);
  return JSON.parse(scrub(JSON.stringify({ ...rest, files })));
}

/** Names of all regular files below a directory. Links are not followed. */
async function ordinaryFiles(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile() && !one.name.endsWith('.part'))
    .map((one) => join(one.parentPath, one.name).slice(directory.length + 1));
}

async function hashOf(content: Member['content']): Promise<{ sha256: string; bytes: number }> {
  if (typeof content === 'string') return sha256OfFile(content);
  return { sha256: sha256Of(content), bytes: content.length };
}
