import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A script of 20 lines that nobody has run before: each call writes another one. */
let written = 0;

export function newScript(directory: string): string {
  written += 1;
  const file = join(directory, `new-${process.pid}-${written}.sh`);
  writeFileSync(file, SCRIPT.replace('NUMBER', `${process.pid}.${written}`), { mode: 0o755 });
  return file;
}

const SCRIPT = `#!/bin/bash
# Makes, links, renames and removes files, and looks whether all of them are there.
# This is script NUMBER.
set -e
mkdir from to
for number in {1..20}; do
	echo "file $number" >"from/$number"
	ln "from/$number" "to/$number"
done
for number in {1..20}; do
	mv "from/$number" "from/renamed-$number"
done
for number in {1..20}; do
	[[ $(<"to/$number") == "file $number" ]]
	[[ "to/$number" -ef "from/renamed-$number" ]]
done
rm from/renamed-*
names=(to/*)
[[ \${#names[@]} -eq 20 ]]
echo "20 files are there"
`;
