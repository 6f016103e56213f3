import t from 'tap';
import { parseEngine, widthOf } from '../../cli/engines/request.js';

t.test('engines', async (t) => {
  const parsed = (text: string) => {
    const request = parseEngine(text);
    return request.ok ? request.value : request.failure.message;
  };
  t.strictSame(parsed('slurm'), { type: 'slurm' });
  t.strictSame(parsed('slurm:partition=dax,nodes=3,max=100,account=a-b,time=2h'), {
    ...{ type: 'slurm', partition: 'dax', nodes: 3, max: 100, account: 'a-b', time: 7200 },
  });
  t.strictSame(parsed('ssh:n1,me@n2.example.org:4'), {
    type: 'ssh',
    hosts: [{ host: 'n1' }, { host: 'me@n2.example.org', jobs: 4 }],
  });
  for (const text of [
    ...['', 'pbs', 'slurm:nodes', 'slurm:nodes=0', 'slurm:partition=--wrap', 'slurm:x=1', 'ssh'],
    ...[
      'ssh:',
      'ssh:-oProxyCommand=x',
      'ssh:n1:0',
      'ssh:n1 n2',
      'ssh:n1;x',
      'ssh:n1,n1:2',
      'ssh:$(x)',
    ],
  ]) {
    t.type(parsed(text), 'string', text);
  }
});

t.test('how many chunks run at a time', async (t) => {
  t.equal(widthOf({ type: 'slurm', nodes: 3 }), 3);
  t.equal(widthOf({ type: 'slurm', nodes: 3, max: 8 }), 8);
  t.equal(widthOf({ type: 'ssh', hosts: [{ host: 'a' }, { host: 'b', jobs: 4 }] }), 5);
});
