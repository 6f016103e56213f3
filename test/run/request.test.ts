import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { kernelCommandLine } from '../../cli/guest/machine.js';
import { EXIT, exitCodeOf, formatFailure } from '../../cli/outcome.js';
import { planUnits } from '../../cli/plan/plan.js';
import type { RunRequest } from '../../cli/plan/unit.js';
import { RUN_DEFAULTS } from '../../cli/run/defaults.js';
import { replayCommand } from '../../cli/run/replay-command.js';
import { checkRequest } from '../../cli/run/request.js';
import type { RunOptions } from '../../cli/run/run-options.js';
import { unitRequest } from '../../cli/run/run-unit.js';
import { shellQuote } from '../../cli/shell-quote.js';
import { PREPARED } from '../util/fake-qemu.js';

const check = (more: Partial<RunOptions> = {}, fs = 'ext2', tests = ['generic/002']) =>
  checkRequest(fs, tests, { ...RUN_DEFAULTS, ...more });

const request = (more: Partial<RunOptions> = {}, fs = 'ext2'): RunRequest => {
  const checked = check(more, fs);
  if (!checked.ok) throw new Error(formatFailure(checked.failure));
  return checked.value.request;
};

t.test('has the documented defaults', (t) => {
  t.match(check(), {
    ok: true,
    value: {
      accelerator: 'auto',
      jobs: undefined,
      request: {
        fs: 'ext2',
        tests: ['generic/002'],
        kernel: 'debian:6.1',
        variant: { name: 'base', changes: { length: 0 } },
        pmem: 'memmap',
        size: undefined,
        timeout: 120,
        repeat: 1,
        control: false,
      },
    },
  });
  t.end();
});

