import t from 'tap';
import { scanKernelLog } from '../../cli/findings/kernel-log.js';
import { callsOf, literal, withoutComments } from '../kernel-messages/c-source.js';
import { extractMessages, messagesOf, SCOPE } from '../kernel-messages/extract.js';
import { keyOf, linesOf, meaningOf, readTable } from '../kernel-messages/table.js';

/** Every message in the scope of the table: test/kernel-messages/README.md. */

const table = readTable();
const KERNELS = ['5.10', '6.1', '6.12', '7.2'];

t.test('has messages of every part of each kernel in the table', async (t) => {
  for (const series of KERNELS) {
    const own = table.filter(({ kernels }) => kernels.includes(series));
    t.ok(own.length > 1200, `${series} has ${own.length}`);
    const missing = [
      'drivers/nvdimm',
      'fs/ext2',
      'fs/ext4',
      'fs/jbd2',
      'fs/xfs',
      'mm/slub.c',
    ].filter((subsystem) => own.filter((row) => row.subsystem === subsystem).length < 20);
    t.strictSame(missing, [], series);
  }
  t.strictSame(
    table.filter(({ subsystem }) => !SCOPE.includes(subsystem)),
    [],
  );
});

t.test('gives every message the meaning in the table', async (t) => {
  const wrong = table
    .map((row) => ({ row, found: meaningOf(row) }))
    .filter(({ row, found }) => found !== row.meaning || found === '?')
    .map(({ row, found }) => `${row.subsystem}: ${row.format}: ${found}, not ${row.meaning}`);
  t.strictSame(wrong, []);
});

t.test('makes one finding of every message with a meaning, none of others', async (t) => {
  const wrong: string[] = [];
  for (const row of table) {
    for (const line of linesOf(row)) {
      const found = scanKernelLog(`[    1.000000] ${line}\n`).map(
        ({ kind, severity }) => `${kind} ${severity}`,
      );
      const expected = row.meaning === 'harmless' ? [] : [row.meaning];
      if (found.join() !== expected.join()) wrong.push(`${line}: ${found.join()}`);
    }
  }
  t.strictSame(wrong, []);
});

t.test('has no number and no address in a signature', async (t) => {
  const wrong = table.filter((row) => {
    const signatures = linesOf({
      ...row,
      format: row.format.replace(/%[-.\d*]*s/g, 'name'),
    }).map((line) => scanKernelLog(`[    1.000000] ${line}\n`)[0]?.signature);
    return row.meaning !== 'harmless' && new Set(signatures).size > 1;
  });
  t.strictSame(
    wrong.map(({ format }) => format),
    [],
  );
});

/** `KERNEL_TREES=6.1=DIR,7.2=DIR`: kernel trees to compare the table with. */
const trees = (process.env['KERNEL_TREES'] ?? '').split(',').filter(Boolean);

t.test('kernel trees', { skip: trees.length === 0 && 'KERNEL_TREES is not set' }, async (t) => {
  for (const [series = '', tree = ''] of trees.map((word) => word.split('='))) {
    const known = new Set(table.filter((row) => row.kernels.includes(series)).map(keyOf));
    const messages = extractMessages(tree);
    const isNew = messages.filter((message) => known.size > 0 && !known.has(keyOf(message)));
    t.strictSame(isNew, [], `${series}: every message is in the table`);
    t.strictSame(
      messages.filter((message) => meaningOf(message).includes('?')),
      [],
      `${series}: every message has a meaning`,
    );
  }
});

t.test('finds calls in C', async (t) => {
  const source = withoutComments(
    'a("x, y", f(1, 2)); /* b("no") */ // b("no")\n#define b(x) c(x)\nb("a\\"b" /* , */, \')\');\nq.b("member");',
  );
  t.match(callsOf(source, new Set(['a', 'b'])), [
    { name: 'a', arguments: ['"x, y"', 'f(1, 2)'] },
    { name: 'b', arguments: ['"a\\"b"', "')'"] },
  ]);
  t.equal(literal('KERN_ERR "a %" PRIu64 "b"\n "c\\n"'), 'a %llubc\n');
  t.equal(literal('PREFIX "a"'), '%sa');
  t.equal(literal('format'), undefined);
  t.equal(literal('ok ? "a" : "b"'), undefined);
});

t.test('finds messages in C', async (t) => {
  const file = (text: string) => messagesOf('drivers/nvdimm/bus.c', text);
  t.strictSame(file('printk("a %d\\n", 1); printk(KERN_DEBUG "b"); printk(KERN_INFO "c");'), [
    { level: 'warning', format: 'a %d' },
    { level: 'info', format: 'c' },
  ]);
  t.strictSame(file('#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt\npr_err_once("a\\nb");'), [
    { level: 'error', format: 'libnvdimm: a' },
    { level: 'error', format: 'b' },
  ]);
  t.strictSame(
    file('dev_warn(&d->dev, "a$&b"); ext4_msg(sb, KERN_ERR, "c"); xfs_alert(mp, "d");'),
    [
      { level: 'warning', format: '<device>: a$&b' },
      { level: 'error', format: 'EXT4-fs (%s): c' },
      { level: 'error', format: 'XFS (%s): d' },
    ],
  );
});
