import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { manualOf } from '../../cli/command-line/manual.js';
import { manualPage } from '../../cli/command-line/manual-page.js';
import { commandLine } from '../../cli/command-line/program.js';
import { allCommands, nameOf, ownWords, parse } from '../util/command-line.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const commands = allCommands(commandLine('1.2.3'));

t.test('every command has examples that it accepts', async (t) => {
  for (const command of commands) {
    const name = `daxrepro ${nameOf(command)}`.trim();
    const { examples = [] } = manualOf(command) ?? {};
    t.not(examples.length, 0, `${name} has examples: document() in its definition`);
    for (const [index, [line, does]] of examples.entries()) {
      const [words] = ownWords(line);
      t.ok(words, `${line} has daxrepro in it`);
      const { command: reached, problem } = await parse(words ?? []);
      t.equal(problem, '', line);
      // Further examples may use other commands: a bundle is replayed.
      if (index === 0) {
        t.ok(reached.startsWith(nameOf(command)), `${line} is an example of ${name}`);
      }
      t.notMatch(does, /\.$/, does);
    }
  }
});

t.test('the manual explains only existing options', async (t) => {
  for (const command of commands) {
    const flags = command.options.map(({ long }) => long);
    for (const flag of Object.keys(manualOf(command)?.options ?? {})) {
      t.ok(flags.includes(flag), `${nameOf(command)} ${flag}`);
    }
  }
});

t.test('--help begins with examples, and -h has none', async (t) => {
  for (const command of commands) {
    const words = nameOf(command).split(' ').filter(Boolean);
    const long = await parse([...words, '--help']);
    t.match(long.stdout, /^Examples:\n {2}\S/, nameOf(command));
    const brief = await parse([...words, '-h']);
    t.match(brief.stdout, /^Usage: daxrepro/);
    t.notMatch(brief.stdout, /Examples:|Exit codes:/);
    t.equal(brief.problem + long.problem, '');
    const lacking = command.options.filter(
      ({ flags }) => !brief.stdout.includes(flags) || !long.stdout.includes(flags),
    );
    t.strictSame(lacking, [], nameOf(command));
  }
  t.match(await parse(['help', 'run']), { stdout: (await parse(['run', '--help'])).stdout });
});

t.test('accepts -h without required arguments', async (t) => {
  t.match(await parse(['run', 'ext2', '-h']), { problem: '', stdout: /^Usage: daxrepro run/ });
  t.match(await parse(['case', 'new']), { problem: /missing required argument 'name'/ });
  t.match(await parse(['run', 'ext2', '--ptach', 'x']), { problem: /Did you mean --patch\?/ });
});

t.test('the manual page is complete and valid', async (t) => {
  const page = manualPage(commandLine('1.2.3'), '1.2.3');
  const plain = page.replaceAll('\\-', '-');
  for (const command of commands) {
    t.ok(plain.includes(`daxrepro ${nameOf(command)}`.trim()), nameOf(command));
    const lacking = command.options.filter(({ flags }) => !plain.includes(`.B ${flags}\n`));
    t.strictSame(lacking, [], nameOf(command));
  }
  t.notMatch(
    page,
    /^[.'](?!TH|nh|ad|SH|SS|PP|TP|B |I |nf|fi|RS|RE)/m,
    'no text looks like a roff request',
  );
  const file = `${t.testdir({ 'daxrepro.1': page })}/daxrepro.1`;
  const linted = await execa('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', file], {
    reject: false,
    env: { MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
  });
  if (linted.code === 'ENOENT') t.pass('man', { skip: 'man is not installed' });
  else t.match(linted, { exitCode: 0, stderr: '', stdout: /daxrepro run ext2 generic\/002/ });
  const mandoc = await execa('mandoc', ['-Tlint', '-Wwarning', file], { reject: false });
  if (mandoc.code === 'ENOENT') t.pass('mandoc', { skip: 'mandoc is not installed' });
  else {
    // The page has no date, so that the same sources give the same page.
    const warnings = mandoc.stdout.split('\n').filter((line) => !/missing date/.test(line));
    t.strictSame(warnings.filter(Boolean), []);
  }
  const { man } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  t.equal(man, 'dist/daxrepro.1', 'package.json ships the file that bundle.js writes');
});