t.test('rejects invalid input and near misses, with a suggestion', (t) => {
  const wrong: [RegExp, RegExp, ReturnType<typeof check>][] = [
    [/"12Q" is not a size/, /such as 256M/, check({ size: '12Q' })],
    [/"" is not a size/, /256M/, check({ size: '' })],
    [/"-1M" is not a size/, /256M/, check({ size: '-1M' })],
    [/"0" is not a size/, /256M/, check({ size: '0' })],
    [/too small for xfs/, /from 300M to 65536M/, check({ size: '100M' }, 'xfs')],
    [/too small for ext2/, /from 16M/, check({ size: '4096' })],
    [/too large/, /to 65536M/, check({ size: '1T' })],
    [/file system "ext3" is not known/, /ext2, ext4, xfs/, check({}, 'ext3')],
    [/file system "EXT2" is not known/, /ext2, ext4, xfs/, check({}, 'EXT2')],
    [/file system "" is not known/, /ext2, ext4, xfs/, check({}, '')],
    [
      /a CXL region is a multiple of 256 MiB/,
      /multiple of 256M/,
      check({ pmem: 'cxl', size: '300M' }),
    ],
    [
      /--log-device does not go with --pmem cxl/,
      /out/,
      check({ pmem: 'cxl', logDevice: true }, 'ext4'),
    ],
    [
      /--stack "dm-linear" is not known/,
      /linear, stripe, log-writes/,
      check({ stack: 'dm-linear' }),
    ],
    ...['flakey', 'delay', 'snapshot', 'writecache'].map((stack): (typeof wrong)[number] => [
      new RegExp(`^--stack ${stack} removes DAX: this target`),
      /linear, stripe, log-writes, or add --control/,
      check({ stack }),
    ]),
    [
      /--stack linear does not go with --power-cut/,
      /one/,
      check({ stack: 'linear', powerCut: true }),
    ],
    [/--partition does not go with --power-cut/, /one/, check({ partition: true, powerCut: true })],
    [
      /--stack linear does not go with --rt-device/,
      /one/,
      check({ stack: 'linear', rtDevice: true }, 'xfs'),
    ],
    [
      /--stack log-writes needs two further devices/,
      /linear or stripe/,
      check({ stack: 'log-writes', pmem: 'cxl' }, 'ext4'),
    ],
    ...['x', '', '-1', '1+', '1+2+3', '0x10', '64M+0', '1e9', '9007199254740992'].map(
      (range): (typeof wrong)[number] => [
        /^--poison ".*" is not a range of bytes/,
        /64M\+4K/,
        check({ poison: [range] }),
      ],
    ),
    [/--poison 100 is not a range of whole sectors/, /512/, check({ poison: ['512', '100'] })],
    [/--poison 4K\+1 is not a range of whole sectors/, /512/, check({ poison: ['4K+1'] })],
    [/more than 100 times/, /longer/, check({ poison: Array(101).fill('0') })],
    [/--poison needs persistent memory/, /--pmem/, check({ poison: ['0'], pmem: 'none' })],
    [/--poison does not go with --power-cut/, /one/, check({ poison: ['0'], powerCut: true })],
    [/--poison does not go with --stack/, /one/, check({ poison: ['0'], stack: 'linear' })],
    [/--poison does not go with --partition/, /one/, check({ poison: ['0'], partition: true })],
    [/--pmem "nvdim" is not known/, /nvdimm/, check({ pmem: 'nvdim' })],
    [/--accel "kwm" is not known/, /auto, kvm, tcg/, check({ accel: 'kwm' })],
    [/"0" is not a time/, /120 or 5m/, check({ timeout: '0' })],
    [/"1d" is not a time/, /120 or 5m/, check({ timeout: '1d' })],
    [/"-5" is not a time/, /120 or 5m/, check({ timeout: '-5' })],
    [/"1e9" is not a time/, /120 or 5m/, check({ timeout: '1e9' })],
    [/"9999h" is not a time/, /two weeks/, check({ timeout: '9999h' })],
    [/--repeat "-1" is not/, /whole number/, check({ repeat: '-1' })],
    [/--repeat "0" is not/, /whole number/, check({ repeat: '0' })],
    [/--repeat "two" is not/, /whole number/, check({ repeat: 'two' })],
    [/--repeat "1.5" is not/, /whole number/, check({ repeat: '1.5' })],
    [/--qemu "debian:" is not a QEMU/, /debian:sid/, check({ qemu: 'debian:' })],
    [/--qemu "" is not a QEMU/, /path of a qemu-system-x86_64/, check({ qemu: '' })],
    [/--jobs "0" is not/, /whole number/, check({ jobs: '0' })],
    [/--cpus "1000" is not a number from 1 to 64/, /whole number/, check({ cpus: '1000' })],
    [/There is no built-in test "genric\/002"/, /generic\/002/, check({}, 'ext2', ['genric/002'])],
    [/"generic\/999"/, /daxrepro list/, check({}, 'ext2', ['generic/999'])],
    [/There is no file .*\/init$/, /daxrepro list/, check({}, 'ext2', ['../init'])],
    [/group "quik"/, /quick/, check({ group: ['quik'] }, 'ext2', [])],
    [/No test is named/, /generic\/002/, check({}, 'ext2', [])],
    [/--suite elsewhere/, /builtin/, check({ suite: 'elsewhere' })],
    [/--mkfs-opts contains a control/, /one line/, check({ mkfsOpts: '-b 1024\nEND' })],
    [/--mount-opts contains a control/, /one line/, check({ mountOpts: 'a\x1b[2J' })],
  ];
  for (const [message, remedy, outcome] of wrong) {
    if (outcome.ok) {
      t.fail(`taken: ${message}`);
      continue;
    }
    t.match(outcome.failure, { kind: 'usage', message, remedy });
    t.equal(exitCodeOf(outcome.failure), EXIT.usage);
  }
  t.end();
});

/** Parses a replay command like the command line: flags, and options with a value. */
function parse(argv: string[]): ReturnType<typeof checkRequest> {
  const options: RunOptions = { ...RUN_DEFAULTS };
  const words: string[] = [];
  for (let at = 2; at < argv.length; at += 1) {
    const word = argv[at] as string;
    if (word === '--control') options.control = true;
    else if (word === '--partition') options.partition = true;
    else if (word.startsWith('--')) {
      const name = word.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      at += 1;
      const value = argv[at];
      const given = options as unknown as Record<string, unknown>;
      given[name] = name === 'kconfig' ? [...(options.kconfig ?? []), value] : value;
    } else words.push(word);
  }
  return checkRequest(words[0] ?? '', words.slice(1), options);
}

