import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

/** guest-scripts/lib/layers.pl with a directory that stands for /sys, and a kernel that answers ioctls. */

const PROGRAM = readFileSync(
  fileURLToPath(new URL('../../guest-scripts/lib/layers.pl', import.meta.url)),
  'utf8',
);

type Line = readonly [start: number, length: number, target: string, rest: string];

/** struct dm_target_spec of include/uapi/linux/dm-ioctl.h, each followed by its text. */
function targets(lines: readonly Line[]): Buffer {
  let next = 0;
  return Buffer.concat(
    lines.map(([start, length, target, rest]) => {
      const text = Buffer.alloc(Math.ceil((rest.length + 1) / 8) * 8);
      text.write(rest);
      const head = Buffer.alloc(40);
      next += head.length + text.length;
      head.writeBigUInt64LE(BigInt(start), 0);
      head.writeBigUInt64LE(BigInt(length), 8);
      head.writeUInt32LE(next, 20);
      head.write(target, 24);
      return Buffer.concat([head, text]);
    }),
  );
}

/** @param tables by MAJOR:MINOR */
function layersOf(t: Test, node: string, tables: Record<string, readonly Line[]>) {
  const top = t.testdir({
    sys: {
      class: { block: {} },
      dev: { block: {} },
      devices: {
        'dm-0': { dm: {}, dev: '254:0\n' },
        'dm-9': { dm: {}, dev: '254:300\n' },
        pmem0: { dev: '259:0\n', pmem0p1: { partition: '1\n', start: '4096\n', dev: '259:2\n' } },
        pmem2: { dev: '259:1\n' },
      },
    },
    control: '',
  });
  const sys = join(top, 'sys');
  for (const [name, place, number] of [
    ['dm-0', 'dm-0', '254:0'],
    ['dm-9', 'dm-9', '254:300'],
    ['pmem0', 'pmem0', '259:0'],
    ['pmem0p1', 'pmem0/pmem0p1', '259:2'],
    ['pmem2', 'pmem2', '259:1'],
  ] as const) {
    symlinkSync(join(sys, 'devices', place), join(sys, 'class/block', name));
    symlinkSync(join(sys, 'devices', place), join(sys, 'dev/block', number));
  }
  mkdirSync(join(top, 'answers'));
  for (const [number, lines] of Object.entries(tables)) {
    const [major = 0, minor = 0] = number.split(':').map(Number);
    // makedev(3)'s bits.
    const dev = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
    const count = Buffer.alloc(4);
    count.writeUInt32LE(lines.length);
    writeFileSync(join(top, 'answers', String(dev)), Buffer.concat([count, targets(lines)]));
  }
  const changed = PROGRAM.replaceAll('/sys/', `${sys}/`).replace(
    '/dev/mapper/control',
    `${top}/control`,
  );
  writeFileSync(join(top, 'layers.pl'), changed);
  const reporter = readFileSync(
    fileURLToPath(new URL('../../guest-scripts/lib/reporter.pl', import.meta.url)),
    'utf8',
  );
  const sub = (name: string) => {
    const from = reporter.indexOf(`sub ${name} {`);
    return reporter.slice(from, reporter.indexOf('\n}\n', from) + 3);
  };
  const program = `
    BEGIN {
      *CORE::GLOBAL::ioctl = sub (*$$) {
        my ($flags, $dev) = (unpack('x28 L', $_[2]), unpack('x40 Q', $_[2]));
        die if $_[1] != 0xc138fd0c || $flags != 16 || unpack('x12 L', $_[2]) != length $_[2];
        open my $in, '<', "${top}/answers/$dev" or return undef;
        read $in, my $answer, 16384;
        my ($count, $data) = unpack 'L a*', $answer;
        substr($_[2], 20, 4) = pack 'L', $count;
        substr($_[2], 312, length $data) = $data;
        return '0 but true';
      };
    }
    use strict;
    ${sub('read_file')} ${sub('first_line')} ${sub('real_path')} ${sub('text')}
    require "${top}/layers.pl";
    print Layers::as_json("${node}");`;
  const said = execFileSync('perl', ['-e', program], { encoding: 'utf8' });
  return JSON.parse(said) as Record<'node' | 'kind' | 'start' | 'table' | 'below', string>[];
}

t.test('follows the first device of each table down to the disk', async (t) => {
  const layers = layersOf(t, 'dm-0', {
    '254:0': [
      [0, 4096, 'linear', '254:300 4096'],
      [4096, 4096, 'linear', '254:300 0'],
    ],
    '254:300': [[0, 8192, 'log-writes', '259:2 259:1']],
  });
  t.strictSame(
    layers.map(({ node, kind, start, table }) => [node, kind, start, table]),
    [
      ['dm-0', 'device-mapper', '', '0 4096 linear 254:300 4096\n4096 4096 linear 254:300 0'],
      ['dm-9', 'device-mapper', '', '0 8192 log-writes 259:2 259:1'],
      ['pmem0p1', 'partition', '4096', ''],
      ['pmem0', 'disk', '', ''],
    ],
  );
});

t.test('names all devices of a table, with the starts of partitions', async (t) => {
  const of = (table: string) =>
    layersOf(t, 'dm-0', { '254:0': [[0, 8, 'striped', table]] }).map(({ below }) => below);
  t.strictSame(of('2 128 259:2 0 259:1 0'), ['pmem0p1@4096 pmem2', 'pmem0', '']);
  t.strictSame(of('2 128 259:1 0 259:1 4096'), ['pmem2', '']);
  t.strictSame(of('2 128 259:1 0 9:9 0'), ['pmem2 9:9', '']);
});

t.test('a disk is all there is; a table that the kernel does not give is empty', async (t) => {
  t.strictSame(
    layersOf(t, 'pmem2', {}).map(({ node, kind }) => [node, kind]),
    [['pmem2', 'disk']],
  );
  t.match(layersOf(t, 'dm-0', {}), [{ node: 'dm-0', kind: 'device-mapper', table: '' }]);
});

t.test('devices that contain each other come to an end', async (t) => {
  const loop = { '254:0': [[0, 8, 'linear', '254:0 0'] as const] };
  t.equal(layersOf(t, 'dm-0', loop).length, 8);
});
