import t from 'tap';
import { interpreterOf, programsOfScript } from '../../cli/user-test/script-programs.js';

t.test('finds programs where commands begin', (t) => {
  const script = `#!/bin/bash
set -e
strace -f ls
if cmp a b && filefrag x | grep -q eof; then
  sudo perf stat true
fi
out=$(fiemap -v "$1")
LC_ALL=C sort x; ( uniq y )
for f in one two; do
  punch "$f" || exit 1
done
! missing-thing
while read -r line; do cut -f1; done < <(dmesg2)
`;
  const wanted = 'cmp cut fiemap filefrag grep missing-thing perf punch sort strace uniq'.split(
    ' ',
  );
  const found = programsOfScript(script);
  for (const name of wanted) t.ok(found.includes(name), name);
  for (const name of ['set', 'if', 'read', 'exit', 'one', 'a', 'LC_ALL', 'line', 'eof']) {
    t.notOk(found.includes(name), name);
  }
  t.end();
});

t.test('leaves out functions, strings, comments, paths, variables and here documents', (t) => {
  const script = `#!/bin/sh
helper() { stat x; }
function other { stat y; }
helper; other
echo "calls nothing1; nothing2" # nothing3
/usr/bin/nothing4
$TOOL x
cat <<EOF
nothing5 a
EOF
case $1 in
start) stat z ;;
esac
`;
  t.strictSame(programsOfScript(script), ['cat', 'stat']);
  t.end();
});

t.test('knows the interpreter', (t) => {
  t.equal(interpreterOf('#!/bin/bash\n'), '/bin/bash');
  t.equal(interpreterOf('#! /usr/bin/env python3\n'), 'python3');
  t.equal(interpreterOf('#!/usr/bin/env -S FOO=1 perl -w\n'), 'perl');
  t.equal(interpreterOf('echo\n'), undefined);
  t.end();
});
