import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** guest-scripts/lib/user-test.pl outside of a guest: how it reads what fio prints. */

const script = fileURLToPath(new URL('../../guest-scripts/lib/user-test.pl', import.meta.url));

/** The verify error that it finds in output that comes in these portions. */
function verifyError(portions: readonly string[]): string {
  const program = `
    require $ARGV[0];
    my $kept = { line => '', verify => '' };
    shift @ARGV;
    for (@ARGV) { look_for_verify_error($_, $kept) if $kept->{verify} eq '' }
    print $kept->{verify};`;
  return execFileSync('perl', ['-e', program, script, ...portions], { encoding: 'utf8' });
}

t.test('finds the verify errors of fio, however the output is divided', (t) => {
  const errors = [
    'verify: bad header offset 4096, wanted 0',
    'verify: bad magic header 0, wanted acca',
    'crc32c: verify failed at file /mnt/test/a offset 8192, length 4096 (requested block: offset=8192)',
    'fio: verify type mismatch (0 media, 14 given)',
  ];
  for (const error of errors) {
    const output = `job: (g=0): rw=randwrite\n${error}\nfio: done\n`;
    t.equal(verifyError([output]), error);
    const middle = Math.floor(output.length / 2);
    t.match(verifyError([output.slice(0, middle), output.slice(middle)]), /verif/, error);
  }
  t.end();
});

t.test('takes nothing else for one', (t) => {
  const output = [
    'job: (g=0): rw=randwrite, bs=4k, verify=crc32c',
    '  verify   : io=4096KiB, bw=10MiB/s',
    'Run status group 0 (all jobs):',
    'verify_state_should_stop: no',
  ];
  t.equal(verifyError([`${output.join('\n')}\n`]), '');
  t.end();
});
