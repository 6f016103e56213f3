import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { commandLine } from '../../cli/command-line/program.js';
import { allCommands, nameOf, ownWords, parse } from '../util/command-line.js';
import { compileInto } from '../util/compiled.js';
import { commandsIn, documents, sessionsIn } from '../util/documents.js';

/** The documents' commands: each is one that the program takes, and what costs nothing is run. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const { main } = compileInto(t.testdir());

/** Starts no guest, fetches nothing, and changes nothing. */
const CHEAP = [
  /^list(?! .*--suite)/,
  /^config\b/,
  /^completion\b/,
  /^(?:fsck|log) fixtures\//,
  /^(?:compare|setup|cache clean) .*--dry-run/,
  /^help\b/,
  /--help$|(?:^| )-h$/,
];

async function run(words: readonly string[]) {
  return execa(process.execPath, [main, ...words], {
    cwd: root,
    env: { NODE_OPTIONS: '', XDG_CACHE_HOME: join(t.testdirName, 'cache'), COLUMNS: '100' },
    reject: false,
  });
}

for (const document of documents()) {
  t.test(document, async (t) => {
    for (const { place, text } of commandsIn(document)) {
      for (const words of ownWords(text)) {
        const { problem, command, stdout } = await parse(words);
        const name = `${place}: ${text}`;
        t.ok(problem === '' && (command !== '' || stdout !== ''), name, { problem });
        if (!CHEAP.some((pattern) => pattern.test(words.join(' ')))) continue;
        const { exitCode, stderr } = await run(words);
        t.ok(exitCode === 0 || (/^(?:fsck|log)$/.test(words[0] ?? '') && exitCode === 1), name, {
          stderr,
        });
      }
    }
    for (const { place, text, shown } of sessionsIn(document)) {
      const [words] = ownWords(text);
      if (!words || !CHEAP.some((pattern) => pattern.test(words.join(' ')))) continue;
      const { stdout } = await run(words);
      const pattern = shown.map((line) => line.split('…').map(escaped).join('[^]*')).join('\\s+');
      t.match(stdout, new RegExp(pattern), `${place}: prints what is shown`);
    }
  });
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\s+/g, '\\s+');
}

t.test('every command is in the documents', async (t) => {
  const all = documents()
    .map((document) => readFileSync(`${root}${document}`, 'utf8'))
    .join('\n');
  for (const command of allCommands(commandLine('0')).slice(1)) {
    t.ok(all.includes(`daxrepro ${nameOf(command)}`), nameOf(command));
  }
});

t.test('links lead somewhere', async (t) => {
  for (const document of documents()) {
    const text = readFileSync(`${root}${document}`, 'utf8');
    for (const [, path = '', anchor] of text.matchAll(
      /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?/g,
    )) {
      const target = path === '' ? join(root, document) : join(root, dirname(document), path);
      t.ok(existsSync(target), `${document}: ${path}`);
      if (anchor) t.ok(anchorsOf(target).includes(anchor), `${document}: ${path}#${anchor}`);
    }
  }
});

/** What GitHub and GitLab make of headings. */
function anchorsOf(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(/\s/g, '-'),
  );
}

t.test('npm scripts that the documents name exist', async (t) => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  for (const document of documents()) {
    const text = readFileSync(`${root}${document}`, 'utf8');
    for (const [, name = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g)) {
      t.ok(name in scripts, `${document}: npm run ${name}`);
    }
  }
});
