import { parseCount, parseSeconds } from '../options.js';
import { failure, type Outcome, success } from '../outcome.js';
import { z } from '../schema.js';

/** What `--on` names: an engine that runs the chunks of a plan on other machines. */

export const engineSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('slurm'),
    partition: z.string().optional(),
    account: z.string().optional(),
    /** Nodes to plan for. */
    nodes: z.number().optional(),
    /** The most tasks at a time. */
    max: z.number().optional(),
    /** Seconds that a task may take, instead of our own limit. */
    time: z.number().optional(),
  }),
  z.object({
    type: z.literal('ssh'),
    /** `jobs`: guests at a time; undefined: as many as fit. */
    hosts: z.array(z.object({ host: z.string(), jobs: z.number().optional() })),
  }),
]);

export type EngineRequest = z.infer<typeof engineSchema>;
export type SlurmRequest = EngineRequest & { type: 'slurm' };
export type SshRequest = EngineRequest & { type: 'ssh' };

const FORMS = 'Give slurm, slurm:partition=NAME,nodes=N,max=N, or ssh:HOST[:JOBS],HOST[:JOBS]';

export function parseEngine(text: string): Outcome<EngineRequest> {
  const [, type, rest] = /^(slurm|ssh)(?::(.*))?$/s.exec(text) ?? [];
  const words = (rest ?? '').split(',').filter((word) => word !== '');
  if (type === 'slurm') return parseSlurm(words);
  if (type === 'ssh' && words.length > 0) return parseSsh(words);
  return wrong(`--on ${JSON.stringify(text)} is not an engine`);
}

function wrong(what: string): Outcome<never> {
  return failure('usage', what, FORMS);
}

function parseSlurm(words: readonly string[]): Outcome<EngineRequest> {
  const request: SlurmRequest = { type: 'slurm' };
  for (const word of words) {
    const [, name = '', value = ''] = /^(\w+)=(.+)$/.exec(word) ?? [];
    if ((name === 'partition' || name === 'account') && /^[A-Za-z0-9][\w.-]*$/.test(value)) {
      request[name] = value;
    } else if (name === 'nodes' || name === 'max') {
      const count = parseCount(name, value, 1, 100_000);
      if (!count.ok) return count;
      request[name] = count.value;
    } else if (name === 'time') {
      const time = parseSeconds(value);
      if (!time.ok) return time;
      request.time = time.value;
    } else {
      return wrong(`--on slurm does not know ${JSON.stringify(word)}`);
    }
  }
  return success(request);
}

/** No more than a login: options and commands of ssh stay in its configuration. */
const HOST = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*$/;

function parseSsh(words: readonly string[]): Outcome<EngineRequest> {
  const hosts: SshRequest['hosts'] = [];
  for (const word of words) {
    const [, host = '', jobs] = /^(.*?)(?::(\d+))?$/.exec(word) ?? [];
    if (!HOST.test(host))
      return wrong(`--on ssh: ${JSON.stringify(word)} is not HOST or HOST:JOBS`);
    if (hosts.some((one) => one.host === host)) {
      return failure(
        'usage',
        `--on ssh names ${host} twice`,
        'Give HOST:JOBS for more guests on it',
      );
    }
    const count = jobs === undefined ? success(undefined) : parseCount(`${host}:`, jobs, 1, 512);
    if (!count.ok) return count;
    hosts.push({ host, ...(count.value === undefined ? {} : { jobs: count.value }) });
  }
  return success({ type: 'ssh', hosts });
}

/** Chunks that run at a time, as far as the request says. */
export function widthOf(request: EngineRequest): number {
  if (request.type === 'ssh') {
    return request.hosts.reduce((sum, { jobs = 1 }) => sum + jobs, 0);
  }
  return request.max ?? request.nodes ?? 4;
}
/** Refuses options that decide while units run which units run next. */
export function checkPlannable(
  options: Partial<
    Record<'untilFail' | 'soak' | 'untilKnown' | 'dryRun' | 'rerunFailures', unknown>
  >,
): Outcome<void> {
  const given = UNPLANNABLE.find(
    ([name]) => options[name] !== undefined && options[name] !== false,
  );
  if (!given) return success(undefined);
  return failure(
    'usage',
    `${given[1]} cannot be planned: ${given[2]}`,
    'Leave it out, or run on one machine',
  );
}

const UNPLANNABLE = [
  ['untilFail', '--until-fail', 'each result decides whether another unit runs'],
  ['soak', '--soak', 'the time decides how many units run'],
  ['untilKnown', '--until-known', 'each result decides whether another unit runs'],
  ['dryRun', '--dry-run', 'it runs nothing'],
  ['rerunFailures', '--rerun-failures', 'it replays a run that is over'],
] as const;
