import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configured } from './configuration.js';

/**
 * Explains why a symbol does not have the value that a fragment asked for, by a simple reading of
 * the tree's Kconfig files. Used only after a failure: good enough for a message, not for a
 * decision.
 */
export async function explainSymbol(
  tree: string,
  symbol: string,
  configuration: string,
): Promise<string> {
  const definitions = await definitionsOf(tree, symbol);
  if (definitions.length === 0) return 'this tree has no such symbol';
  const unmet = new Set<string>();
  const conditions: string[] = [];
  for (const { dependencies } of definitions) {
    for (const expression of dependencies) {
      conditions.push(expression);
      for (const name of expression.match(/!?\b[A-Z][A-Z0-9_]+\b/g) ?? []) {
        const negated = name.startsWith('!');
        const on = (configured(configuration, name.replace('!', '')) ?? 'n') !== 'n';
        if (on === negated) unmet.add(negated ? `${name.slice(1)} is on` : `${name} is off`);
      }
    }
  }
  if (conditions.length === 0) return `${definitions[0]?.file} does not say why`;
  const because = unmet.size > 0 ? `; ${[...unmet].join(', ')}` : '';
  return `it depends on ${[...new Set(conditions)].join(' and ')} (${definitions[0]?.file})${because}`;
}

interface Definition {
  /** Path below the tree: `fs/Kconfig`. */
  file: string;
  dependencies: string[];
}

async function definitionsOf(tree: string, symbol: string): Promise<Definition[]> {
  const definitions: Definition[] = [];
  for (const file of await kconfigFiles(tree)) {
    const text = (await readFile(join(tree, file), 'utf8')).replace(/\s*\\\n\s*/g, ' ');
    if (!text.includes(symbol)) continue;
    const conditions: string[] = [];
    let within: Definition | undefined;
    for (const line of text.split('\n')) {
      // Help texts are indented, and have sentences that begin with "if".
      const [, keyword = '', rest = ''] =
        line.match(/^(\w+)\b\s*(.*)$/) ??
        line.match(/^\s+((?:menu)?config|depends|help)\b\s*(\w*|on\s.*)$/) ??
        [];
      switch (keyword) {
        case 'config':
        case 'menuconfig':
          within = undefined;
          if (rest.trim() !== symbol) break;
          within = { file, dependencies: [...conditions] };
          definitions.push(within);
          break;
        case 'if':
          within = undefined;
          conditions.push(rest.trim());
          break;
        case 'endif':
          conditions.pop();
          break;
        case 'help':
        case 'menu':
        case 'choice':
        case 'source':
        case 'comment':
          within = undefined;
          break;
        case 'depends':
          within?.dependencies.push(rest.replace(/^on\s+/, '').trim());
      }
    }
  }
  return definitions;
}

/** A build for x86 does not read those of other architectures. */
async function kconfigFiles(tree: string, below = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(tree, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isFile() && entry.name.startsWith('Kconfig')) found.push(path);
    else if (entry.isDirectory() && !isForeign(path))
      found.push(...(await kconfigFiles(tree, path)));
  }
  return found.sort();
}

function isForeign(path: string): boolean {
  const [top, second] = path.split('/');
  return (
    path.startsWith('.') ||
    (top === 'arch' && second !== undefined && second !== 'x86') ||
    (top !== undefined && ['Documentation', 'tools', 'include'].includes(top))
  );
}
