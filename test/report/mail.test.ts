import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { commandLine } from '../../cli/command-line/program.js';
import { formatBisectionMail } from '../../cli/report/bisect-mail.js';
import { formatMail } from '../../cli/report/compare-mail.js';
import { plainBody, replyOf, replyOfMail } from '../../cli/report/mail-headers.js';
import type { CompareResult } from '../../cli/results/compare-result.js';
import { comparison, FAIL } from '../util/comparisons.js';
import { hostile } from '../util/hostile.js';
import { WHOLE_BISECTION, WHOLE_COMPARISON } from '../util/kept.js';
import { hasProgram } from '../util/readers.js';

const SAVED = [
  'From mboxrd@z Thu Jan  1 00:00:00 1970',
  'Message-ID: <20260101.1@example.org>',
  'References: <a@example.org>',
  ' <b@example.org>',
  'From: "Ann, A." <ann@example.org>',
  'To: linux-ext4@vger.kernel.org',
  'Cc: Bob <bob@example.org>,',
  '\tlinux-xfs@vger.kernel.org',
  'Subject: Re: [BUG] ext2: a very long subject that was folded by the program that sent it,',
  ' and goes on',
  '',
  'Subject: not this one',
].join('\n');

function reply(t: Test, text = SAVED) {
  const file = join(t.testdir({}), 'saved.eml');
  writeFileSync(file, text);
  const read = replyOf({ replyTo: file });
  return read.ok ? read.value : undefined;
}

/** A bisection of commits that found one. */
const FOUND = {
  ...WHOLE_BISECTION,
  answer: {
    ...WHOLE_BISECTION.answer,
    culprits: WHOLE_BISECTION.answer.culprits
      .slice(0, 1)
      .map((one) => ({ ...one, id: 'c'.repeat(40) })),
  },
};

t.test('reads the headers of a saved mail or mbox', async (t) => {
  t.match(reply(t), {
    messageId: '<20260101.1@example.org>',
    references: ['<a@example.org>', '<b@example.org>'],
    subject:
      'Re: [BUG] ext2: a very long subject that was folded by the program that sent it, and goes on',
    from: '"Ann, A." <ann@example.org>',
    cc: 'Bob <bob@example.org>, linux-xfs@vger.kernel.org',
  });
  t.match(reply(t, SAVED.replaceAll('\n', '\r\n')), { messageId: '<20260101.1@example.org>' });
  t.match(replyOf({ inReplyTo: 'x@y' }), { ok: true, value: { messageId: '<x@y>' } });
  t.match(replyOf({ inReplyTo: '<x@y>' }), { ok: true, value: { messageId: '<x@y>' } });
  t.match(replyOf({}), { ok: true, value: undefined });
});

t.test('rejects what it cannot answer', async (t) => {
  for (const options of [
    { inReplyTo: 'no id' },
    { inReplyTo: 'x@y>\nBcc: <z@z' },
    { replyTo: '/absent' },
    { replyTo: import.meta.filename },
    { inReplyTo: 'x@y', replyTo: '/absent' },
  ]) {
    t.match(replyOf(options), { ok: false, failure: { kind: 'usage' } });
  }
});

t.test('a reply is a mail', async (t) => {
  t.match(replyOfMail(undefined, { inReplyTo: 'x@y' }), {
    ok: false,
    failure: { kind: 'usage', message: /--in-reply-to without --mail/ },
  });
  t.match(replyOfMail(true, { inReplyTo: 'x@y' }), { ok: true, value: { messageId: '<x@y>' } });
  t.match(replyOfMail(undefined, {}), { ok: true, value: undefined });
  // The program takes the options where a mail can be written.
  for (const command of ['report', 'compare', 'bisect']) {
    const options = commandLine('0').commands.find((one) => one.name() === command)?.options ?? [];
    const flags = options.map(({ long }) => long);
    t.ok(flags.includes('--in-reply-to') && flags.includes('--reply-to'), command);
  }
});

