import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readCaseFile } from '../../cli/compare/case-file.js';
import { resolveKernel } from '../../cli/kernel/resolve.js';
import { formatFailure } from '../../cli/outcome.js';
import { defaultStore } from '../../cli/store/store.js';
import { patchedSource } from '../../cli/variant/patched-source.js';
import { pathsOutside } from '../../cli/variant/reach.js';

// Each change of fixtures/cases/history applies to the sources of its case's kernel. Nothing is built or
// booted: `npm run bench:history` does that, and takes minutes.
t.setTimeout(30 * 60 * 1000);

const directory = fileURLToPath(new URL('../../fixtures/cases/history', import.meta.url));

t.test('the changes of the bugs of the past apply', async (t) => {
  const context = { store: defaultStore(), progress: () => {} };
  for (const name of readdirSync(directory).filter((one) => one.endsWith('.yaml'))) {
    const read = await readCaseFile(join(directory, name));
    if (!read.ok) throw new Error(formatFailure(read.failure));
    const kernel = await resolveKernel(read.value.kernel, context);
    if (!kernel.ok) throw new Error(formatFailure(kernel.failure));
    for (const variant of read.value.variants.filter(({ changes }) => changes.length > 0)) {
      const outside = await pathsOutside(variant, context);
      t.ok(outside.ok, `${name}: readable`);
      // These need the sources of the whole kernel, and a full build.
      if (outside.ok && outside.value.length > 0) continue;
      const applied = await patchedSource(kernel.value, variant, context);
      t.ok(applied.ok, applied.ok ? name : formatFailure(applied.failure));
    }
  }
});
