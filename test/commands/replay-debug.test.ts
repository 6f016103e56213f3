import t from 'tap';
import { CORRUPT_E2FSCK, unitSteps } from '../util/units.js';
import { recordingRig } from './recording-rig.js';

/** `replay --exact --gdb` from the command line, with a fake QEMU. */

const { recording, start, daxrepro } = recordingRig(t);

const CORRUPT = unitSteps({ fsck: { log: CORRUPT_E2FSCK, status: 4 } });

t.test('stops a replay at a point, for gdb', async (t) => {
  const recorded = await daxrepro(CORRUPT, recording);
  const run = `${recorded.run()}#1`;
  const stopped = async (at: string) => {
    const argv = ['replay', run, '--exact', '--gdb', '--at', at];
    const child = start(argv);
    let text = '';
    for await (const chunk of child.stdout) {
      text += chunk;
      if (text.includes('leave ')) break;
    }
    child.kill('SIGINT');
    const { exitCode } = await child;
    t.equal(exitCode, 0, at);
    return text;
  };
  const end = await stopped('end');
  t.match(end, /stopped +after 123,456 of 123,456 instructions/);
  t.match(end, /gdb +gdb -ex 'target remote .*\/gdb'/);
  t.match(await stopped('count:70000'), /stopped +after 70,000 of/);
  t.match(await stopped('step:unmount'), /after \d\d,\d{3} of/);
  t.match(await daxrepro([], ['replay', run, '--exact', '--gdb', '--at', 'console:nowhere']), {
    exitCode: 2,
    stderr: /does not show "nowhere"/,
  });
});
