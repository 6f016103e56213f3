import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes changed tests into the group file of their folder, where `check` looks tests up. The build of
 * xfstests makes group.list from the line `_begin_fstest GROUP…` of each test (tools/mkgroupfile). A tree
 * from before 2021 has a file `group` instead, in which tests are listed by hand.
 *
 * @param ids tests that were added, changed or removed
 */
export async function updateGroups(tree: string, ids: readonly string[]): Promise<void> {
  for (const folder of new Set(ids.map((id) => id.slice(0, id.indexOf('/'))))) {
    const directory = join(tree, 'tests', folder);
    const file = ['group.list', 'group']
      .map((name) => join(directory, name))
      .find((path) => existsSync(path));
    if (file === undefined) continue;
    let text = (await readFile(file, 'utf8')).replace(/\n*$/, '\n');
    const names = ids
      .filter((id) => id.startsWith(`${folder}/`))
      .map((id) => id.slice(folder.length + 1));
    for (const name of names) {
      const script = await readFile(join(directory, name), 'utf8').catch(() => undefined);
      const line =
        script === undefined ? '' : `${name} ${groupsIn(script) ?? listed(text, name)}\n`;
      const others = text.split('\n').filter((one) => one.split(/\s/)[0] !== name);
      text = `${others.join('\n')}${line}`;
    }
    await writeFile(file, text);
  }
}

/** undefined for a test of an old tree. */
export function groupsIn(script: string): string | undefined {
  const joined = script.replace(/\\\n\s*/g, ' ');
  return /^_begin_fstest[ \t]+(.*?)\s*(?:#.*)?$/m.exec(joined)?.[1]?.replaceAll(/\s+/g, ' ');
}

/** The groups that the file lists already; a test of a patch may be listed by the patch. */
function listed(text: string, name: string): string {
  const line = text.split('\n').find((one) => one.split(/\s/)[0] === name);
  return line?.split(/\s+/).slice(1).join(' ') || 'auto';
}
