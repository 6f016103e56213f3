import t from 'tap';
import { installCommand, parseDistribution } from '../../cli/system/distribution.js';
import { missingRequirements } from '../../cli/system/programs.js';
import { ALL_PARTS } from '../../cli/system/requirements.js';
import { TWO } from './host.js';

t.test('families', async (t) => {
  const families: [string, string | undefined][] = [
    ['ID=debian', 'debian'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"', 'debian'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'fedora'],
    ['ID=manjaro\nID_LIKE=arch', 'arch'],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', 'suse'],
    ['ID=alpine', undefined],
    ['', undefined],
  ];
  for (const [text, family] of families) t.equal(parseDistribution(text).family, family, text);
  t.equal(parseDistribution('ID=void').name, 'void');
});

t.test('prints the command for the user to run', async (t) => {
  const missing = missingRequirements(ALL_PARTS, '/none', TWO);
  const command = (id: string, root = false) =>
    installCommand(missing, parseDistribution(`ID=${id}`), root);
  t.equal(command('debian'), 'sudo apt-get install -y --no-install-recommends deb deb-build');
  t.equal(command('fedora', true), 'dnf install rpm');
  t.equal(command('arch'), undefined);
  t.equal(command('alpine'), undefined);
});
