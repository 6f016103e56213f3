import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { guests, Rig, TESTS, unitFolders } from './rig.js';

/** The templates of docs/ci for many machines: their commands run, with a fake QEMU. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => parse(readFileSync(`${root}docs/ci/${name}`, 'utf8'));
const rig = new Rig(t, guests({}));

/** A plan of four chunks in `<place>/plan`, with plan.json as the job files write it. */
async function planned(): Promise<string> {
  const place = rig.directory();
  const into = join(place, 'plan');
  const words = ['plan', 'run', 'ext4', ...TESTS, ...rig.options, '--into', into, '--chunk', '1'];
  const { exitCode, stderr } = await rig.start(words);
  if (exitCode !== 0) throw new Error(stderr);
  return place;
}

const shell = (script: string, cwd: string, env: Record<string, string> = {}) =>
  execa('sh', ['-c', script], { cwd, env: rig.env(env), reject: false });

/** An indexed Job, as far as the template uses it (Kubernetes API reference, Job v1). */
const JOB = z.strictObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject({
    completionMode: z.literal('Indexed'),
    completions: z.int().positive(),
    parallelism: z.int().positive(),
    backoffLimitPerIndex: z.int(),
    maxFailedIndexes: z.int(),
    template: z.strictObject({
      spec: z.strictObject({
        restartPolicy: z.literal('Never'),
        activeDeadlineSeconds: z.int(),
        containers: z.tuple([
          z.looseObject({
            name: z.string(),
            image: z.string(),
            command: z.tuple([z.literal('sh'), z.literal('-c')]),
            args: z.tuple([z.string()]),
          }),
        ]),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});

t.test('GitHub, GitLab and Kubernetes run the chunks of one plan', async (t) => {
  const place = await planned();
  const plan = join(place, 'plan');
  const github = read('github-matrix.yml').jobs.chunk.steps as { name?: string; run?: string }[];
  const step = github.find(({ name }) => name === 'Chunk')?.run ?? '';
  const first = await shell(step.replace(/\$\{\{ matrix\.chunk \}\}/, '1'), place);
  t.equal(first.exitCode, 0, first.stderr);
  t.equal(unitFolders(plan).length, 1);

  const job = JOB.parse(read('kubernetes-job.yml'));
  const [args] = job.spec.template.spec.containers[0].args;
  const second = await shell(args.replaceAll('/plan', plan), place, { JOB_COMPLETION_INDEX: '1' });
  t.equal(second.exitCode, 0, second.stderr);
  t.equal(unitFolders(plan).length, 2);

  const [script] = read('gitlab-matrix.yml').chunk.script as [string];
  // jq lists the numbers of the chunks.
  const listed = script.replace("$(jq '.chunks[].chunk' plan.json)", '1 2 3 4');
  t.not(listed, script);
  const env = { CI_NODE_TOTAL: '2', CI_PROJECT_DIR: place };
  for (const index of ['1', '2']) {
    const ran = await shell(listed, place, { ...env, CI_NODE_INDEX: index });
    t.equal(ran.exitCode, 0, ran.stderr);
  }
  const { result, exitCode, stderr } = await rig.collect(plan);
  t.equal(exitCode, 0, stderr);
  t.equal(result.units.length, 4);
});
