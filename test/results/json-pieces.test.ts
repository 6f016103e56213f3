import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { jsonPieces, writeDocument } from '../../cli/results/run-directory.js';
import { WHOLE_COMPARISON, WHOLE_RUN } from '../util/kept.js';

t.test('the pieces are what JSON.stringify gives', async (t) => {
  const same = (value: object) =>
    [...jsonPieces(value)].join('') === JSON.stringify(value, null, 2);
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), same));
  for (const value of [WHOLE_RUN, WHOLE_COMPARISON, {}, { a: undefined, b: [undefined, []] }]) {
    t.ok(same(value), JSON.stringify(value).slice(0, 60));
  }
});

t.test('a document is written as a whole', async (t) => {
  const file = join(t.testdir(), 'result.json');
  const units = Array.from({ length: 3000 }, (_, at) => ({ at, text: 'ü'.repeat(200) }));
  writeDocument(file, { units });
  t.equal(readFileSync(file, 'utf8'), `${JSON.stringify({ units }, null, 2)}\n`);
});
