import t from 'tap';
import { devicesNeededBy } from '../../../cli/suite/xfstests/needs.js';

t.test('a test names the devices that it needs by its functions', (t) => {
  const needs = (...lines: string[]) => devicesNeededBy(`#!/bin/bash\n${lines.join('\n')}\n`);
  t.strictSame(needs('_require_scratch', '_require_logdev'), ['log-device']);
  t.strictSame(needs('\t_require_realtime', '_require_logdev # both'), ['log-device', 'rt-device']);
  t.strictSame(needs('_require_log_writes'), ['logwrites']);
  t.strictSame(needs('_require_log_writes_dax_mountopt "dax"'), ['logwrites']);
  t.strictSame(needs('_require_no_logdev', '_require_no_realtime', '# _require_logdev'), []);
  t.end();
});
