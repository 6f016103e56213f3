import t from 'tap';
import { formatGithub } from '../../cli/report/github.js';
import { testCasesOf } from '../../cli/report/test-cases.js';
import type { UnitResult } from '../../cli/results/run-result.js';
import { WHOLE_FAILURE } from '../util/kept.js';
import { UNIT } from '../util/results.js';

const lines = (...units: Partial<UnitResult>[]) =>
  formatGithub(testCasesOf(units.map((unit) => ({ ...UNIT, ...unit })))).split('\n');

const known = { reason: 'known', held: false };

t.test('writes the most important first', async (t) => {
  t.match(
    lines(
      { test: 'a', expectedFailure: known },
      { test: 'b', verdict: 'error', reason: 'did not boot' },
      { test: 'c', verdict: 'fail', reason: 'output differs' },
      { ...WHOLE_FAILURE, test: 'd' },
      { test: 'e', verdict: 'notrun', reason: 'no' },
      { test: 'f' },
    ),
    [
      /^::error title=fail%3A ext2 d::e2fsck: Directory inode 12, .*%0A.*replay: daxrepro run/,
      /^::error title=fail%3A ext2 c::output differs%0Areplay/,
      /^::error title=error%3A ext2 b::did not boot%0A/,
      /^::notice title=pass%3A ext2 a::it was expected to fail: known$/,
    ],
  );
});

t.test('says nothing of tests that passed, and that nothing ran', async (t) => {
  t.same(lines({}, { verdict: 'notrun', reason: 'no' }), ['']);
  t.same(lines(), ['::error title=daxrepro::nothing ran']);
});

t.test('writes one annotation for the same problem, and ten at most', async (t) => {
  const many = Array.from({ length: 60 }, (_, at): Partial<UnitResult> => {
    return { test: `generic/${at}`, verdict: 'error', reason: `guest ${at} did not boot` };
  });
  const [first, ...others] = lines(...many);
  t.same(others, []);
  t.match(
    first,
    /^::error title=error%3A ext2 generic\/0 and 59 more::guest 0 did not boot%0Ain ext2/,
  );
  t.match(first, /generic\/19 and 40 more%0A/);
  const different = many.map((unit, at) => ({ ...unit, reason: 'x'.repeat(at + 1) }));
  const ten = lines(...different);
  t.equal(ten.length, 10);
  t.equal(ten[9], '::error title=daxrepro::51 more problems in 51 tests: see the job summary');
  t.equal(lines(...different.slice(0, 10)).length, 10);
});

t.test('escapes text of a guest', async (t) => {
  const nasty = `100%\n::error::forged\r\x1b[2J,a:b%0A${'x'.repeat(10_000)}`;
  const [line, ...others] = lines({ verdict: 'fail', reason: nasty, test: nasty });
  t.same(others, []);
  t.match(
    line,
    /^::error title=fail%3A ext2 100%25\\n%3A%3Aerror%3A%3Aforged\\r\\x1b\[2J%2Ca%3Ab%250Ax/,
  );
  t.match(line, /::100%25\\n::error::forged\\r\\x1b\[2J,a:b%250Ax/);
  t.ok((line?.length ?? 0) < 4500);
});
