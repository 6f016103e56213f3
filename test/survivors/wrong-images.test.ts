import t from 'tap';
import type { BrokenPromise } from '../../cli/power-cut/broken-promise.js';
import type { CallClaim } from '../../cli/power-cut/calls.js';
import type { Defect, ImageJudgement } from '../../cli/survivors/judge-image.js';
import { WrongImages } from '../../cli/survivors/wrong-images.js';
import { CLAIMS, image } from './image.js';

// Which problems of many images are reported, and which are a test's own doing.

const broken: BrokenPromise = { kind: 'data', by: 'fsync', name: 'a', message: 'a: byte 0' };
const unmountable: Defect = { kind: 'mount', message: 'cannot be mounted: x' };
const judgement = (more: Partial<ImageJudgement> = {}): ImageJudgement => ({
  ...{ examined: true, asked: 1, broken: [], defects: [] },
  ...more,
});

t.test(
  'reports a promise once that is broken in the "nothing" and in partial images',
  async (t) => {
    const wrong = new WrongImages();
    for (const state of ['nothing', 'random-1', 'random-2']) {
      wrong.add(image({ state }), judgement({ broken: [broken] }));
    }
    t.match(wrong.ofCuts(), [{ broken: { name: 'a' }, images: 3 }]);
    t.equal(wrong.ofCuts().length, 1);
    wrong.add(image(), judgement({ broken: [{ ...broken, by: 'msync' }] }));
    t.equal(wrong.ofCuts().length, 2, 'another promise');
  },
);

t.test('counts broken sync calls', async (t) => {
  const call: CallClaim = { by: 'fsync', lost: [] };
  const wrong = new WrongImages();
  wrong.add(image({ claims: { ...CLAIMS, call } }), judgement({ broken: [broken] }));
  wrong.add(image(), judgement({ broken: [{ ...broken, name: 'b' }] }));
  t.equal(wrong.brokenCalls, 1);
});

t.test('counts a defect on SCRATCH_DEV only if the "everything" image has none', async (t) => {
  const found = (everything: Partial<ImageJudgement>, device = 1) => {
    const wrong = new WrongImages();
    wrong.add(image({ device }), judgement({ defects: [unmountable] }));
    wrong.add(image({ device, state: 'everything' }), judgement(everything));
    return wrong.ofCuts().filter(({ image }) => image.state === 'nothing').length;
  };
  t.equal(found({}), 1);
  t.equal(found({ defects: [unmountable] }), 0, 'the test broke it');
  t.equal(found({ defects: [{ kind: 'kernel', message: 'x' }] }), 1, 'its check is clean');
  t.equal(found({ examined: false }), 0, 'nothing is known about it');
  t.equal(found({ problem: 'its check says something unknown' }), 0);
  t.equal(found({ defects: [unmountable] }, 0), 1, 'always counts it on TEST_DEV');
});

t.test('always counts a broken promise on SCRATCH_DEV', async (t) => {
  const wrong = new WrongImages();
  wrong.add(image({ device: 1 }), judgement({ broken: [broken] }));
  t.equal(wrong.ofCuts().length, 1);
});
