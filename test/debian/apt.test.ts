import t from 'tap';
import { chooseMirror, parseRecords } from '../../cli/debian/apt.js';

t.test('finds the mirrors among what the machine reads', async (t) => {
  const chosen = chooseMirror([
    ['http://other.test/repo/', 'stable', 'main', '/etc/apt/sources.list.d/other.list:1'],
    ['http://mirror.test/debian/', 'bookworm', 'contrib', '/etc/apt/sources.list:1'],
    ['http://mirror.test/debian/', 'bookworm', 'main', '/etc/apt/sources.list:1'],
    ['http://mirror.test/debian-security/', 'bookworm-security', 'main', '/etc/apt/s.sources:2'],
  ]);
  t.strictSame(chosen, {
    main: 'http://mirror.test/debian/',
    security: 'http://mirror.test/debian-security/',
    sourceFiles: ['/etc/apt/sources.list', '/etc/apt/s.sources'],
  });
});

t.test("accepts a mirror by any name, but not another distribution's", async (t) => {
  t.match(chooseMirror([['mirror+file:/etc/apt/mirrors/here/', 'trixie', 'main', 'a:1']]), {
    main: 'mirror+file:/etc/apt/mirrors/here/',
  });
  t.equal(chooseMirror([['http://other.test/repo/', 'stable', 'main', 'a:1']]), undefined);
  t.equal(chooseMirror([['http://ubuntu.test/ubuntu/', 'noble', 'main', 'a:1']]), undefined);
  t.equal(chooseMirror([['']]), undefined);
});

t.test('reads package records', async (t) => {
  const text = `Package: linux-kbuild-6.1
Version: 6.1.192-2
Depends: libc6 (>= 2.34)
Description: Kbuild infrastructure
 Package: not this one
Size: 1568188
SHA256: 7e85

Package: broken
Version: 1


Package: linux-source-6.1
Version: 6.1.192-2
Size: 12
SHA256: ae95
`;
  t.strictSame(parseRecords(text), [
    {
      name: 'linux-kbuild-6.1',
      version: '6.1.192-2',
      depends: 'libc6 (>= 2.34)',
      size: 1568188,
      sha256: '7e85',
    },
    { name: 'linux-source-6.1', version: '6.1.192-2', depends: '', size: 12, sha256: 'ae95' },
  ]);
});
