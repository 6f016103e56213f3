import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../../cli/system/programs.js';

/** A real sshd on loopback, with keys of its own. */

/** Why there is none here; undefined if there is. */
export function noSshd(): string | undefined {
  const missing = ['sshd', 'ssh', 'ssh-keygen', 'parallel'].filter((one) => !findProgram(one));
  return missing.length > 0 ? `this machine has no ${missing.join(', ')}` : undefined;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

export class Sshd {
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    /** The file for `ssh -F`. */
    readonly config: string,
  ) {
    this.#child = child;
  }

  /**
   * @param hosts names that all lead to this machine
   * @param env what sessions have in their environment
   */
  static async start(
    directory: string,
    hosts: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Sshd> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Where sshd of Debian drops its privileges, if root starts it.
    if (process.getuid?.() === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd');
    const at = (name: string) => join(directory, name);
    for (const key of ['hostkey', 'key']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
    }
    copyFileSync(at('key.pub'), at('authorized_keys'));
    const port = await freePort();
    const settings = Object.entries(env).map(([name, value]) => `"${name}=${value}"`);
    writeFileSync(
      at('sshd_config'),
      [
        ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${at('hostkey')}`],
        ...[`AuthorizedKeysFile ${at('authorized_keys')}`, 'StrictModes no', 'UsePAM no'],
        ...['PidFile none', 'PasswordAuthentication no', 'PermitRootLogin prohibit-password'],
        ...['MaxStartups 100', `SetEnv ${settings.join(' ')}`, ''],
      ].join('\n'),
    );
    writeFileSync(
      at('config'),
      [
        ...[`Host ${hosts.join(' ')}`, 'HostName 127.0.0.1', `Port ${port}`],
        ...[`IdentityFile ${at('key')}`, 'IdentitiesOnly yes', 'StrictHostKeyChecking no'],
        ...[`UserKnownHostsFile ${at('known')}`, 'LogLevel ERROR', ''],
      ].join('\n'),
    );
    const child = spawn(findProgram('sshd') ?? 'sshd', ['-D', '-e', '-f', at('sshd_config')], {
      stdio: 'ignore',
    });
    while (!(await answers(port))) await sleep(100);
    return new Sshd(child, at('config'));
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answer = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return answer;
}
