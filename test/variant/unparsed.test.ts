import { join } from 'node:path';
import t from 'tap';
import { changedWords, unparsedRegions } from '../../cli/variant/unparsed.js';
import { prependPath } from '../kernel/context.js';
import { makeProgram } from '../kernel/fixtures.js';
import { failureOf, makeKernel } from './rig.js';

/** Output of spatch 1.1.1, shortened. */
const OUTPUT = `PARSING: fs/ext4/mmp.c
ERROR-RECOV: found sync '}' at line 14
parse error
 = File "fs/ext4/mmp.c", line 10, column 19, charpos = 134
  around = '{',
  whole content = 	scoped_guard(rcu) {
badcount: 8
bad: }
bad:
bad: static int two(int a)
bad: {
BAD:!!!!! 	scoped_guard(rcu) {
bad: 		write_it(a);
bad: 	}
bad: 	return 0;
bad: }
NB total files = 1; perfect = 0; pbs = 1; timeout = 0; =========> 0%
`;

t.test('finds the words of changed lines, without metavariables and keywords', async (t) => {
  const cocci = `// a comment
@first@
expression e;
identifier f;
@@
 f(...) {
-	if (write_it(e, "text"))
-		return e;
+	other(e);
 }

@ second depends on first @
identifier q;
@@
- a->b = sync(c) // why
`;
  t.strictSame(changedWords(cocci), [['write_it'], ['a', 'b', 'sync', 'c']]);
  t.strictSame(changedWords('@@ expression e; @@\n- write_it(e)\n+ other(e)\n'), [['write_it']]);
  const adds = '@@ expression e; @@\n begin_it(e);\n+ added();\n ...\n';
  t.strictSame(changedWords(adds), [['begin_it']], 'the lines around what is only added');
  t.strictSame(
    changedWords('@@ expression e; @@\n begin_it(e);\n'),
    [],
    'a rule that changes nothing',
  );
  const any = '@@ identifier f; expression e; @@\n- f(e);\n+ added();\n';
  t.strictSame(changedWords(any), [[]], 'only metavariables: any code');
});

t.test('finds regions that spatch could not parse', async (t) => {
  t.match(unparsedRegions(OUTPUT), [{ file: 'fs/ext4/mmp.c', line: 10, text: /write_it\(a\)/ }]);
  t.strictSame(unparsedRegions('NB total files = 1; perfect = 1; pbs = 0'), []);
});

t.test('rejects a semantic patch that is only half applied', async (t) => {
  const made = makeKernel(t);
  const bin = join(made.root, 'bin');
  makeProgram(
    bin,
    'spatch',
    `case " $* " in
*' --parse-c '*) for last; do :; done
  case $last in
  */fs/ext2/inode.c) printf 'parse error\\n = File "%s", line 10, column 1\\nbad: {\\nBAD:!!!!! %s\\nbad: }\\n' "$last" "line 10;" ;;
  esac ;;
*) sed -i 's/^line 11;/changed 11;/' fs/ext2/inode.c ;;
esac`,
  );
  prependPath(t, bin);
  const half = made.file('half.cocci', '@@ @@\n- line\n+ changed\n');
  t.match(failureOf(await made.apply([half])), {
    kind: 'change-rejected',
    message: /half\.cocci is only half applied: .* in fs\/ext2\/inode\.c, near line 10/,
    remedy: /skip unparsed/,
    detail: /line 10;/,
  });
  const allowed = made.file(
    'allowed.cocci',
    '// daxrepro: skip unparsed\n@@ @@\n- line\n+ changed\n',
  );
  t.ok((await made.apply([allowed])).ok);
  for (const [name, rule] of [
    ['adds.cocci', ' line\n+ changed\n'],
    ['any.cocci', '- f(...);\n+ changed\n'],
  ] as const) {
    const applied = await made.apply([made.file(name, `@@ identifier f; @@\n${rule}`)]);
    t.match(failureOf(applied), { kind: 'change-rejected', message: /only half applied/ }, name);
  }
  const others = made.file('others.cocci', '@@ @@\n- nowhere(x)\n+ changed\n');
  t.ok((await made.apply([others])).ok);
});