/** The words that a shell makes of it. */
function shellWords(command: string): string[] {
  const program = 'for word; do printf "%s\\0" "$word"; done';
  const output = execFileSync('sh', ['-c', `set -- ${command}; ${program}`], {
    encoding: 'utf8',
    env: { HOME: '/nowhere', PATH: process.env['PATH'] ?? '' },
  });
  return output.split('\0').slice(0, -1);
}

t.test('allows power cuts on all persistent memory, under emulation, in clones', async (t) => {
  for (const pmem of ['memmap', 'nvdimm', 'virtio-pmem']) {
    t.match(check({ powerCut: true, pmem }), {
      ok: true,
      value: { accelerator: 'tcg', request: { pmem, powerCut: { cuts: 2, states: 1 } } },
    });
  }
  for (const [message, more] of [
    [/--pmem none has disks/, { pmem: 'none' }],
    [/QEMU cannot save the state of CXL devices/, { pmem: 'cxl' }],
    [/which only emulation allows/, { accel: 'kvm' }],
    [/tests DAX/, { control: true }],
    [/needs guests that are clones/, { checkpoint: false }],
  ] as const) {
    const checked = check({ powerCut: true, ...more });
    t.match(checked, { ok: false, failure: { kind: 'usage', message } });
    t.ok(check(more).ok, 'allowed without power cuts');
  }
  t.match(check({ cuts: '3' }), { ok: false, failure: { message: '--cuts without --power-cut' } });
});

t.test('makes a replay command that gives the same request', (t) => {
  const requests: [Partial<RunOptions>, string?][] = [
    [{}],
    [{ pmem: 'none', control: true }],
    [{ pmem: 'nvdimm', timeout: '5m', cpus: '2', size: '1G' }, 'xfs'],
    [{ kernel: 'image:/tmp/it\'s a "kernel"/bzImage,/tmp/$HOME' }],
    [{ mkfsOpts: '-b 1024 -O ^has_journal', mountOpts: "a='b',`id`,$(id)" }, 'ext4'],
    [{ mkfsOpts: '', mountOpts: '~/x*?[a] #; & | > < \\ !' }],
    [{ size: '17000000' }],
    [{ kernel: 'src:/a b@v6.1', cc: '/opt/x y/gcc', kconfig: ['/a.config', '/b c.config'] }],
    [{ kernel: 'debsrc:6.1', cc: 'gcc-9' }],
    [{ timeout: '0.5m', accel: 'tcg' }],
    [{ qemu: 'debian:sid' }],
    [{ userland: 'debian:sid', e2fsprogs: 'debian:sid', xfsprogs: 'debian:sid=7.2.0-1' }],
    [{ qemu: '/opt/my qemu/qemu-system-x86_64' }],
  ];
  for (const [options, fs] of requests) {
    const asked = request(options, fs);
    for (const unit of planUnits(asked, '6.1.0')) {
      const command = replayCommand(unit, asked);
      const words = shellWords(command);
      t.strictSame(words.slice(0, 2), ['daxrepro', 'run'], command);
      const again = parse(words);
      t.ok(again.ok, command);
      if (!again.ok) continue;
      // Without --seed, the seed is random.
      t.strictSame({ ...again.value.request, seed: 0 }, { ...asked, seed: 0 }, command);
    }
  }
  const repeated = request({ repeat: '3', seed: '41' });
  t.equal(
    replayCommand(planUnits(repeated, '6.1.0')[1] as never, repeated),
    'daxrepro run ext2 generic/002 --seed 42',
    'repeats one of many attempts by its seed',
  );
  t.equal(
    replayCommand(planUnits(request(), '6.1.0')[0] as never, request()),
    'daxrepro run ext2 generic/002',
    'omits defaults from the command',
  );
  t.end();
});

t.test('accepts build options only for a built kernel; makes paths absolute', (t) => {
  for (const more of [{ cc: 'gcc-9' }, { kconfig: ['x'] }]) {
    t.match(check(more), { failure: { kind: 'usage', remedy: /debsrc:6\.1/ } });
  }
  const { build } = request({ kernel: 'src:linux', cc: './gcc', kconfig: ['own.config'] });
  t.strictSame(build, { cc: resolve('gcc'), kconfig: [resolve('own.config')] });
  t.end();
});

