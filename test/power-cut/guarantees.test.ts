import t from 'tap';
import { guaranteesOf, keepsNothing, owesTheSame } from '../../cli/power-cut/guarantees.js';

// What is owed by a file system, and whether one that a test has made owes the same.

const of = (fs: 'ext2' | 'ext4' | 'xfs', mkfsOptions = '') => {
  const guarantees = guaranteesOf(fs, { mkfsOptions, mountOptions: 'dax' });
  if (!guarantees) throw new Error('no guarantees');
  return guarantees;
};

t.test('mount options that take all guarantees back', async (t) => {
  for (const options of ['nobarrier', 'rw,barrier=0,dax', 'rw,nobarrier']) {
    t.equal(keepsNothing(options), true, options);
    t.equal(guaranteesOf('ext4', { mkfsOptions: '', mountOptions: options }), undefined);
  }
  t.equal(keepsNothing('rw,barrier=1,dax=always'), false);
});

function ext({ magic = 0xef53, features = 4, journalInode = 8 } = {}): Buffer {
  const page = Buffer.alloc(4096);
  page.writeUInt16LE(magic, 1024 + 0x38);
  page.writeUInt32LE(features, 1024 + 0x5c);
  page.writeUInt32LE(journalInode, 1024 + 0xe0);
  return page;
}

t.test('ext2 and ext4: with a journal of their own, or without one, as TEST_DEV', async (t) => {
  t.equal(owesTheSame('ext4', ext(), of('ext4')), true);
  t.equal(owesTheSame('ext4', ext({ features: 0 }), of('ext4')), false);
  t.equal(owesTheSame('ext4', ext({ journalInode: 0 }), of('ext4')), false, 'on another device');
  t.equal(owesTheSame('ext4', ext({ magic: 0 }), of('ext4')), false);
  t.equal(owesTheSame('ext4', undefined, of('ext4')), false);
  const without = of('ext4', '-O ^has_journal');
  t.equal(owesTheSame('ext4', ext({ features: 0 }), without), true);
  t.equal(owesTheSame('ext4', ext(), without), false);
  t.equal(owesTheSame('ext2', ext({ features: 0x38 }), of('ext2')), true);
});

t.test('xfs: with a log of its own', async (t) => {
  const page = Buffer.alloc(4096);
  page.write('XFSB', 0, 'latin1');
  t.equal(owesTheSame('xfs', page, of('xfs')), false, 'on another device');
  page.writeBigUInt64BE(0x20004n, 48);
  t.equal(owesTheSame('xfs', page, of('xfs')), true);
  t.equal(owesTheSame('xfs', ext(), of('xfs')), false);
});
