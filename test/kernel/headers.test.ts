import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { relocateHeaders } from '../../cli/kernel/headers.js';
import { writeTree } from './fixtures.js';

t.test('lets make find the sibling packages wherever the headers are', async (t) => {
  const root = t.testdir();
  writeTree(root, {
    'usr/src/linux-headers-7.2-amd64/Makefile':
      'KBUILD_OUTPUT=/usr/src/linux-headers-7.2-amd64\ninclude /usr/src/linux-headers-7.2-common/Makefile\n',
    'usr/src/linux-headers-7.2-common/Makefile':
      'here := $(dir $(lastword $(MAKEFILE_LIST)))\nall:\n\t@echo $(realpath $(here)) $(KBUILD_OUTPUT)\n',
    'usr/lib/linux-kbuild-7.2/scripts/x': '',
  });
  await relocateHeaders(root);
  const tree = join(root, 'usr/src/linux-headers-7.2-amd64');
  const said = execFileSync('make', ['-C', tree, '--no-print-directory'], { encoding: 'utf8' });
  t.equal(said, `${join(root, 'usr/src/linux-headers-7.2-common')} ${tree}\n`);
});
