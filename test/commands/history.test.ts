import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { type HistoryOptions, historyCommand } from '../../cli/commands/history.js';
import type { RunResult, UnitResult } from '../../cli/results/run-result.js';
import { captured } from '../util/captured.js';
import { CHROMIUM, openChromium } from '../util/chromium.js';
import { CORRUPTED, comparison, EARLY_RETURN, FAIL } from '../util/comparisons.js';
import { HOSTILE, hostile } from '../util/hostile.js';
import { WHOLE_BISECTION, WHOLE_RUN } from '../util/kept.js';
import { RESULT, UNIT } from '../util/results.js';

const daxrepro = (directory?: string, options: HistoryOptions = {}) =>
  captured(() => historyCommand(directory, options, ['history']));

function keep(parent: string, name: string, result: object): string {
  const directory = join(parent, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'result.json'), JSON.stringify(result));
  return directory;
}

function run(day: number, units: Partial<UnitResult>[], more: object = {}): RunResult {
  const verdict = units.find((unit) => unit.verdict !== undefined)?.verdict ?? 'pass';
  return {
    ...RESULT,
    started: new Date(Date.UTC(2026, 0, day)).toISOString(),
    directory: `/runs/${day}`,
    verdict,
    units: units.map((unit) => ({ ...UNIT, ...unit })),
    ...more,
  };
}

t.test('shows tests over time as text, JSON and a page', async (t) => {
  const top = t.testdir();
  keep(top, 'mon', run(1, [{}]));
  keep(top, 'tue', run(2, [FAIL as Partial<UnitResult>]));
  keep(top, 'wed', {
    ...comparison(EARLY_RETURN),
    ...{ verdict: 'fail', started: '2026-01-03T00:00:00Z' },
  });
  writeFileSync(join(top, 'notes.txt'), 'not a directory');
  const { code, stdout } = await daxrepro(top);
  t.equal(code, 0);
  t.match(stdout, /3 runs from 2026-01-01 to 2026-01-03/);
  t.match(stdout, /Failing[\s\S]*early-return[\s\S]*Passing now, failed before[\s\S]* {2}\.F\.\n/);
  t.match(stdout, /1 of 3 attempts failed, 33 % \(95 % interval: 0\.84 to 91 %\)/);
  t.match(stdout, /failed once: 2026-01-02 in tue/);
  t.notMatch(stdout, /Not counted/);

  const json = JSON.parse((await daxrepro(top, { json: true })).stdout);
  t.match(json, { schemaVersion: 1, tool: { name: 'daxrepro' } });
  t.strictSame(json.leftOut, []);
  t.match(
    json.runs.map(({ name }: { name: string }) => name),
    ['mon', 'tue', 'wed'],
  );
  const page = join(top, 'history.html');
  t.match(await daxrepro(top, { output: page }), { code: 0, stdout: '', stderr: /3 runs/ });
  t.match(readFileSync(page, 'utf8'), /<title>Tests on DAX over time<\/title>[\s\S]*<\/html>/);
  const last = JSON.parse((await daxrepro(top, { json: true, last: '1' })).stdout);
  t.match(last.runs, [{ name: 'wed' }]);
});

t.test('names what it does not count', async (t) => {
  const top = t.testdir({
    killed: {
      inputs: {},
      '001-ext2-generic-002': { 'unit.json': '{}' },
      '002-ext2-dax-acl': { 'console.log': '' },
    },
    torn: { 'result.json': '{"schemaVersion": 1, "units": [' },
    foreign: { 'README.md': 'hello' },
    newer: { 'result.json': '{"schemaVersion": 7}' },
    unreadable: { 'result.json': {} },
  });
  const good = keep(top, 'good', run(1, [{}]));
  cpSync(good, join(top, 'good-copy'), { recursive: true });
  symlinkSync(good, join(top, 'good-link'));
  symlinkSync(join(top, 'nowhere'), join(top, 'dangling'));
  keep(top, 'forged', run(2, [FAIL as Partial<UnitResult>], { verdict: 'pass' }));
  keep(top, 'empty', run(3, [], { verdict: 'error' }));
  keep(top, 'undated', run(4, [{}], { started: 'tomorrow' }));
  keep(top, 'shell', run(5, [{}], { shell: { status: 0 } }));
  keep(top, 'bisection', WHOLE_BISECTION);
  const { code, stdout } = await daxrepro(top, { json: true });
  t.equal(code, 0);
  const { runs, leftOut, tests } = JSON.parse(stdout);
  t.match(runs, [{ name: 'good' }]);
  t.equal(runs.length, 1);
  t.equal(tests[0].decided, 1, 'a copy does not count twice');
  const reasons = Object.fromEntries(
    leftOut.map(({ name, reason }: { name: string; reason: string }) => [name, reason]),
  );
  t.match(reasons, {
    killed: /still going, or was killed\. 1 unit of it ended/,
    torn: /not valid JSON/,
    foreign: /not a run of daxrepro/,
    newer: /schema version 7/,
    unreadable: /still going, or was killed|result\.json/,
    'good-copy': 'it is a copy of good',
    'good-link': 'it is a copy of good',
    forged: /its verdict is pass, but its units come to fail/,
    empty: /interrupted before its first unit/,
    undated: /when it started/,
    shell: /session of the shell/,
    bisection: /bisection/,
  });
  t.equal(leftOut.length, 12, 'a dangling link is nothing');
  t.match(
    (await daxrepro(top)).stdout,
    /Not counted:\n[\s\S]* {2}forged: result\.json was changed/,
  );
});

