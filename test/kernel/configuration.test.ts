import t from 'tap';
import { compilerOf, configured } from '../../cli/kernel/configuration.js';

const CONFIGURATION = `CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0"
# CONFIG_EXT2_FS is not set
CONFIG_FS_DAX=y
CONFIG_FS_DAX_PMD=y
`;

t.test('reads values of every type', async (t) => {
  t.equal(configured(CONFIGURATION, 'FS_DAX'), 'y');
  t.equal(configured(CONFIGURATION, 'EXT2_FS'), undefined);
  t.equal(configured(CONFIGURATION, 'FS'), undefined);
  t.match(configured(CONFIGURATION, 'CC_VERSION_TEXT'), /^gcc-12 .*0$/);
});

t.test('names the compiler without its target prefix', async (t) => {
  const of = (text: string) => compilerOf(`CONFIG_CC_VERSION_TEXT="${text}"\n`);
  t.equal(of('gcc-12 (Debian 12.2.0-14) 12.2.0'), 'gcc-12');
  t.equal(of('x86_64-linux-gnu-gcc-16 (Debian 16.2.0-4) 16.2.0'), 'gcc-16');
  t.equal(of('gcc (GCC) 9.3.0'), 'gcc');
  t.equal(compilerOf(''), 'gcc');
});
