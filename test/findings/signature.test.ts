import t from 'tap';
import { messageClass, reasonClass, signature } from '../../cli/findings/signature.js';

t.test('omits variable parts', async (t) => {
  const same = (...messages: string[]) => {
    const classes = new Set(messages.map(messageClass));
    t.equal(classes.size, 1, [...classes].join(' | '));
  };
  same(
    'Directory inode 155649, block #0, offset 0: directory corrupted',
    'Directory inode 2, block #13, offset 1024: directory corrupted',
  );
  same('Free blocks count wrong (1, counted=2).', 'Free blocks count wrong (3722, counted=10).');
  same("entry 'a' is bad", "entry 'it is bad' is bad");
  same('at 0xffff888012345678 in f+0x1/0x2', 'at 0x0 in f+0x1c/0x200');
  same(
    'written Sun Nov 22 13:17:21 2026 by 1b4e28ba-2fa1-11d2-883f-0016d3cca427',
    'written Mon Feb  1 03:00:00 2016 by 00000000-0000-0000-0000-000000000000',
  );
});

t.test('keeps what distinguishes damage', async (t) => {
  t.not(
    messageClass("Missing '.' in directory inode 12."),
    messageClass("Missing '..' in directory inode 12."),
  );
  t.equal(messageClass('ext2fs_open2: 64bit'), 'ext2fs_open2-64bit');
  t.equal(messageClass("can't read /a/b of group 0's bitmap"), 'can-t-read-of-group-s-bitmap');
  t.equal(messageClass('/lost+found not found'), 'lost-found-not-found');
});

t.test('is never empty and never long', async (t) => {
  t.equal(messageClass('12 34'), 'message');
  t.ok(messageClass('word '.repeat(5000)).length <= 120);
  t.equal(signature('kernel', 'oops', undefined, 'f'), 'kernel:oops:f');
});

t.test("ignores how much a test's own message lists", (t) => {
  const one = 'content of /mnt/test/a before the remount: byte 10 (page 0) is 0x5a, not 0x00';
  const classes = new Set(
    [
      one,
      `${one}, byte 4096 (page 1) is 0xff, not 0x00`,
      `${one}, byte 8 (page 0) is 0xbe, not 0x00, byte 9 (page 0) is 0x1, not 0x2 and 13 more pages`,
      `${one} (and 3 more)`,
      one + ', byte 4096 (page 1) is 0xff, not 0x00'.repeat(9),
    ].map(reasonClass),
  );
  t.strictSame([...classes], ['content-of-before-the-remount-byte-page-is-not']);
  t.equal(
    reasonClass(
      "the test's output differs: [-a b] [+a c] and 7 more lines, and its exit status is 1",
    ),
    reasonClass("the test's output differs: [+z], and its exit status is 2"),
  );
  t.equal(reasonClass('chdir /mnt/test/links: No such file'), 'chdir-no-such-file');
  t.not(reasonClass('a is there'), reasonClass('a is not there'));
  t.end();
});
