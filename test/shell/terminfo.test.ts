import t from 'tap';
import { terminalType } from '../../cli/shell/terminfo.js';

t.test('finds the entry of the terminal', async (t) => {
  const directory = t.testdir({ x: { 'xterm-strange': 'an entry' }, '6b': { known: 'by number' } });
  const places = [`${directory}/none`, directory];
  t.same(terminalType('xterm-strange', places), {
    name: 'xterm-strange',
    entry: Buffer.from('an entry').toString('hex'),
  });
  t.match(terminalType('known', places), { name: 'known', entry: /./ });
});

t.test('falls back to a dumb terminal', async (t) => {
  const directory = t.testdir({ x: { xterm: 'x'.repeat(40_000) } });
  for (const name of ['', '../x/xterm', 'a b', 'unknown', 'xterm']) {
    t.same(terminalType(name, [directory]), { name: 'dumb', entry: '' }, JSON.stringify(name));
  }
});
