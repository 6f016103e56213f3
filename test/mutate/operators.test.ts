import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { drawOrder } from '../../cli/mutate/draw.js';
import { reachedFunctions, scopeOf } from '../../cli/mutate/functions.js';
import { findPlaces } from '../../cli/mutate/matches.js';
import { makeMutant } from '../../cli/mutate/mutant.js';
import {
  chooseOperators,
  choosingRule,
  listingRule,
  type Operator,
  placesIn,
  readOperators,
} from '../../cli/mutate/operators.js';
import { withSameLines } from '../../cli/mutate/same-lines.js';
import { findProgram } from '../../cli/system/programs.js';
import { writeTree } from '../kernel/fixtures.js';
import { failureOf, makeKernel } from '../variant/rig.js';

const skip = findProgram('spatch') === undefined && 'there is no spatch';

const operatorNamed = (name: string) =>
  readOperators().find((one) => one.name === name) as Operator;

t.test('every operator has what listing and choosing need', async (t) => {
  const operators = readOperators();
  t.ok(operators.length >= 12);
  for (const { name, title, rule } of operators) {
    t.match(rule, /^@mutation\b/m, `${name}: the rule that changes is called mutation`);
    t.equal(rule.match(/^position p;$/gm)?.length, 1, `${name}: one position is the place`);
    t.match(title, /^[A-Z].*\.$/, `${name}: it begins with a sentence`);
  }
});

t.test('a listing changes nothing, and a choice is bound to one place', async (t) => {
  for (const operator of readOperators()) {
    const listing = listingRule(operator);
    t.notMatch(listing, /^[+-]/m, `${operator.name} lists`);
    t.match(choosingRule(operator), /^position p : script:python/m, `${operator.name} chooses`);
  }
});

t.test('places in a listing are counted from 1, unique, and in order', async (t) => {
  const output = [
    'MUTATION\tfs/ext2/super.c\t7\t0\tinit',
    'HANDLING: fs/ext2/inode.c',
    'MUTATION\tfs/ext2/inode.c\t12\t4\tb',
    'MUTATION\tfs/ext2/inode.c\t3\t9\ta',
    'MUTATION\tfs/ext2/inode.c\t12\t4\tb',
  ].join('\n');
  t.strictSame(placesIn(output), [
    { file: 'fs/ext2/inode.c', line: 3, column: 10, function: 'a' },
    { file: 'fs/ext2/inode.c', line: 12, column: 5, function: 'b' },
    { file: 'fs/ext2/super.c', line: 7, column: 1, function: 'init' },
  ]);
});

t.test('an operator that does not exist is refused', async (t) => {
  t.match(failureOf(chooseOperators('flush-dropped,nonsense')), {
    kind: 'usage',
    message: '--operators "nonsense" is not known',
    remedy: /flush-dropped/,
  });
});

/** What each operator makes of the function, by the changed lines. */
const CASES: Record<string, { code: string; mutants: string[][] }> = {
  'call-removed': {
    code: 'set_size(inode, 1);\nkfree(p);\npr_err("x");',
    mutants: [['-set_size(inode, 1);', '+;']],
  },
  'condition-negated': { code: 'if (a)\nf();', mutants: [['-if (a)', '+if (!(a))']] },
  'condition-false': { code: 'if (a)\nf();', mutants: [['-if (a)', '+if (((a), 0))']] },
  'condition-true': { code: 'if (a)\nf();', mutants: [['-if (a)', '+if (((a), 1))']] },
  'comparison-boundary': {
    code: 'x = a < b;\nx = c >= d;',
    mutants: [
      ['-x = a < b;', '+x = a <= b;'],
      ['-x = c >= d;', '+x = c > d;'],
    ],
  },
  'error-swallowed': {
    code: 'err = f(a, b);\nreturn err;',
    mutants: [
      ['-err = f(a, b);', '+(void)f(a, b), err = 0;'],
      ['-return err;', '+return 0;'],
    ],
  },
  'dirty-mark-dropped': {
    code: 'mark_inode_dirty(inode);\nx = ext4_mark_inode_dirty(handle, inode);',
    mutants: [
      ['-mark_inode_dirty(inode);', '+;'],
      ['-x = ext4_mark_inode_dirty(handle, inode);', '+x = 0;'],
    ],
  },
  'flush-dropped': {
    code: 'smp_wmb();\nreturn dax_writeback_mapping_range(mapping, dev, wbc);',
    mutants: [
      ['-smp_wmb();', '+;'],
      ['-return dax_writeback_mapping_range(mapping, dev, wbc);', '+return 0;'],
    ],
  },
  'zeroing-skipped': {
    code: 'memset(p, 0, 4);\nmemset(p, 1, 4);',
    mutants: [['-memset(p, 0, 4);', '+;']],
  },
  'flag-not-set': {
    code: 'inode->i_flags |= S_DAX;\nf(a | GFP_NOFS);',
    mutants: [
      ['-inode->i_flags |= S_DAX;', '+;'],
      ['-f(a | GFP_NOFS);', '+f(a);'],
    ],
  },
  'range-short': {
    code: 'f(inode, len, x);',
    mutants: [['-f(inode, len, x);', '+f(inode, len - 1, x);']],
  },
  'lock-not-taken': {
    code: 'down_write(&a);\ndown_write(&b);\nf();\nup_write(&b);\nup_write(&a);',
    mutants: [
      ['-down_write(&a);', '+;', '-up_write(&a);', '+;'],
      ['-down_write(&b);', '+;', '-up_write(&b);', '+;'],
    ],
  },
};

