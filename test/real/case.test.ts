import { fileURLToPath } from 'node:url';
import t from 'tap';
import { daxrepro } from './daxrepro.js';

// The original case: the bug of February 2016 appears exactly where it should.
t.setTimeout(30 * 60 * 1000);

const file = fileURLToPath(
  new URL('../../fixtures/cases/2016-02-dax-writeback.yaml', import.meta.url),
);

t.test('ext2 loses directory pages only with early-return', async (t) => {
  const ran = await daxrepro(['compare', file, '--json', '--jobs', '1', '--explain'], t.testdir());
  t.equal(ran.exitCode, 0, ran.stderr);
  const { units } = JSON.parse(ran.stdout) as {
    units: {
      fs: string;
      variant: string;
      verdict: string;
      reason: string;
      held: boolean;
      findings: {
        signature: string;
        evidence?: { inodeType: string; path?: string; block?: { zeros: boolean } };
      }[];
      images?: { file?: string }[];
      explanation?: {
        verdict: string;
        signatures: { gone: string[]; added: string[] };
        trace: { without: string[]; inodes: Record<string, unknown>[] };
      };
      unwritten?: { inodes: { inodeType: string; path?: string; dax: boolean }[] };
    }[];
  };
  t.equal(units.length, 12);
  for (const unit of units) {
    const { fs, variant, verdict, reason, held, findings, unwritten, images, explanation } = unit;
    const broken = fs === 'ext2' && variant === 'early-return';
    t.equal(verdict, broken ? 'fail' : 'pass', `${fs} ${variant}: ${reason}`);
    t.ok(held, `${fs} ${variant}: as expected`);
    t.equal(
      findings.some(({ signature }) => /directory-corrupted$/.test(signature)),
      broken,
      `${fs} ${variant}: directory corrupted`,
    );
    // Which directories, and why, according to the kernel.
    const lost = unwritten?.inodes.map(({ inodeType, path, dax }) => [inodeType, path, dax]);
    const directories = ['/', '/links'].map((path) => ['directory', path, true]);
    t.strictSame(lost, broken ? directories : undefined, `${fs} ${variant}: unwritten`);
    // What the medium shows of it, and the image of the device.
    const evidence = { inodeType: 'directory', path: '/links', block: { zeros: true } };
    if (broken) t.match(findings, [{ evidence }], `${fs} ${variant}: evidence`);
    // It recurs, and write-back was called for both but wrote nothing.
    t.equal(explanation?.verdict, broken ? 'fail' : undefined, `${fs} ${variant}: explained`);
    if (explanation) {
      t.match(explanation, {
        signatures: { gone: { length: 0 }, added: { length: 0 } },
        trace: { without: { length: 0 } },
      });
      const [root, links] = explanation.trace.inodes;
      const called = { times: Number, last: { seconds: Number, program: String } };
      const written = { pagesDirtied: called, writeBacks: called, pagesWritten: 0 };
      const returned = { writepages: { ...called, results: [0] } };
      for (const inode of [root, links]) t.match(inode, { ...written, ...returned });
    }
    t.equal(images?.[0]?.file !== undefined, broken, `${fs} ${variant}: image`);
  }
});
