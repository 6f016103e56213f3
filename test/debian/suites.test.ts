import t from 'tap';
import { suitesFor } from '../../cli/debian/suites.js';

t.test('what apt has to read for a suite', (t) => {
  t.strictSame(suitesFor('sid'), ['sid']);
  t.strictSame(suitesFor('experimental'), ['experimental', 'sid']);
  t.strictSame(suitesFor('bookworm-backports'), ['bookworm-backports', 'bookworm']);
  t.strictSame(suitesFor('trixie-security'), ['trixie-security', 'trixie']);
  t.end();
});