t.test('refuses directories without runs, and wrong usage', async (t) => {
  const top = t.testdir({ empty: {}, foreign: { a: { 'x.txt': '' } }, runs: {} });
  keep(join(top, 'runs'), 'one', run(1, [{}]));
  t.match(await daxrepro(join(top, 'empty')), { code: 2, stderr: /has no runs/ });
  t.match(await daxrepro(join(top, 'foreign')), {
    code: 2,
    stderr: /has no whole run\. a: it is not a run of daxrepro/,
  });
  t.match(await daxrepro(join(top, 'nothing')), { code: 2, stderr: /cannot be read/ });
  t.match(await daxrepro(join(top, 'runs'), { last: '0' }), { code: 2, stderr: /--last "0"/ });
  const both = { json: true, output: 'x.html' };
  t.match(await daxrepro(join(top, 'runs'), both), { code: 2, stderr: /--json and a file/ });
  const nowhere = { output: join(top, 'no/where.html') };
  t.match(await daxrepro(join(top, 'runs'), nowhere), { code: 2, stderr: /cannot be written/ });
});

t.test('escapes what guests wrote', async (t) => {
  const top = t.testdir();
  const nasty = hostile({ ...WHOLE_RUN, units: WHOLE_RUN.units.slice(0, 2) });
  for (const unit of nasty.units) {
    for (const finding of unit.findings) finding.signature = `kernel:${HOSTILE}`;
  }
  keep(top, '<img src=x onerror=alert(1)>\x1b[31m', nasty);
  keep(top, 'torn\x1b[31m<b>', { schemaVersion: 1 });
  const text = (await daxrepro(top)).stdout;
  t.notMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\u200b]/);
  t.notMatch(text, /^FORGED/m);
  const page = join(top, 'page.html');
  await daxrepro(top, { output: page });
  const html = readFileSync(page, 'utf8');
  t.notMatch(html, /<script|<img|<b>|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\u200b]/);
});

t.test('thousands of units stay a page of readable size', async (t) => {
  const top = t.testdir();
  const tests = Array.from({ length: 1000 }, (_, index) => `generic/${index}`);
  for (let day = 1; day <= 8; day += 1) {
    const units = tests.map((test, index) => ({
      test,
      ...(index === 500 && day > 4 ? (FAIL as Partial<UnitResult>) : {}),
    }));
    keep(top, `day-${day}`, run(day, units, { verdict: day > 4 ? 'fail' : 'pass' }));
  }
  const page = join(top, 'page.html');
  t.match(await daxrepro(top, { output: page }), { code: 0 });
  const html = readFileSync(page, 'utf8');
  t.ok(html.length < 1000 * 1000, `${html.length} characters for 8000 units`);
  t.ok(html.indexOf('generic/500') < html.indexOf('generic/0<'), 'the failing test comes first');
  const lines = (await daxrepro(top)).stdout.split('\n');
  t.ok(lines.length < 120, `${lines.length} lines`);
  t.ok(lines.some((line) => /and 979 more; --json/.test(line)));
});

t.test(
  'the page makes no requests, fits narrow windows, and passes axe',
  { skip: CHROMIUM ? false : 'chromium is not installed' },
  async (t) => {
    const top = t.testdir({ profile: {} });
    keep(top, 'runs/mon', run(1, [{}, { test: 'dax/acl' }]));
    keep(top, 'runs/tue', run(2, [FAIL as Partial<UnitResult>, { test: 'dax/acl' }]));
    keep(top, 'runs/torn', { schemaVersion: 1 });
    const file = join(top, 'page.html');
    await daxrepro(join(top, 'runs'), { output: file });
    const page = await openChromium(join(top, 'profile'));
    t.teardown(() => page.close());
    const { createRequire } = await import('node:module');
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    for (const [width, value] of [
      [400, 'light'],
      [1280, 'dark'],
    ] as const) {
      await page.send('Emulation.setDeviceMetricsOverride', {
        ...{ width, height: 900, deviceScaleFactor: 1, mobile: false },
      });
      const features = [{ name: 'prefers-color-scheme', value }];
      await page.send('Emulation.setEmulatedMedia', { features });
      await page.open(pathToFileURL(file).href);
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      t.ok(wide <= width, `${wide} of ${width} pixels`);
      await page.evaluate(readFileSync(axe, 'utf8'));
      const found = await page.evaluate<{ id: string; nodes: string[] }[]>(
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) })))`,
      );
      t.strictSame(found, [], `${width} ${value}`);
    }
    t.match(await page.evaluate('document.body.textContent'), CORRUPTED.signature);
  },
);
