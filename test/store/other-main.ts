import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { success } from '../../cli/outcome.js';
import { acquireLock } from '../../cli/store/lock.js';
import { lookUp, lookUpOrMake } from '../../cli/store/store.js';
import { useWorkspace } from '../../cli/store/workspace.js';

/** See other.ts. */

const [order = '', place = '', ...more] = process.argv.slice(2);
const store = { root: place };
const say = (text: string) => process.stdout.write(`${text}\n`);

switch (order) {
  case 'lock':
    await acquireLock(place, {
      mode: more[0] === 'shared' ? 'shared' : 'exclusive',
      onWait: () => say('waits'),
    });
    say('holds');
    break;
  case 'use':
    say(`uses ${(await lookUp(store, 'things', 'one')) !== undefined}`);
    break;
  case 'make': {
    const made = await lookUpOrMake(
      store,
      'things',
      'one',
      async (directory) => {
        say('makes');
        await once(process.stdin, 'data');
        writeFileSync(join(directory, 'file'), String(process.pid));
        return success(undefined);
      },
      { onWait: () => say('waits') },
    );
    say(`has ${made.ok}`);
    break;
  }
  case 'work':
    await useWorkspace(store, 'shops', 'one', async (directory) => {
      writeFileSync(join(directory, 'half'), '');
      say('works');
      await sleep(600_000);
      return success(undefined);
    });
}
setInterval(() => {}, 60_000);
