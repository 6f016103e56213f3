import t from 'tap';
import { differences, type Observed } from '../../cli/exact/compare.js';

const RECORDED: Observed = {
  end: { instructions: 900, channel: { bytes: 10, sha256: 'aa' } },
  console: Buffer.from('one\ntwo\nthree\n'),
  events: ['{"event":"begin"}', '{"event":"finished"}'],
};

t.test('a replay is exact only if nothing differs', async (t) => {
  t.strictSame(differences(RECORDED, RECORDED, { kind: 'end' }), []);
  const other = (more: Partial<Observed>) =>
    differences(RECORDED, { ...RECORDED, ...more }, { kind: 'end' });
  const channel = { bytes: 10, sha256: 'bb' };

  t.strictSame(other({ end: { ...RECORDED.end, instructions: 901 } }), [
    { what: 'instructions', recorded: 900, replayed: 901 },
  ]);
  t.strictSame(other({ console: Buffer.from('one\nTwo\nthree\n') }), [
    { what: 'console', line: 2, recorded: 'two', replayed: 'Two' },
  ]);
  t.strictSame(other({ console: Buffer.from('one\ntwo') }), [
    { what: 'console', line: 3, recorded: 'three', replayed: null },
  ]);
  t.strictSame(other({ console: Buffer.from('one\ntwo\nthree\n\xff', 'latin1') }), [
    { what: 'console', line: 4, recorded: '', replayed: '\xff' },
  ]);
  t.strictSame(other({ end: { ...RECORDED.end, channel }, events: [RECORDED.events[0] ?? ''] }), [
    { what: 'events', number: 2, recorded: '{"event":"finished"}', replayed: null },
  ]);
  t.strictSame(other({ end: { ...RECORDED.end, channel } }), [
    { what: 'files', recorded: 10, replayed: 10 },
  ]);
});

t.test('a replay that did not reach the end is never exact', async (t) => {
  for (const stop of [
    { kind: 'stalled', seconds: 60 },
    { kind: 'died', message: 'assertion' },
    { kind: 'reached' },
    { kind: 'interrupted' },
  ] as const) {
    t.match(differences(RECORDED, RECORDED, stop), [{ what: 'end', why: String }], stop.kind);
  }
});
