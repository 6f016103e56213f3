import t from 'tap';
import { atLeast, compareVersions } from '../cli/kernel-version.js';

const sign = (version: string, limit: string) => {
  const difference = compareVersions(version, limit);
  return difference === undefined ? undefined : Math.sign(difference);
};

t.test('compares versions number by number, not as text', (t) => {
  const orders: [version: string, limit: string, order: number][] = [
    ['6.1.0-56-amd64', '6.2', -1],
    ['6.9.0', '6.10', -1],
    ['6.10.0', '6.9', 1],
    ['10.0', '9.9', 1],
    ['5.10.223', '6.1', -1],
    ['2.4', '2.36', -1],
    ['6.1.192', '6.1.9', 1],
  ];
  for (const [version, limit, order] of orders) {
    t.equal(sign(version, limit), order, `${version} ${limit}`);
  }
  t.end();
});

t.test('compares only as many numbers as the limit has', (t) => {
  t.equal(sign('6.1.192', '6.1'), 0);
  t.equal(sign('6.14.0-rc3', '6.14'), 0);
  t.equal(sign('6.1.0-56-amd64', '6'), 0);
  t.equal(sign('6', '6.0'), 0);
  t.equal(sign('6', '6.1'), -1);
  t.end();
});

t.test('does not compare what does not begin with a number', (t) => {
  for (const version of ['', 'linux-next', 'v6.1', '-6.1']) {
    t.equal(sign(version, '6.1'), undefined, version);
  }
  t.end();
});

t.test('atLeast includes the limit, and takes a release without a number as new', (t) => {
  t.ok(atLeast('5.8.0-1-amd64', '5.8'));
  t.ok(atLeast('6.1.0-56-amd64', '5.8'));
  t.notOk(atLeast('5.7.19', '5.8'));
  t.ok(atLeast('next-20260101', '5.8'));
  t.end();
});
