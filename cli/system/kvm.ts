import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';

/** Whether this user may open /dev/kvm. Only booting a guest shows whether KVM works. */
export type KvmDevice =
  | { state: 'absent' }
  | { state: 'denied'; remedy: string }
  | { state: 'broken'; reason: string }
  | { state: 'opens' };

export async function kvmDevice(device = '/dev/kvm', groups = '/etc/group'): Promise<KvmDevice> {
  try {
    const handle = await open(device, constants.O_RDWR);
    await handle.close();
    return { state: 'opens' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { state: 'absent' };
    if (code !== 'EACCES' && code !== 'EPERM') return { state: 'broken', reason: code ?? 'error' };
    return { state: 'denied', remedy: await accessRemedy(device, groups) };
  }
}

async function accessRemedy(device: string, groups: string): Promise<string> {
  const { mode, gid } = await stat(device);
  const name = await groupName(gid, groups);
  if ((mode & 0o060) !== 0o060 || gid === 0) return `only its owner may open ${device}`;
  return `join the group ${name}: sudo usermod -aG ${name} "$USER", then log in again`;
}

async function groupName(gid: number, groups: string): Promise<string> {
  const text = await readFile(groups, 'utf8').catch(() => '');
  const line = text.split('\n').find((one) => one.split(':')[2] === String(gid));
  return line?.split(':')[0] ?? String(gid);
}
