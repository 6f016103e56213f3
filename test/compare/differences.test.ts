import t from 'tap';
import { referenceOf } from '../../cli/compare/differences.js';
import { CORRUPTED, comparison, EARLY_RETURN, FAIL } from '../util/comparisons.js';

t.test('reports no difference for equal failures', (t) => {
  t.strictSame(comparison().differences, []);
  t.strictSame(comparison(() => FAIL).differences, [], 'both fail in the same way');
  t.end();
});

t.test('reports a new finding and the changed verdict', (t) => {
  const { differences } = comparison(EARLY_RETURN, { repeat: 2 });
  t.strictSame(differences, [
    {
      fs: 'ext2',
      test: 'generic/002',
      pmem: 'memmap',
      powerCut: false,
      base: 'base',
      variant: 'early-return',
      verdicts: { base: 'pass', variant: 'fail' },
      comparable: true,
      appeared: [
        {
          signature: CORRUPTED.signature,
          severity: 'corruption',
          message: CORRUPTED.message,
          attempts: 2,
          of: 2,
        },
      ],
      vanished: [],
    },
  ]);
  t.end();
});

t.test('reports a different finding behind the same verdict', (t) => {
  const other = { ...CORRUPTED, signature: 'e2fsck:other', message: 'other' };
  const { differences } = comparison(({ fs, variant }) => {
    if (fs !== 'ext2') return undefined;
    return variant === 'base' ? FAIL : { ...FAIL, findings: [other, other] };
  });
  t.match(differences, [
    {
      verdicts: { base: 'fail', variant: 'fail' },
      appeared: [{ signature: 'e2fsck:other', attempts: 1, of: 1 }],
      vanished: [{ signature: CORRUPTED.signature }],
    },
  ]);
  t.end();
});

t.test('compares the messages of tests that fail without findings', (t) => {
  const { differences } = comparison(({ variant }) =>
    variant === 'base'
      ? { verdict: 'fail', reason: 'link count is 3, not 4' }
      : { verdict: 'fail', reason: 'link count is 7, not 8' },
  );
  t.strictSame(differences, [], 'numbers make no difference');
  const [one] = comparison(({ variant }) =>
    variant === 'base' ? undefined : { verdict: 'fail', reason: 'link count is 7, not 8' },
  ).differences;
  t.match(one?.appeared, [{ signature: 'test:link-count-is-not' }]);
  t.end();
});

t.test('reports no missing findings if a side has no verdict', (t) => {
  for (const verdict of ['error', 'invalid'] as const) {
    const [one, ...others] = comparison(({ fs, variant }) => {
      if (fs !== 'ext2') return undefined;
      return variant === 'base' ? FAIL : { verdict, reason: 'it broke' };
    }).differences;
    t.strictSame(others, []);
    t.match(one, {
      comparable: false,
      appeared: { length: 0 },
      vanished: { length: 0 },
      verdicts: { variant: verdict },
    });
  }
  t.end();
});

t.test('ignores attempts without a verdict', (t) => {
  const [one] = comparison(
    ({ fs, variant, attempt }) => {
      if (fs !== 'ext2' || variant === 'base') return undefined;
      return attempt === 2 ? { verdict: 'invalid', reason: 'no DAX' } : FAIL;
    },
    { repeat: 3 },
  ).differences;
  t.match(one, { comparable: true, appeared: [{ attempts: 2, of: 2 }] });
  t.end();
});

t.test('takes base as the reference, or else the first variant', (t) => {
  const variants = (...names: string[]) => ({
    variants: names.map((name) => ({ name, changes: [] })),
  });
  t.equal(referenceOf(variants('v1', 'base', 'v2')), 'base');
  t.equal(referenceOf(variants('v1', 'v2')), 'v1');
  const result = comparison(({ variant }) => (variant === 'v1' ? FAIL : undefined), {
    case: variants('v1', 'v2', 'v3'),
  });
  t.strictSame(
    result.differences.map(({ base, variant, fs }) => [base, variant, fs]),
    [
      ['v1', 'v2', 'ext2'],
      ['v1', 'v3', 'ext2'],
      ['v1', 'v2', 'xfs'],
      ['v1', 'v3', 'xfs'],
    ],
  );
  t.end();
});
