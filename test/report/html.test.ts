import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { formatReport } from '../../cli/report/format.js';
import type { KeptResult } from '../../cli/results/read.js';
import { CHROMIUM, openChromium, type Page } from '../util/chromium.js';
import { HOSTILE, hostile } from '../util/hostile.js';
import {
  keptComparison,
  keptRun,
  shown,
  WHOLE_BISECTION,
  WHOLE_COMPARISON,
  WHOLE_RUN,
} from '../util/kept.js';
import { RESULT, UNIT } from '../util/results.js';

/** The HTML page in a real browser. */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const top = t.testdir({
  profile: {},
  run: { '001': { 'console.log': `[    1.0] ${HOSTILE}\n<script>alert(3)</script>\n` } },
  'secret.txt': 'SECRET',
});
const directory = join(top, 'run');
const page: Page | undefined = CHROMIUM ? await openChromium(join(top, 'profile')) : undefined;
t.teardown(() => page?.close());
const options = { skip: page ? false : 'chromium is not installed' };

function write(name: string, ...[first, ...others]: [KeptResult, ...KeptResult[]]): string {
  const text = formatReport('html', shown(first, ...others), {
    width: 100,
    colour: false,
    from: '/',
  });
  writeFileSync(join(top, name), text);
  return pathToFileURL(join(top, name)).href;
}

const KEPT: [KeptResult, ...KeptResult[]] = [
  keptRun(WHOLE_RUN, directory),
  keptComparison(WHOLE_COMPARISON),
  { kind: 'bisect', directory: '/runs/3', result: WHOLE_BISECTION },
];

/** Requests of the page and messages of the browser. There must be none. */
function complaints({ events }: Page): string[] {
  return events.flatMap((event) => {
    const { method, params } = event as { method?: string; params?: Record<string, unknown> };
    const request = params?.['request'] as { url: string } | undefined;
    if (method === 'Network.requestWillBeSent' && /^(?:file|data):/.test(request?.url ?? ''))
      return [];
    const loud = [
      ...['Network.requestWillBeSent', 'Log.entryAdded', 'Runtime.consoleAPICalled'],
      ...['Runtime.exceptionThrown', 'Page.javascriptDialogOpening'],
    ];
    return loud.includes(method ?? '') ? [JSON.stringify(event)] : [];
  });
}

async function look(page: Page, url: string, width: number, scheme: 'light' | 'dark') {
  await page.send('Emulation.setDeviceMetricsOverride', {
    ...{ width, height: 900, deviceScaleFactor: 1, mobile: false },
  });
  await page.send('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: scheme }],
  });
  page.events.length = 0;
  await page.open(url);
}

t.test(
  'makes no requests, logs nothing, needs no sideways scrolling, and passes axe',
  options,
  async (t) => {
    if (!page) return;
    const url = write('plain.html', ...KEPT);
    const grounds = new Set<string>();
    for (const [width, scheme] of [
      [400, 'light'],
      [1280, 'dark'],
    ] as const) {
      await look(page, url, width, scheme);
      t.strictSame(complaints(page), [], `${width} ${scheme}`);
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      t.ok(wide <= width, `${wide} of ${width} pixels`);
      grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
      // DevTools may run scripts although the page's policy forbids them.
      await page.evaluate(axe);
      const found = await page.evaluate<{ id: string; nodes: string[] }[]>(
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) })))`,
      );
      t.strictSame(found, [], `${width} ${scheme}`);
    }
    t.equal(grounds.size, 2, 'light and dark');
  },
);

t.test('opens a cell by keyboard', options, async (t) => {
  if (!page) return;
  await look(
    page,
    write('keys.html', keptRun({ ...RESULT, units: [UNIT] }, directory)),
    1280,
    'light',
  );
  const isOpen = () => page.evaluate<boolean>('document.querySelector("details").open');
  t.equal(await isOpen(), false, 'what passed is closed');
  await page.evaluate('document.querySelector("a.verdict").focus()');
  for (const type of ['keyDown', 'keyUp']) {
    await page.send('Input.dispatchKeyEvent', {
      type,
      key: 'Enter',
      code: 'Enter',
      text: '\r',
      windowsVirtualKeyCode: 13,
    });
  }
  await page.evaluate('new Promise((done) => setTimeout(done, 200))');
  t.equal(await isOpen(), true, 'the link to it opens it');
});

t.test('shows everything from a guest as text', options, async (t) => {
  if (!page) return;
  const nasty = KEPT.map((one) => ({ ...one, result: hostile(one.result) })) as typeof KEPT;
  // The console comes from its file.
  for (const one of nasty) {
    if (one.kind !== 'bisect') {
      for (const unit of one.result.units) unit.artifacts = { console: '001/console.log' };
    }
  }
  await look(page, write('hostile.html', ...nasty), 400, 'light');
  t.strictSame(complaints(page), []);
  t.equal(await page.evaluate('document.scripts.length + document.images.length'), 0);
  t.equal(await page.evaluate('document.querySelectorAll("[onerror], iframe, form").length'), 0);
  const text = await page.evaluate<string>('document.body.textContent');
  t.match(text, '<script>alert(3)</script>', 'the console is shown');
  t.match(text, '\\x1b[31m');
  t.notMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
  t.ok(wide <= 400, `${wide} pixels`);
  // Even without escaping, the policy would stop it.
  await page.evaluate(
    `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran=1">')`,
  );
  await page.evaluate('new Promise((done) => setTimeout(done, 200))');
  t.equal(await page.evaluate('window.ran === undefined'), true);
  t.not(complaints(page).length, 0, 'it would tell');
});

t.test('reads only files of the run', async (t) => {
  for (const path of ['../secret.txt', join(top, 'secret.txt'), '001', 'absent']) {
    const units = [{ ...UNIT, artifacts: { console: path } }];
    const url = write('secret.html', keptRun({ ...RESULT, units }, directory));
    t.notMatch(readFileSync(new URL(url), 'utf8'), 'SECRET', path);
  }
});

t.test('makes a page of a few megabytes for a thousand units', async (t) => {
  const lines = Array.from({ length: 200 }, (_, at) => `[ ${at}.000000] a line of the kernel's`);
  mkdirSync(join(top, 'run/big'));
  writeFileSync(join(top, 'run/big/console.log'), lines.join('\n'));
  const units = Array.from({ length: 1000 }, (_, at) => ({
    ...(at % 10 === 0 ? { ...WHOLE_RUN.units[1], ...{} } : UNIT),
    ...{ test: `generic/${at}`, artifacts: { console: 'big/console.log' } },
  })) as (typeof UNIT)[];
  const url = write('big.html', keptRun({ ...RESULT, units }, directory));
  const { length } = readFileSync(new URL(url));
  t.ok(length < 6e6, `${length} bytes`);
});
