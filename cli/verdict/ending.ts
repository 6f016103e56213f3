import type { Ending } from '../guest/guest.js';

/** Whether the guest itself broke, rather than what it runs on. */
export function isGuestsOwnFault(ending: Ending): boolean {
  switch (ending.kind) {
    case 'panic':
    case 'hang':
    case 'guest-shutdown':
      return true;
    default:
      return false;
  }
}

export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'finished':
      return 'the guest finished';
    case 'restore-failed':
      return `the guest's checkpoint could not be used: ${ending.message}`;
    case 'boot-timeout':
      return `the guest was not ready after ${ending.seconds} s`;
    case 'panic':
      return `the kernel panicked: ${ending.message}`;
    case 'hang':
      return `the guest did not respond for ${ending.seconds} s in step ${ending.step}`;
    case 'unit-timeout':
      return `the unit did not finish within ${ending.seconds} s; it was in step ${ending.step}`;
    case 'guest-shutdown':
      return `the guest shut down in step ${ending.step} without a panic on its console`;
    case 'qemu-died': {
      const how = ending.signal
        ? `was killed by ${ending.signal}`
        : `exited with code ${ending.exitCode}`;
      return `QEMU ${how}${ending.message ? `: ${ending.message.split('\n').at(-1)}` : ''}`;
    }
    case 'protocol-violation':
      return `the guest sent ${ending.problem}`;
    case 'storage':
      return `the run's files could not be written: ${ending.message}`;
    case 'interrupted':
      return 'interrupted';
  }
}
