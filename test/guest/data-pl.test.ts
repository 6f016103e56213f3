import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

/**
 * guest-scripts/lib/data.pl outside of a guest. A plain file stands for the block device, and each
 * byte of a test's file has the same place there; only the look itself is real.
 */

const lib = fileURLToPath(new URL('../../guest-scripts/lib/', import.meta.url));

interface Look {
  how: string;
  device: string;
  position: string;
  same: string;
  problem: string;
}

interface Rig {
  /** What stands for the device: `self`, the file that is looked at, or a file. */
  device?: string;
  /** Opens the new file in this way; `none`: there is no new file. */
  open?: '+>' | '<' | 'none';
  /** Changes data.pl. */
  change?: (text: string) => string;
}

/** The looks at a mount whose directory has these files. */
function looks(t: Test, files: Record<string, string | Buffer>, rig: Rig = {}) {
  const top = t.testdir({ mount: {} });
  const mount = join(top, 'mount');
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(mount, name), content);
    utimesSync(join(mount, name), 1_000_000, 1_000_000.5);
  }
  const reporter = readFileSync(join(lib, 'reporter.pl'), 'utf8');
  const from = reporter.indexOf('# each_file DIRECTORY, CODE');
  const eachFile = reporter.slice(from, reporter.indexOf('\n}\n', from) + 3);
  const text = readFileSync(join(lib, 'data.pl'), 'utf8');
  const changed = rig.change?.(text) ?? text;
  if (rig.change && changed === text) throw new Error('nothing was changed');
  writeFileSync(join(top, 'data.pl'), changed);
  const program = `
    use strict;
    ${eachFile}
    my ($script, $mount, $new, $how, $device) = @ARGV;
    require $script;
    no warnings 'redefine';
    my $self;
    *Data::place_of = sub { $self = shift; return (shift, 0) };
    *Data::first_page = sub { $self = shift; return -s $self >= 4096 ? (0, 0, 0) : () };
    *Data::read_device = sub {
      my (undef, $position) = @_;
      my ($in, $bytes) = ($self, '');
      if ($device ne 'self') { undef $in; open $in, '<', $device or die }
      sysseek $in, $position, 0;
      sysread $in, $bytes, 4096;
      return $bytes;
    };
    my $file;
    if ($how eq '<') { open $file, '>', $new; close $file }
    if ($how ne 'none') { open $file, $how, $new or die }
    for my $look (Data::compare_data($file, $mount, $device)) {
      print join("\\t", map { "$_=$look->{$_}" } sort keys %$look), "\\n";
    }`;
  const words = [join(top, 'data.pl'), mount, join(top, 'new'), rig.open ?? '+>'];
  const said = execFileSync('perl', ['-e', program, ...words, rig.device ?? 'self'], {
    encoding: 'utf8',
  });
  const all = said.split('\n').filter(Boolean);
  return {
    mount,
    looks: all.map((line) =>
      Object.fromEntries(line.split('\t').map((field) => field.split(/=(.*)/s).slice(0, 2))),
    ) as unknown as Look[],
  };
}

const SAME = { same: '4096', problem: '' };
const VARIED = Buffer.from(Array.from({ length: 8192 }, (_, index) => (index * 7919) >> 5));
const ZEROS = Buffer.alloc(8192);

t.test('compares a page that was written and one that was stored', async (t) => {
  t.match(looks(t, {}).looks, [
    { how: 'written', position: '0', ...SAME },
    { how: 'mapped', position: '4096', ...SAME },
  ]);
});

t.test('sees that the device has other bytes', async (t) => {
  const { looks: found } = looks(t, {}, { device: '/dev/zero' });
  t.equal(found.length, 2);
  for (const { same, problem } of found) {
    t.equal(problem, '');
    t.ok(Number(same) < 200, same);
  }
});

t.test('sees a shift of one sector, and of one word', async (t) => {
  for (const shift of [8, 512, 2048, 3584]) {
    const change = (text: string) =>
      text.replace(
        'my $found = read_device($device, $position);',
        `my $found = read_device($device, $position);
         $found = substr($found, ${shift}) . substr $found, 0, ${shift};`,
      );
    for (const { same } of looks(t, {}, { change }).looks)
      t.ok(Number(same) < 1500, `${shift}: ${same}`);
    const other = looks(t, { varied: VARIED }, { change, open: 'none' }).looks;
    t.match(other, [{ how: 'existing', problem: '' }]);
    if (shift % 512 === 0) t.ok(Number(other[0]?.same) < 4096, `existing, ${shift}`);
  }
});

t.test('every pattern differs from the ones before it', async (t) => {
  const program = `require $ARGV[0]; print map { unpack 'H*', Data::pattern() } 1 .. 50`;
  const bytes = execFileSync('perl', ['-e', program, join(lib, 'data.pl')], { encoding: 'utf8' });
  const words = bytes.match(/.{16}/g) ?? [];
  t.equal(words.length, 50 * 512);
  t.equal(new Set(words).size, words.length);
});

t.test('takes an existing file where there is no room for a new one', async (t) => {
  for (const open of ['<', 'none'] as const) {
    const { looks: found, mount } = looks(t, { varied: VARIED }, { open });
    t.match(found.at(-1), { how: 'existing', position: '0', ...SAME }, open);
    t.equal(found.length, open === 'none' ? 1 : 3);
    if (open === '<') t.match(found[0]?.problem, /a page cannot be written/);
    t.same(readFileSync(join(mount, 'varied')), VARIED);
  }
});

t.test('exchanges a page whose parts are alike, and puts it back', async (t) => {
  const { looks: found, mount } = looks(t, { zeros: ZEROS }, { open: 'none' });
  t.match(found, [{ how: 'exchanged', position: '0', ...SAME }]);
  const file = join(mount, 'zeros');
  t.same(readFileSync(file), ZEROS, 'the bytes');
  t.equal(statSync(file).mtimeMs, 1_000_000_500, 'the time');
  const other = looks(t, { zeros: ZEROS }, { open: 'none', device: '/dev/zero' });
  t.ok(Number(other.looks[0]?.same) < 200, 'and compares the pattern');
});

t.test('prefers a file that tells more', async (t) => {
  const files = { a: ZEROS, b: '', c: VARIED };
  t.match(looks(t, files, { open: 'none' }).looks, [{ how: 'existing', ...SAME }]);
});

t.test('says that there is nothing to compare', async (t) => {
  t.match(looks(t, { small: 'x' }, { open: 'none' }).looks, [
    { how: 'existing', same: '', problem: 'no file has a page to compare' },
  ]);
});