t.test('quotes words for a shell', (t) => {
  const nasty = [
    '',
    ' ',
    "'",
    "it's",
    '"',
    '$x',
    '`id`',
    '\\',
    'a b',
    '~',
    '*',
    '-n',
    '#',
    'ü',
    '=x',
  ];
  const words = shellWords(nasty.map(shellQuote).join(' '));
  t.strictSame(words, nasty);
  t.equal(shellQuote('debian:6.1'), 'debian:6.1');
  t.end();
});

const STAND_IN = fileURLToPath(new URL('../stand-in/xfstests', import.meta.url));

t.test('reads a tree of xfstests', (t) => {
  const checked = check({ suite: STAND_IN }, 'ext4', ['generic/002-004']);
  t.match(checked, {
    ok: true,
    value: {
      request: {
        tests: ['generic/002', 'generic/003', 'generic/004'],
        suite: { name: 'xfstests', tree: { directory: STAND_IN } },
      },
    },
  });
  const asked = request(
    { suite: STAND_IN, exclude: ['generic/001'], group: ['quick,dax'] },
    'ext4',
  );
  t.same(asked.tests, ['generic/002', 'generic/007'], 'selects ids, then groups, minus exclusions');
  const units = planUnits({ ...asked, timeout: 900 }, '6.1.0');
  t.match(units[1], {
    suite: { name: 'xfstests' },
    facts: { groups: ['auto', 'dax'], provokes: { length: 0 } },
    mountOptions: 'acl,user_xattr,dax=always',
    shape: { deviceSize: 1024 * 1024 * 1024 },
  });
  const [unit] = planUnits(asked, '6.1.0');
  if (!unit) throw new Error('no unit');
  t.match(replayCommand(unit, asked), ` --suite ${STAND_IN} `);
  t.end();
});

t.test('rejects tests that a tree of xfstests does not have', (t) => {
  const empty = t.testdir();
  const wrong: [RegExp, ReturnType<typeof check>][] = [
    [/--suite \/nowhere: there is no directory/, check({ suite: '/nowhere' })],
    [/is not an xfstests tree: it has no check/, check({ suite: empty })],
    [/no test "generic\/999"/, check({ suite: STAND_IN }, 'ext2', ['generic/999'])],
    [/no test "xfs\/001"/, check({ suite: STAND_IN }, 'ext2', ['xfs/001'])],
    [/group "swap"/, check({ suite: STAND_IN, group: ['swap'] })],
    [/--exclude x: this is not a test/, check({ exclude: ['x'] })],
    [/--exclude-file \/nowhere cannot be read/, check({ excludeFile: ['/nowhere'] })],
    [/All selected tests are excluded/, check({ exclude: ['generic/*'] })],
    [/--expected \/nowhere cannot be read/, check({ expected: '/nowhere' })],
  ];
  for (const [message, checked] of wrong) {
    t.notOk(checked.ok, `${message}`);
    if (checked.ok) continue;
    t.match(checked.failure.message, message);
    t.equal(exitCodeOf(checked.failure), EXIT.usage);
  }
  t.end();
});

t.test('looks for a failure in a thousand attempts, or as many as requested', async (t) => {
  t.match(request({ untilFail: true }), { untilFail: true, repeat: 1000 });
  t.match(request({ untilFail: true, repeat: '7' }), { untilFail: true, repeat: 7 });
  t.match(request(), { untilFail: false, repeat: 1 });
  t.match(request({ soak: '30m' }), { soak: 1800, repeat: 50_000 });
});

t.test('takes seeds of 32 bits', async (t) => {
  t.equal(request({ seed: '4294967295' }).seed, 4294967295);
  t.not(request().seed, request().seed, 'random by default');
  for (const seed of ['4294967296', '-1', 'x', '1.5', '']) {
    const checked = checkRequest('ext2', ['generic/002'], { ...RUN_DEFAULTS, seed });
    t.match(checked, { ok: false, failure: { kind: 'usage', message: /--seed/ } }, seed);
  }
});

