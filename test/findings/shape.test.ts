import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parseFsck } from '../../cli/findings/fsck.js';
import { Shape, Shapes, shapeOf } from '../../cli/findings/shape.js';

t.test('ignores only names in a message about an entry', async (t) => {
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

t.test('reads a log the same whatever came before', async (t) => {
  const names = ['a', "it's", '..', '.', "x' in /y (3) is an y", 'Clear? yes', 'b'];
  const message = (name: string) =>
    `Entry '${name}' in /d (12) has deleted/unused inode 13.  Clear? no\n\n`;
  const read = (text: string) =>
    parseFsck(`e2fsck 1.47.0 (5-Feb-2023)\nPass 2: Checking directory structure\n${text}`)
      ?.findings;
  const alone = names.map((name) => read(message(name))?.[0]);
  t.strictSame(read(names.map(message).join('')), alone);
});

const LOGS = fileURLToPath(new URL('../../fixtures/logs', import.meta.url));

/** Lines of real logs, and some made to be confused with each other. */
function manyLines(): string[] {
  const logs = readdirSync(LOGS).map((name) => readFileSync(join(LOGS, name), 'utf8'));
  const names = ['a', '.', '..', '...', "it's", '" in', "' in /d (3) has", '', '0', 'é1', '12'];
  const made = names.flatMap((name) => [
    `Entry '${name}' in /d (12) has deleted/unused inode 13.  Clear? no`,
    `Entry '${name}' in /it's (1) has deleted/unused inode 13.  Clear? no`,
    `Entry '${name}' in /d/${name} (0) has deleted/unused inode 1.  Clear? yes`,
    `entry "${name}" in directory inode 12 references free inode 13`,
    `entry "${name}" at block 0 offset 96 in directory inode 134 references free inode 135`,
    `\twould clear inode number in entry at offset ${name}...`,
    `Inode ${name}, i_blocks is ${name}, should be 8.  Fix? no`,
  ]);
  const numbers = ['0', '12', '0x0', '1.47.0', 'a0', '0a', '64bit', 'ext2', '-0', '00', '\0 0'];
  return [...logs.flatMap((log) => log.split('\n')), ...made, ...numbers];
}

t.test("matches exactly the lines with a shape's text", (t) => {
  const lines = [...new Set(manyLines())];
  const texts = lines.map(shapeOf);
  const wrong: string[][] = [];
  let fitting = 0;
  for (const text of new Set(texts)) {
    if (text === undefined) continue;
    const shape = new Shape(text);
    for (const [index, line] of lines.entries()) {
      const fits = shape.fits(line);
      if (fits) fitting += 1;
      if (fits !== (texts[index] === text)) wrong.push([text, line]);
    }
  }
  t.strictSame(wrong, []);
  t.ok(lines.length > 250 && fitting > 200, `${fitting} of ${lines.length}`);
  t.notOk(new Shape('x').fits('y'.repeat(301)));
  t.end();
});

t.test('expects shapes where they came before, within limits', (t) => {
  const shapes = new Shapes();
  const find = (line: string) => shapes.find(line) as Shape;
  t.equal(shapes.expected('a 1'), undefined);
  const [first, second] = [find('a 1'), find('b 2')];
  t.equal(find('a 7'), first);
  t.equal(shapes.expected('b 9'), second, 'b came after a');
  t.equal(shapes.expected('b 9'), undefined, 'b never came after b');
  t.equal(shapes.expected('a 3'), first);
  t.equal(shapes.joined(first, second), shapes.joined(first, second));
  t.not(shapes.joined(first, second), shapes.joined(second, first));
  t.equal(shapes.joined(first, undefined), undefined);
  const letters = (n: number) =>
    n.toString(26).replace(/\d/g, (d) => 'qrstuvwxyz'[Number(d)] ?? '');
  const many = Array.from({ length: 3000 }, (_, n) => shapes.find(`word ${letters(n)}`));
  t.equal(new Set(many).size, 1999, 'known results, and undefined');
  const pairs = many.map((one) => shapes.joined(first, one));
  t.ok(pairs.filter((one) => one !== undefined).length < 2000);
  t.equal(find('a 5'), first);
  t.end();
});
