import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { inodeFacts, withEvidence } from '../../cli/evidence/inodes.js';
import type { Finding } from '../../cli/findings/finding.js';
import { EventReader, type GuestEvent } from '../../cli/guest/protocol.js';
import { ImageBudget, ImageKeeper } from '../../cli/launch/images.js';
import { runTool } from '../../cli/process/child.js';
import type { UnitRecord } from '../../cli/record/record.js';
import { describeInode } from '../../cli/report/inodes.js';
import { systemPath } from '../../cli/system/programs.js';

/*
 * The guest's own script, asked here about images that debugfs and xfs_db have broken: what it sends
 * goes through the host's side to the sentence that a report has.
 */

const scripts = fileURLToPath(new URL('../../guest-scripts', import.meta.url));
const env = { ...process.env, PATH: systemPath(process.env['PATH']), LC_ALL: 'C' };

async function must(argv: [string, ...string[]]): Promise<string> {
  const result = await runTool(argv, { env });
  if (!result.ok) throw new Error(`${argv.join(' ')}: ${result.summary}\n${result.all}`);
  return result.stdout;
}

/** What the reporter answers and sends when it is asked for the evidence of this image. */
async function ask(t: Test, device: string, log: string, type: string, bytes = 2 ** 30) {
  const directory = join(t.testdirName, 'asked');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'log'), log);
  const channel = openSync(join(directory, 'channel'), 'w');
  const question = ['1.1', 'evidence', 'test', device, join(directory, 'log'), type, bytes].join(
    '\t',
  );
  const reporter = spawnSync('perl', [join(scripts, 'lib/reporter.pl'), '3'], {
    input: `${question}\n`,
    stdio: ['pipe', 'pipe', 'pipe', channel],
    env: { ...env, DAXREPRO: scripts, TMPDIR: directory },
    encoding: 'utf8',
  });
  closeSync(channel);
  const reader = new EventReader();
  const events: GuestEvent[] = [];
  const images = new ImageKeeper(directory, 1 << 30, new ImageBudget(1 << 30));
  for (const received of reader.push(readFileSync(join(directory, 'channel')))) {
    if (!received.ok) throw new Error(received.problem);
    if ('event' in received) {
      events.push(received.event);
      const { event } = received;
      if (event.event === 'image') images.end(event.name, event.device, event.whole);
    } else if (received.piece.offset !== undefined) images.piece(received.piece);
  }
  const facts = inodeFacts({ events } as unknown as UnitRecord, undefined);
  return { answer: reporter.stdout, facts, kept: await images.pack(), directory };
}

async function extImage(t: Test, fs: string, ...commands: string[]): Promise<string> {
  const image = join(t.testdir(), 'image');
  writeFileSync(image, '');
  truncateSync(image, 16 << 20);
  await must(['mke2fs', '-q', '-F', '-t', fs, '-b', '4096', image]);
  writeFileSync(join(t.testdirName, 'file'), 'x'.repeat(20_000));
  const made = ['mkdir /d', `write ${t.testdirName}/file /d/f`, `symlink /d/s ${'y'.repeat(200)}`];
  for (const command of [...made, ...commands]) {
    await must(['debugfs', '-w', '-R', command, image]);
  }
  return image;
}

