import t from 'tap';
import { isRelease, parseBzImage } from '../../cli/kernel/bzimage.js';
import { makeBzImage } from './fixtures.js';

const PAYLOAD = Buffer.from('payload');

t.test('reads the release and the place of the payload', async (t) => {
  const image = makeBzImage('6.1.0-56-amd64', PAYLOAD);
  const parsed = parseBzImage(image);
  t.equal(parsed?.release, '6.1.0-56-amd64');
  const { start = 0, size = 0 } = parsed?.payload ?? {};
  t.strictSame(image.subarray(start, start + size), PAYLOAD);
});

t.test('takes zero set-up sectors as four', async (t) => {
  const image = makeBzImage('6.1.0', PAYLOAD, 4);
  image[0x1f1] = 0;
  const { start = 0 } = parseBzImage(image)?.payload ?? {};
  t.equal(image.toString('latin1', start, start + 7), 'payload');
});

t.test('finds no payload in an image of an old boot protocol', async (t) => {
  const image = makeBzImage('2.6.20', PAYLOAD);
  image.writeUInt16LE(0x207, 0x206);
  t.strictSame(parseBzImage(image), { release: '2.6.20' });
});

t.test('rejects anything else', async (t) => {
  t.equal(parseBzImage(Buffer.alloc(0)), undefined);
  t.equal(parseBzImage(Buffer.alloc(4096)), undefined);
  const image = makeBzImage('6.1.0', PAYLOAD);
  image.write('XXXX', 0x202);
  t.equal(parseBzImage(image), undefined);
});

t.test('rejects a release that would escape its directory', async (t) => {
  t.equal(parseBzImage(makeBzImage('../../etc', PAYLOAD)), undefined);
  t.equal(parseBzImage(makeBzImage('6.1\x1b[2J', PAYLOAD)), undefined);
  for (const release of ['6.1.0-56-amd64', '6.12.117+deb12-amd64', '4.5.0-rc1+', '7.2']) {
    t.ok(isRelease(release), release);
  }
});
