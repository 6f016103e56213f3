import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { PacedInput } from '../../cli/guest/paced-input.js';

const KIB = 1024;

async function sending(bytes: number, over: Promise<unknown> = new Promise(() => {})) {
  const paced = new PacedInput();
  const sent: Uint8Array[] = [];
  const write = async (piece: Uint8Array) => void sent.push(piece);
  const all = Buffer.from(Array.from({ length: bytes }, (_, at) => at & 255));
  let done = false;
  const ended = paced.send(all, write, over).then(() => {
    done = true;
  });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    return sent.reduce((sum, piece) => sum + piece.length, 0);
  };
  return { paced, sent, all, ended, settle, isDone: () => done };
}

t.test('sends no more than a guest has room for', async (t) => {
  const { paced, sent, all, ended, settle, isDone } = await sending(600 * KIB);
  t.equal(await settle(), 256 * KIB, 'then it waits');
  paced.received(64 * KIB);
  t.equal(await settle(), 320 * KIB);
  t.notOk(isDone());
  for (let times = 0; times < 5; times += 1) {
    paced.received(64 * KIB);
    await settle();
  }
  await ended;
  t.same(Buffer.concat(sent), all, 'everything, in order');
});

t.test('ends with the guest', async (t) => {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const { ended, settle } = await sending(600 * KIB, over);
  t.equal(await settle(), 256 * KIB);
  end();
  await ended;
  t.equal(await settle(), 256 * KIB);
});
