import t from 'tap';
import { moduleName, readModuleIndex, selectModules } from '../../cli/kernel/module-index.js';

const FILES = {
  'modules.dep': [
    'kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/fs/mbcache.ko.xz',
    'kernel/fs/jbd2/jbd2.ko.xz:',
    'kernel/fs/mbcache.ko.xz:',
    'kernel/arch/x86/crypto/crc32c-intel.ko.xz:',
    'kernel/crypto/crc32c_generic.ko.xz:',
    'kernel/fs/xfs/xfs.ko.xz:',
    '',
  ].join('\n'),
  'modules.builtin': 'kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/fuse/virtio-fs.ko\n',
  'modules.softdep':
    '# comment\nsoftdep ext4 pre: crypto-crc32c\nsoftdep jbd2 post: no-such-alias\n',
  'modules.alias': [
    '# comment',
    'alias crypto-crc32c crc32c_intel',
    'alias crypto-crc32c crc32c_generic',
    'alias pci:v*d* something',
    '',
  ].join('\n'),
};

t.test('treats - and _ in module names as the kernel does', async (t) => {
  t.equal(moduleName('kernel/crypto/crc32c-intel.ko.zst'), 'crc32c_intel');
  t.equal(moduleName('ext4'), 'ext4');
});

t.test('selects all dependencies, also through aliases', async (t) => {
  const index = await readModuleIndex(t.testdir(FILES));
  t.strictSame(selectModules(index, ['ext4', 'virtio-pci', 'virtio_fs', 'nothing']), {
    modules: ['crc32c_generic', 'crc32c_intel', 'ext4', 'jbd2', 'mbcache'],
    builtIn: ['virtio_pci', 'virtio_fs'],
    absent: ['nothing'],
  });
  t.strictSame(selectModules(index, ['crc32c-intel']).modules, ['crc32c_intel']);
});

t.test('finds no modules in a directory without index files', async (t) => {
  const index = await readModuleIndex(t.testdir());
  t.strictSame(selectModules(index, ['ext4']), { modules: [], builtIn: [], absent: ['ext4'] });
});