const body = (code: string) =>
  `int before(void)\n{\n\treturn 0;\n}\n\nint function(void)\n{\n${code.replaceAll(/^/gm, '\t')}\n}\n`;

async function mutantsOf(t: Test, operator: Operator, code: string) {
  const { root, kernel, context } = makeKernel(t);
  writeTree(root, { 'source/fs/ext2/inode.c': body(code), 'source/fs/ext2/super.c': '' });
  const build = kernel.build as NonNullable<typeof kernel.build>;
  const found = await findPlaces({ ...kernel, build }, 'ext2', [operator], context);
  if (!found.ok) throw new Error(JSON.stringify(found.failure));
  const patches: string[] = [];
  for (const [index, place] of found.value.entries()) {
    const scratch = join(root, `scratch-${index}`);
    const made = await makeMutant(place, operator, {
      source: build.source,
      scratch,
      signal: undefined,
    });
    if (!made.ok) throw new Error(JSON.stringify(made.failure));
    if (made.value !== undefined) patches.push(made.value);
    t.equal(place.function, 'function');
    t.equal(
      readFileSync(join(build.source, 'fs/ext2/inode.c'), 'utf8'),
      body(code),
      'the source stays',
    );
  }
  return patches;
}

t.test('each operator changes one place at a time', { skip }, async (t) => {
  t.strictSame(
    Object.keys(CASES).sort(),
    readOperators().map(({ name }) => name),
  );
  for (const [name, { code, mutants }] of Object.entries(CASES)) {
    const patches = await mutantsOf(t, operatorNamed(name), code);
    const changed = patches.map((patch) =>
      patch
        .split('\n')
        .filter((line) => /^[-+](?!--|\+\+)/.test(line))
        .map((line) => `${line[0]}${line.slice(1).trim()}`),
    );
    t.strictSame(changed, mutants, name);
    for (const patch of patches) t.match(patch, /^--- a\/fs\/ext2\/inode\.c\n\+\+\+ b\/fs\/ext2/);
  }
});

t.test(
  'a change of several lines into one keeps the numbers of the others',
  { skip },
  async (t) => {
    const [patch = ''] = await mutantsOf(
      t,
      operatorNamed('call-removed'),
      'set_size(inode,\n\t1,\n\t2);\nlast();',
    );
    t.match(patch, /@@ -(\d+),(\d+) \+\1,\2 @@/);
    t.match(patch, /-\t\t2\);\n\+\t;\n\+\n\+\n \tlast\(\);/);
  },
);

t.test('blank lines take the place of removed ones', async (t) => {
  // Of nine lines, 2 to 4 became one, 7 and 8 went, and one came after 9.
  const patch = '@@ -2,3 +2 @@\n@@ -7,2 +4,0 @@\n@@ -9 +5,2 @@\n';
  t.equal(withSameLines('1\nx\n5\n6\n9\ny', patch), '1\nx\n\n\n5\n6\n\n\n9\ny');
});

const place = (operator: string, line: number, name = 'f', file = 'fs/ext2/inode.c') => ({
  ...{ operator, file, line, column: 1, function: name },
});

t.test('the draw takes operators in turn, and depends on the seed alone', async (t) => {
  const places = [
    ...Array.from({ length: 50 }, (_, index) => place('many', index + 1)),
    place('few', 1),
    place('few', 2),
  ];
  const drawn = drawOrder(places, 1);
  t.equal(drawn.length, places.length);
  t.strictSame(
    drawn.slice(0, 5).map(({ operator }) => operator),
    ['many', 'few', 'many', 'few', 'many'],
  );
  t.strictSame(
    drawOrder(places.toReversed(), 1).filter(({ operator }) => operator === 'many'),
    drawn.filter(({ operator }) => operator === 'many'),
  );
  t.notSame(drawOrder(places, 2), drawn);
  const without = drawOrder(
    places.filter(({ line }) => line !== 7),
    1,
  );
  t.strictSame(
    without,
    drawn.filter(({ line }) => line !== 7),
    'the others keep their order',
  );
});

t.test('functions and files limit what is drawn', async (t) => {
  const includes = (options: Parameters<typeof scopeOf>[1], name: string, file: string) => {
    const scope = scopeOf('ext2', options);
    if (!scope.ok) throw new Error(scope.failure.message);
    return scope.value.includes({ function: name, file });
  };
  const inode = 'fs/ext2/inode.c';
  t.ok(includes({}, 'ext2_get_blocks', inode), 'reached');
  t.notOk(includes({}, 'ext2_error', inode), 'not reached');
  t.ok(includes({ functions: 'all' }, 'ext2_error', inode));
  t.ok(includes({ functions: 'ext2_e*' }, 'ext2_error', inode));
  t.notOk(includes({ functions: 'ext2_e*' }, 'next2_error', inode));
  t.ok(includes({ files: 'in*.c' }, 'ext2_get_blocks', inode));
  t.ok(includes({ files: 'fs/ext2/inode.c, x.c' }, 'ext2_get_blocks', inode));
  t.notOk(includes({ files: 'node.c' }, 'ext2_get_blocks', inode));
  t.match(failureOf(scopeOf('ext2', { functions: 'a b' })), { kind: 'usage' });
  t.match(failureOf(scopeOf('ext2', { functions: ',' })), { kind: 'usage' });
});

t.test('each file system has its list of functions', async (t) => {
  for (const fs of ['ext2', 'ext4', 'xfs'] as const) {
    const names = [...reachedFunctions(fs)];
    t.ok(names.length > 100, fs);
    t.ok(
      names.every((name) => /^\w+$/.test(name)),
      fs,
    );
    t.strictSame(names, names.toSorted(), `${fs}: sorted`);
  }
});
