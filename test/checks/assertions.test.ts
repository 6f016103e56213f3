import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

/*
 * Assertions that cannot fail. `t.match` accepts every array for the pattern `[]`, and `match` and `same`
 * compare the properties of an ArrayBuffer, a DataView and a URL, which have none.
 */

const TESTS = fileURLToPath(new URL('..', import.meta.url));
const OPAQUE = new Set(['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'URL']);
const COMPARING = new Set(['match', 'same', 'strictSame', 'has', 'hasStrict']);

/** The places of such assertions: `line: pattern`. */
function toothless(text: string): string[] {
  const file = ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const tell = (node: ts.Node) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${line + 1}: ${node.getText()}`);
  };
  const pattern = (node: ts.Node, method: string): void => {
    if (ts.isArrayLiteralExpression(node) && node.elements.length === 0 && method === 'match') {
      tell(node);
    }
    if (ts.isNewExpression(node)) {
      const name = node.expression.getText();
      if (OPAQUE.has(name) || (name === 'Date' && method === 'match')) tell(node);
    }
    if (ts.isCallExpression(node) || ts.isFunctionLike(node)) return;
    node.forEachChild((child) => pattern(child, method));
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const method = node.expression.name.text;
      const expected = node.arguments[1];
      if (expected && COMPARING.has(method)) pattern(expected, method);
    }
    node.forEachChild(visit);
  };
  visit(file);
  return found;
}

t.test('finds them', async (t) => {
  t.strictSame(toothless('t.match(report, {\n  findings: [] })'), ['2: []']);
  t.strictSame(toothless('t.match(at, { started: new Date(1) })'), ['1: new Date(1)']);
  t.strictSame(toothless('t.same(bytes, new ArrayBuffer(8))'), ['1: new ArrayBuffer(8)']);
  t.strictSame(
    toothless('t.strictSame(a, []); t.match(a, { length: 0 }); t.same(a, new Date(1))'),
    [],
  );
  t.strictSame(toothless('t.match(await run([]), /x/); t.match(text, pattern([]))'), []);
});

t.test('no test has one', async (t) => {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((name) => name.endsWith('.ts'));
  t.ok(sources.length > 100);
  for (const name of sources) {
    const found = toothless(readFileSync(join(TESTS, name), 'utf8'));
    if (found.length > 0) t.fail(`${name}:${found.join(', ')}`);
  }
});
