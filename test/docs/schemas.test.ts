import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { fromJSONSchema } from 'zod';
import { schemas } from '../../docs/make-schemas.js';

/** What editors read of daxrepro.yaml and of case files. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${root}docs/${name}`, 'utf8'));

t.test('the published schemas are those of the program', async (t) => {
  for (const [name, text] of Object.entries(schemas())) {
    t.strictSame(read(name), JSON.parse(text), `${name} is as npm run schemas makes it`);
  }
});

const accepts = (name: string, value: unknown) =>
  fromJSONSchema(read(name)).safeParse(value).success;

t.test('they take what the program takes', async (t) => {
  const files = readdirSync(`${root}fixtures/cases`, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.yaml'))) {
    const value = parse(readFileSync(`${root}fixtures/cases/${file}`, 'utf8'));
    t.ok(accepts('case.schema.json', value), file);
    t.notOk(accepts('case.schema.json', { ...value, filesystem: 'ext2' }), 'a key that is none');
  }
  const short = {
    variants: { base: null, v2: 'v2.patch' },
    filesystems: 'ext2',
    tests: 'generic/002',
  };
  t.ok(accepts('case.schema.json', { ...short, expect: 'pass', size: '256M' }));
  t.notOk(accepts('case.schema.json', { ...short, expect: 'perhaps' }));
  t.ok(accepts('daxrepro.schema.json', { exclude: 'generic/475', variants: { v2: ['a', 'b'] } }));
  t.notOk(accepts('daxrepro.schema.json', { pmem: 'optane' }));
});
