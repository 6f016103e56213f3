#!/usr/bin/env bash
# tap's strictest comparison takes two ArrayBuffers with different bytes for the same.
#
# Version: tap 21.8.0 (npm), with its tcompare 9.3.2.
# Seen: t.strictSame, t.same and t.match pass for ArrayBuffers and DataViews of different
#   content, even of different length, and t.match passes for any two Dates. The same bytes as
#   Uint8Array fail, and Node's assert.deepStrictEqual tells the ArrayBuffers apart.
# Expected: strictSame fails unless the bytes are the same.
# Consequence: a test that compares what was read from an image as ArrayBuffer, for example
#   `await blob.arrayBuffer()`, cannot fail.

# shellcheck source=/dev/null
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"

command -v npm >/dev/null || skip 'this needs node and npm'
export npm_config_update_notifier=false
echo '{ "type": "module", "private": true }' >package.json
timeout 300 npm install --no-audit --no-fund --silent tap@21.8.0 tcompare@9.3.2 >npm.log 2>&1 ||
	skip 'npm cannot install tap 21.8.0'
node -p '"tap " + require("tap/package.json").version + ", node " + process.version'

cat >buffers.test.js <<'JS'
import t from 'tap'

const buffer = (...bytes) => Uint8Array.from(bytes).buffer
t.strictSame(buffer(1, 2), buffer(3, 4), 'strictSame of ArrayBuffers')
t.strictSame(buffer(1, 2), buffer(), 'strictSame of ArrayBuffers of other length')
t.same(new DataView(buffer(1)), new DataView(buffer(2)), 'same of DataViews')
t.match({ data: buffer(1) }, { data: buffer(2) }, 'match of ArrayBuffers in objects')
t.match(new Date('2016-02-01'), new Date('2026-02-01'), 'match of Dates')
JS
cat >arrays.test.js <<'JS'
import t from 'tap'

t.strictSame(Uint8Array.of(1, 2), Uint8Array.of(3, 4), 'strictSame of Uint8Arrays')
JS
cat >node.js <<'JS'
import assert from 'node:assert'

assert.deepStrictEqual(Uint8Array.of(1, 2).buffer, Uint8Array.of(3, 4).buffer)
JS

status=$(status_of buffers.log timeout 120 npx tap run --disable-coverage --reporter=tap buffers.test.js)
show buffers.log '^    (not )?ok'
expect 'tap passes the five comparisons of different values' [ "$status" -eq 0 ]
expect 'it ran all five' [ "$(grep -c '^    ok' buffers.log)" -eq 5 ]
status=$(status_of arrays.log timeout 120 npx tap run --disable-coverage --reporter=tap arrays.test.js)
expect 'tap fails the comparison of different Uint8Arrays' [ "$status" -ne 0 ]
status=$(status_of node.log timeout 60 node node.js)
expect 'assert.deepStrictEqual fails for the ArrayBuffers' grep -q ERR_ASSERTION node.log
