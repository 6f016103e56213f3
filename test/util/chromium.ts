import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { findProgram } from '../../cli/system/programs.js';

/**
 * A headless Chromium, controlled by the DevTools protocol over two pipes, so that it ends with us.
 * (Libraries for this that support our Node.js bring sixty packages to replace a page of code.)
 */

export const CHROMIUM = findProgram('chromium');

type Message = { id?: number; method?: string; sessionId?: string } & Record<string, unknown>;

export interface Page {
  /** Sends a command of the protocol; throws if it is refused. */
  send(method: string, parameters?: object): Promise<Record<string, unknown>>;
  /** The value of an expression, evaluated in the page; must be JSON. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Opens a file, and waits until it is loaded. */
  open(url: string): Promise<void>;
  /** Events of the protocol, in order. */
  events: Message[];
  close(): Promise<void>;
}

/** @param profile an empty directory */
export async function openChromium(profile: string): Promise<Page> {
  const child = spawn(
    CHROMIUM ?? 'chromium',
    [
      // Its sandbox refuses root, and CI runs us as root; the page is our own.
      ...[
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
      ],
      ...['--disable-background-networking', '--remote-debugging-pipe'],
      ...[`--user-data-dir=${profile}`, 'about:blank'],
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const [, , , input, output] = child.stdio as unknown as [0, 0, 0, Writable, Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, () => void>();
  const events: Message[] = [];
  let rest = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages.map((one) => JSON.parse(one) as Message)) {
      if (message.id !== undefined) waiting.get(message.id)?.(message);
      else {
        events.push(message);
        listeners.get(message.method ?? '')?.();
      }
    }
  });
  let last = 0;
  let sessionId: string | undefined;
  const send: Page['send'] = async (method, params = {}) => {
    last += 1;
    const id = last;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { error, result } = await answer;
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Record<string, unknown>;
  };
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const attached = await send('Target.attachToTarget', { targetId, flatten: true });
  sessionId = attached['sessionId'] as string;
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  return {
    send,
    events,
    async evaluate<Value>(expression: string) {
      const answer = await send('Runtime.evaluate', {
        ...{ expression, returnByValue: true, awaitPromise: true },
      });
      if (answer['exceptionDetails']) throw new Error(JSON.stringify(answer['exceptionDetails']));
      return (answer['result'] as { value: Value }).value;
    },
    async open(url) {
      const loaded = new Promise<void>((resolve) => listeners.set('Page.loadEventFired', resolve));
      await send('Page.navigate', { url });
      await loaded;
    },
    async close() {
      sessionId = undefined;
      await send('Browser.close');
      await ended;
    },
  };
}
