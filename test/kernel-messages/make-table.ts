/**
 * Brings messages.tsv up to date with kernel trees:
 *
 *     npm run kernel-messages -- 6.1=DIR 7.2=DIR
 *
 * Rows of other series stay. A row that is new gets the meaning that the parser gives it, for review;
 * `?` where it gives none, which the test rejects.
 */
import { extractMessages } from './extract.js';
import { keyOf, meaningOf, type Row, readTable, writeTable } from './table.js';

const trees = process.argv.slice(2).map((word) => word.split('=') as [string, string]);
if (trees.length === 0 || trees.some(([series, tree]) => !/^\d+\.\d+$/.test(series) || !tree)) {
  process.stderr.write('usage: npm run kernel-messages -- SERIES=TREE...   (6.1=linux-6.1)\n');
  process.exit(2);
}

const given = new Set(trees.map(([series]) => series));
const rows = new Map<string, Row>();
for (const row of readTable()) {
  rows.set(keyOf(row), { ...row, kernels: row.kernels.filter((one) => !given.has(one)) });
}
for (const [series, tree] of trees) {
  for (const message of extractMessages(tree)) {
    const row = rows.get(keyOf(message)) ?? { ...message, kernels: [], meaning: '' };
    rows.set(keyOf(message), { ...row, kernels: [...row.kernels, series].sort(bySeries) });
  }
}
for (const row of rows.values()) {
  if (row.kernels.length === 0) rows.delete(keyOf(row));
  else if (row.meaning === '') {
    row.meaning = meaningOf(row);
    process.stdout.write(`new: ${row.meaning}\t${row.subsystem}\t${row.format}\n`);
  }
}
writeTable([...rows.values()]);
process.stdout.write(`${rows.size} messages\n`);

function bySeries(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
