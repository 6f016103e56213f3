import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import { shapeOf } from '../../cli/findings/shape.js';

t.test('names in a message about an entry make no difference, all else does', async (t) => {
  const shape = shapeOf("Entry 'a' in /d (12) has deleted/unused inode 13.  Clear? no");
  t.ok(shape);
  for (const name of ['b', "it's", "' in /e (7) has a bad name", 'Fix? no', '(12)', '']) {
    const line = `Entry '${name}' in /d/e (7) has deleted/unused inode 99.  Clear? no`;
    t.equal(shapeOf(line), shape, name);
  }
  const others = [
    "Entry 'a' in /d (12) has invalid inode #: 13.  Clear? no",
    "Entry 'a' in /d (12) has deleted/unused inode 13.  Clear? yes",
    "Entry '..' in /d (12) has deleted/unused inode 13.  Clear? no",
    "Entry 'a' in /it's (12) has deleted/unused inode 13.  Clear? no",
    "Entry 'a' in /d (12) is a link to directory /e (13).  Clear? no",
  ];
  for (const line of others) t.not(shapeOf(line), shape, line);
  const entry = shapeOf('entry "a" in directory inode 12 references free inode 13');
  t.ok(entry);
  t.equal(shapeOf('entry "b" c" in directory inode 7 references free inode 9'), entry);
  for (const name of ['.', '..']) {
    t.equal(shapeOf(`entry "${name}" in directory inode 7 references free inode 9`), undefined);
  }
});

t.test('a log is read the same whatever came before', async (t) => {
  const names = ['a', "it's", '..', '.', "x' in /y (3) is an y", 'Clear? yes', 'b'];
  const message = (name: string) =>
    `Entry '${name}' in /d (12) has deleted/unused inode 13.  Clear? no\n\n`;
  const read = (text: string) =>
    parseFsck(`e2fsck 1.47.0 (5-Feb-2023)\nPass 2: Checking directory structure\n${text}`)
      ?.findings;
  const alone = names.map((name) => read(message(name))?.[0]);
  t.strictSame(read(names.map(message).join('')), alone);
});