t.test('--partition and --stack are part of the machine', (t) => {
  const unitOf = (more: Partial<RunOptions>, fs = 'ext4', release = '6.1.0') => {
    const asked = request({ size: '512M', ...more }, fs);
    const [unit] = planUnits(asked, release);
    if (!unit) throw new Error('no unit');
    return { unit, replay: replayCommand(unit, asked) };
  };
  const both = unitOf({ partition: true, stack: 'stripe' });
  t.match(both.unit.shape, { partition: true, stack: 'stripe', additional: undefined });
  t.match(both.replay, / --stack stripe --size 536870912 --partition$/);
  t.match(
    kernelCommandLine({ ...both.unit.shape, accelerator: 'tcg' }),
    / daxrepro_partition=1 daxrepro_stack=stripe$/,
  );
  const logged = unitOf({ stack: 'log-writes', logwrites: true });
  t.strictSame(logged.unit.devices, ['LOGWRITES_DEV'], 'the log of a stack has no variable');
  t.strictSame(
    logged.unit.shape.additional?.map((bytes) => bytes / 2 ** 20),
    [512, 1024, 1024],
    'and comes last',
  );
  const usual = unitOf({}).unit.shape;
  t.notOk('stack' in usual || 'partition' in usual);
  for (const stack of ['flakey', 'delay', 'snapshot', 'writecache']) {
    const { unit } = unitOf({ stack, pmem: 'none', control: true });
    t.match(unit, { control: true, mountOptions: '', shape: { stack, pmem: 'none' } });
  }
  // DAX and reflink do not go together on a partition.
  const options = (more: Partial<RunOptions>) => unitOf(more, 'xfs', '7.2.0').unit.mkfsOptions;
  t.strictSame([{}, { partition: true }, { partition: true, stack: 'linear' }].map(options), [
    '',
    '-m reflink=0',
    '',
  ]);
  t.equal(options({ partition: true, mkfsOpts: '-m reflink=1' }), '-m reflink=1');
  t.end();
});

t.test('--poison is asked of the guest, and not part of the machine', (t) => {
  const asked = request({ poison: ['64M+4K', '1048576', '0+1g'] }, 'ext4');
  const ranges = [
    { offset: 64 * 2 ** 20, length: 4096 },
    { offset: 1_048_576, length: 4096 },
    { offset: 0, length: 2 ** 30 },
  ];
  t.strictSame(asked.poison, ranges);
  const [unit] = planUnits(asked, '6.1.0');
  if (!unit) throw new Error('no unit');
  t.strictSame(unit.poison, ranges);
  t.strictSame(unit.shape, planUnits(request({}, 'ext4'), '6.1.0')[0]?.shape);
  t.match(
    replayCommand(unit, asked),
    / --poison 67108864\+4096 --poison 1048576\+4096 --poison 0\+1073741824$/,
  );
  const { POISON } = unitRequest(unit, PREPARED, { imageBytes: 0 });
  t.equal(POISON, '67108864+4096 1048576+4096 0+1073741824');
  t.end();
});

t.test('--log-device, --rt-device and --logwrites add devices', (t) => {
  const asked = request({ logDevice: true, rtDevice: true, logwrites: true, size: '512M' }, 'xfs');
  t.strictSame(asked.devices, ['log-device', 'rt-device', 'logwrites']);
  const [unit] = planUnits(asked, '6.1.0');
  if (!unit) throw new Error('no unit');
  t.strictSame(unit.devices, [
    'TEST_LOGDEV',
    'SCRATCH_LOGDEV',
    'TEST_RTDEV',
    'SCRATCH_RTDEV',
    'LOGWRITES_DEV',
  ]);
  t.strictSame(
    unit.shape.additional?.map((bytes) => bytes / 2 ** 20),
    [128, 128, 512, 512, 512],
  );
  t.match(replayCommand(unit, asked), / --log-device --rt-device --logwrites$/);
  t.notOk(
    'additional' in (planUnits(request(), '6.1.0')[0]?.shape ?? {}),
    'usually there are none',
  );
  const refused = (more: Partial<RunOptions>, fs: string, what: RegExp) => {
    const checked = check(more, fs);
    t.match(checked.ok ? 'ok' : formatFailure(checked.failure), what);
  };
  refused({ rtDevice: true }, 'ext4', /--rt-device: ext4 has no realtime section.*\n.*use xfs/);
  refused({ logDevice: true }, 'ext2', /--log-device: ext2 has no journal.*\n.*ext4 or xfs/);
  refused({ logDevice: true, powerCut: true }, 'ext4', /--power-cut does not go with --log-device/);
  t.end();
});