for (const fs of ['ext2', 'ext4']) {
  t.test(`${fs}: type, path, block map, and the block of zeros`, async (t) => {
    const image = await extImage(t, fs, 'zap_block -f /d 0');
    const log = [
      'Directory inode 12, block #0, offset 0: directory corrupted',
      "Entry 'f' in /d (12) has deleted/unused inode 13.",
      'Inode 14, i_size is 1, should be 2.  Inode 99999999 is nowhere',
    ].join('\n');
    const { answer, facts } = await ask(t, image, log, fs);
    t.equal(answer, '1.1 ok\n');
    t.strictSame(
      facts.map(({ inode, inodeType, mode, size, links, path, block }) => [
        ...[inode, inodeType, mode, size, links, path, block?.zeros],
      ]),
      [
        [12, 'directory', '40755', 4096, 2, '/d', true],
        // The directory that had these names is gone.
        [13, 'regular file', '100644', 20000, 1, undefined, false],
        [14, 'symlink', '120777', 200, 1, undefined, false],
      ],
    );
    t.match(facts[1], { blockMap: /^\(0-4\):\d+-\d+$/, block: { begins: /^7878/ } });
    t.equal(
      describeInode(facts[0] as (typeof facts)[0]),
      'inode 12 is directory /d: block 0 is all zeros on the medium',
    );
    const position = facts[1]?.block?.position ?? 0;
    t.equal(
      readFileSync(image)
        .subarray(position, position + 4)
        .toString(),
      'xxxx',
    );
    const finding = { tool: 'e2fsck', device: image, inode: 12 } as Finding;
    t.match(withEvidence([finding], facts), [{ evidence: { inodeType: 'directory', path: '/d' } }]);
    t.strictSame(withEvidence([{ ...finding, device: '/dev/other' }], facts), [
      { ...finding, device: '/dev/other' },
    ]);
  });
}

t.test('the block that the finding names, also behind an indirect one', async (t) => {
  const image = await extImage(t, 'ext2');
  const { facts } = await ask(t, image, 'Inode 13, block #3, is odd', 'ext2');
  const [map, first] = /^\(0-4\):(\d+)/.exec(facts[0]?.blockMap ?? '') ?? [];
  t.ok(map);
  t.match(facts[0]?.block, { number: 3, position: (Number(first) + 3) * 4096 });
});

t.test('an image is what the device was, sparse and compressed', async (t) => {
  const image = await extImage(t, 'ext4');
  const { kept, directory } = await ask(t, image, '', 'ext4');
  t.match(kept, [{ device: image, file: 'image-test.tar.gz' }]);
  t.ok((kept[0]?.bytes ?? 1e9) < 100_000);
  await must(['tar', '-xSzf', join(directory, 'image-test.tar.gz'), '-C', directory]);
  const unpacked = readFileSync(join(directory, 'image-test.raw'));
  t.ok(unpacked.subarray(0, 16 << 20).equals(readFileSync(image)));
  const none = await ask(t, image, '', 'ext4', 0);
  t.strictSame(none.kept, []);
  const small = await ask(t, image, '', 'ext4', 65536);
  t.match(small.kept, [{ device: image, missing: /--keep-images/ }]);
});

t.test('xfs: the same by xfs_db', async (t) => {
  const directory = t.testdir();
  const content = join(directory, 'content');
  writeFileSync(content, 'z'.repeat(9000));
  const many = Array.from({ length: 60 }, (_, n) => `a_rather_long_name_${n} ---644 0 0 /dev/null`);
  const prototype = ['/dev/null', '1 1', 'd--755 0 0', `f ---644 0 0 ${content}`, 'e d--755 0 0'];
  writeFileSync(join(directory, 'prototype'), [...prototype, ...many, '$', '$', ''].join('\n'));
  const image = join(directory, 'image');
  writeFileSync(image, '');
  truncateSync(image, 320 << 20);
  await must(['mkfs.xfs', '-q', '-f', '-p', join(directory, 'prototype'), image]);
  const inodeOf = async (path: string) =>
    Number(
      /(\d+)\s*$/.exec(
        await must(['xfs_db', '-r', '-c', `path ${path}`, '-c', 'inode', image]),
      )?.[1],
    );
  const [file, entries] = [await inodeOf('/f'), await inodeOf('/e')];
  const log = `entry "x" in directory inode ${entries}\nbad nblocks 9 for inode ${file}\ninode 128`;
  const { answer, facts } = await ask(t, image, log, 'xfs', 0);
  t.equal(answer, '1.1 ok\n');
  t.match(
    facts.sort((a, b) => a.inode - b.inode),
    [
      { inode: 128, inodeType: 'directory', path: '/' },
      {
        ...{ inode: file, inodeType: 'regular file', mode: '100644', size: 9000, path: '/f' },
        block: { number: 0, zeros: false, begins: /^7a7a/ },
      },
      { inode: entries, inodeType: 'directory', path: '/e', block: { zeros: false } },
    ],
  );
  // A directory in its inode has no block that could be looked at.
  t.equal(facts[0]?.block, undefined);
});
