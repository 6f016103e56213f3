import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { formatReport, shownTogether } from '../cli/report/format.js';
import { readResult } from '../cli/results/read.js';
import { openChromium } from '../test/util/chromium.js';

/**
 * Makes the README's picture of a report, of a run of the case of February 2016:
 *
 *     ./daxrepro compare fixtures/cases/2016-02-dax-writeback.yaml
 *     npm run docs:picture RUN
 */

const SIZE = { width: 1000, height: 860 };

const kept = readResult(process.argv[2]);
if (!kept.ok) throw new Error(kept.failure.message);
const style = { width: 100, colour: false, from: process.cwd() };
const scratch = mkdtempSync(join(tmpdir(), 'daxrepro-picture-'));
try {
  const file = join(scratch, 'report.html');
  writeFileSync(file, formatReport('html', shownTogether([kept.value]), style));
  const page = await openChromium(join(scratch, 'profile'));
  await page.send('Emulation.setDeviceMetricsOverride', {
    ...{ ...SIZE, deviceScaleFactor: 1, mobile: false },
  });
  await page.open(pathToFileURL(file).href);
  const { data } = await page.send('Page.captureScreenshot', { format: 'png' });
  await page.close();
  writeFileSync(
    fileURLToPath(new URL('report.png', import.meta.url)),
    Buffer.from(data as string, 'base64'),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