t.test('answers the mail, with its thread and recipients', async (t) => {
  const text = formatMail(WHOLE_COMPARISON, { from: '/', reply: reply(t) });
  t.match(text, /^Subject: Re: \[BUG\] ext2: a very long subject/);
  t.match(text, /^To: "Ann, A\." <ann@example\.org>$/m);
  t.match(text, /^Cc: linux-ext4@vger\.kernel\.org, Bob <bob@example\.org>,\n linux-xfs@/m);
  t.match(text, /^In-Reply-To: <20260101\.1@example\.org>$/m);
  t.match(text, /^References: <a@example\.org> <b@example\.org> <20260101\.1@example\.org>$/m);
  t.match(text, /Content-Transfer-Encoding: 8bit\n\na title\n/);
});

t.test('names the first bad commit for regzbot, and suggests tags as comments', async (t) => {
  const text = formatBisectionMail(FOUND, reply(t));
  t.match(text, /^#regzbot introduced: c{12}$/m);
  t.match(text, /^# Fixes: c{12} \("change 5"\)$/m);
  t.match(text, /^# Reported-by: "Ann, A\." <ann@example\.org>$/m);
  t.match(text, /^# Closes: https:\/\/lore\.kernel\.org\/r\/20260101\.1@example\.org$/m);
  t.match(formatBisectionMail(FOUND), '# Reported-by: Your Name');
  const series = { ...FOUND, question: { ...FOUND.question, series: 'a.mbox' } };
  t.notMatch(formatBisectionMail(series), 'regzbot');
  const open = { ...FOUND, answer: { ...FOUND.answer, ending: 'gave-up' as const } };
  t.notMatch(formatBisectionMail(open), 'regzbot');
});

t.test('suggests Tested-by only for a fix that holds', async (t) => {
  const fixed = (spoil: Parameters<typeof comparison>[0], repeat = 1) =>
    comparison(spoil, {
      repeat,
      expect: ({ variant }) => ({ verdict: variant === 'base' ? 'fail' : 'pass' }),
    });
  const tags = (result: CompareResult) =>
    /^# Tested-by: .*$/m.test(formatMail(result, { from: '/' }));
  t.ok(tags(fixed(({ variant }) => (variant === 'base' ? FAIL : undefined))));
  t.notOk(tags(fixed(() => undefined)), 'nothing failed without it');
  t.notOk(tags(fixed(() => FAIL)), 'it fails with it');
  t.notOk(
    tags(fixed(({ variant, fs }) => (variant === 'base' || fs === 'xfs' ? FAIL : undefined))),
    'it fails with it on one file system',
  );
  const sometimes = fixed(
    ({ variant, attempt }) => (variant === 'base' && attempt === 1 ? FAIL : undefined),
    2,
  );
  const held = { ...sometimes, units: sometimes.units.map((unit) => ({ ...unit, held: true })) };
  t.notOk(tags(held), 'fails without it only sometimes: chance is not excluded');
});

t.test('keeps lines of others from meaning anything', async (t) => {
  for (const line of ['From here', '-- ', '---', '#regzbot dup: x', 'Tested-by: X', 'Fixes: y']) {
    t.equal(plainBody(line), ` ${line}`);
  }
  t.equal(plainBody('From: a\n12 units'), 'From: a\n12 units');
  const title = `${'x'.repeat(72)} Tested-by: Mallory <m@example.org>`;
  const forged = { ...WHOLE_COMPARISON, case: { ...WHOLE_COMPARISON.case, title } };
  t.notMatch(formatMail(forged, { from: '/' }), /^Tested-by/m);
});

const MAILS = (t: Test) => [
  formatMail(WHOLE_COMPARISON, { from: '/', reply: reply(t) }),
  formatMail(hostile(WHOLE_COMPARISON), { from: '/', reply: reply(t) }),
  formatMail(hostile(WHOLE_COMPARISON), {
    from: '/',
    reply: { messageId: '<x@y.example>', references: [] },
  }),
  formatBisectionMail(FOUND, reply(t)),
  formatBisectionMail(hostile(FOUND), reply(t)),
];

const GIT = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_COMMITTER_NAME: 'Me',
  GIT_COMMITTER_EMAIL: 'me@example.org',
  GIT_AUTHOR_NAME: 'Me',
  GIT_AUTHOR_EMAIL: 'me@example.org',
};
const noSendEmail =
  spawnSync('git', ['send-email', '--dump-aliases'], { env: GIT }).status === 0
    ? false
    : 'git send-email is not installed';

t.test('git send-email accepts the mail', { skip: noSendEmail }, async (t) => {
  for (const [at, text] of MAILS(t).entries()) {
    const directory = t.testdir({ home: {}, 'reply.eml': `${text}\n` });
    const run = spawnSync(
      'git',
      [
        ...['send-email', '--dry-run', '--confirm=never', '--no-validate', '--from=me@example.org'],
        ...['--smtp-server=/bin/true', '--to=list@example.org', '--suppress-cc=self', 'reply.eml'],
      ],
      { cwd: directory, env: { ...GIT, HOME: join(directory, 'home') }, encoding: 'utf8' },
    );
    t.equal(run.status, 0, `mail ${at}: ${run.stderr.slice(0, 500)}`);
    t.match(run.stdout, /^In-Reply-To: <(?:20260101\.1@example\.org|x@y\.example)>$/m);
    t.match(run.stdout, /^Subject: Re: /m);
    if (at !== 2) t.match(run.stdout, /^(?:To|Cc):.*linux-ext4@vger\.kernel\.org|^\s+linux-ext4@/m);
  }
});

const noMutt = hasProgram('mutt') ? false : 'mutt is not installed';

t.test('mutt -H accepts the mail as a draft', { skip: noMutt }, async (t) => {
  for (const [at, text] of MAILS(t).entries()) {
    const sent = 'sent.eml';
    const directory = t.testdir({
      home: {},
      'reply.eml': `${text}\n`,
      sendmail: '#!/bin/sh\ncat >"$(dirname "$0")/sent.eml"\n',
      muttrc: '',
    });
    const rc = join(directory, 'muttrc');
    writeFileSync(
      rc,
      `set sendmail="/bin/sh ${directory}/sendmail"\nset copy=no\nset from=me@example.org\nset sendmail_wait=0\n`,
    );
    const run = spawnSync(
      'mutt',
      ['-n', '-F', rc, '-H', join(directory, 'reply.eml'), '--', 'list@example.org'],
      { input: '', env: { ...process.env, HOME: join(directory, 'home') }, encoding: 'utf8' },
    );
    t.equal(run.status, 0, `mail ${at}: ${run.stderr.slice(0, 300)}`);
    const { stdout } = spawnSync('cat', [join(directory, sent)], { encoding: 'utf8' });
    t.match(stdout, /^In-Reply-To: </m);
    t.match(stdout, /^Subject: Re: /m);
  }
});

t.test('git interpret-trailers finds no tag, and those suggested are valid', async (t) => {
  const trailers = (text: string) =>
    spawnSync('git', ['interpret-trailers', '--parse'], { input: text, env: GIT, encoding: 'utf8' })
      .stdout;
  for (const text of MAILS(t)) {
    const body = text.slice(text.indexOf('\n\n') + 2);
    t.equal(trailers(`subject\n\n${body}\n`), '');
  }
  const tags = formatBisectionMail(FOUND, reply(t))
    .split('\n')
    .filter((line) => /^# \w/.test(line))
    .map((line) => line.slice(2));
  t.equal(tags.length, 3);
  t.equal(trailers(`subject\n\n${tags.join('\n')}\n`), `${tags.join('\n')}\n`);
});
