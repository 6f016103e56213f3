import { failure, type Outcome, success } from '../outcome.js';

/** `--append` and `--sysctl`: what the user adds to the guest's kernel. */

/** Parameters that daxrepro sets itself, or that keep a guest from running, and why. */
const REFUSED: [RegExp, string][] = [
  [/^console$|^earlyprintk$|^earlycon$/, 'daxrepro reads the console that it sets up itself'],
  [/^(rd)?init$|^root$|^initrd$|^noinitrd$/, 'the guest runs from its own initramfs'],
  [/^memmap$/, 'it places the persistent memory: use --pmem and --size'],
  [/^mem$/, 'it hides memory that the devices need: use --memory'],
  [/^panic$|^reboot$|^oops$|^crashkernel$/, 'a panic has to end the guest'],
  [
    /^printk\.time$|^loglevel$|^quiet$|^debug$|^ignore_loglevel$|^log_buf_len$/,
    'daxrepro reads the log, and needs it as it is',
  ],
  [/^daxrepro_/, 'the name is reserved for daxrepro'],
  [/^pci$|^acpi$|^noapic$|^nolapic$/, 'the guest finds its devices by PCI and ACPI'],
  [/^module\.sig_enforce$|^lockdown$/, 'modules built here are not signed'],
];

const MOST = 1500;

/** Parameters of `--append`, separated by blanks: as they go onto the kernel's command line. */
export function checkAppend(text: string | undefined): Outcome<string | undefined> {
  if (text === undefined) return success(undefined);
  if (/[^\x20-\x7e]/.test(text)) {
    return failure(
      'usage',
      '--append contains a character that is not printable ASCII',
      'Give kernel parameters on one line, separated by blanks',
    );
  }
  if (text.length > MOST) {
    return failure(
      'usage',
      `--append has ${text.length} characters, more than ${MOST}`,
      'Linux cuts off command lines of more than 2048 characters: leave some parameters out',
    );
  }
  const words = text.split(' ').filter(Boolean);
  for (const word of words) {
    const name = word.replace(/=.*$/, '').replaceAll('-', '_');
    const why = REFUSED.find(([pattern]) => pattern.test(name))?.[1];
    if (why !== undefined) {
      return failure('usage', `--append ${word} is not possible: ${why}`, 'Leave it out');
    }
    if (word === '--') {
      return failure(
        'usage',
        '--append -- passes words to init, not to the kernel',
        'Leave it out',
      );
    }
  }
  return success(words.length > 0 ? words.join(' ') : undefined);
}

/** `--sysctl KEY=VALUE`, each as the guest gets it. */
export function checkSysctl(settings: readonly string[] = []): Outcome<readonly string[]> {
  for (const setting of settings) {
    const fits = /^[a-z0-9_-]+([./][A-Za-z0-9_-]+)+=[\x20-\x7e]+$/.test(setting);
    if (!fits || setting.includes('..')) {
      return failure(
        'usage',
        `--sysctl ${JSON.stringify(setting)} is not KEY=VALUE`,
        'Write it as for sysctl(8), such as vm.dirty_ratio=5',
      );
    }
  }
  return success(settings);
}
