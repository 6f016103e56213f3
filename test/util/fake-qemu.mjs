#!/usr/bin/env -S -u NODE_OPTIONS node
/**
 * Stands in for qemu-system-x86_64. It finds its sockets where cli/guest/machine.ts puts them and runs a script,
 * a JSON array of steps (see `Step` in fake-qemu.ts). After the last step it stays alive, like a guest that
 * waits until the host ends it.
 *
 * The script is the argument after `--script`, or a file that $FAKE_QEMU_SCRIPT names. If $FAKE_QEMU_LOG names
 * a file, each start and each request is logged there as a line of JSON.
 *
 * Run it without NODE_OPTIONS: tap uses it to load code into every process of a test, which takes a second.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { createConnection, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const argv = process.argv.slice(2);
if (argv.includes('--version')) {
  console.log('QEMU emulator version 9.9.9 (fake)');
  process.exit();
}
// QEMU reacts to these signals by ending.
const terminate = (number) => {
  process.stderr.write(
    `qemu-system-x86_64: terminating on signal ${number} from pid 4711 (kill)\n`,
    () => process.exit(0),
  );
};
const signals = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 };
for (const [name, number] of Object.entries(signals)) {
  process.on(name, () => terminate(number));
}

const given = argv.indexOf('--script');
const script = JSON.parse(
  given < 0 ? readFileSync(process.env.FAKE_QEMU_SCRIPT, 'utf8') : argv[given + 1],
);
const note = (line) => {
  const log = process.env.FAKE_QEMU_LOG;
  if (log) appendFileSync(log, `${JSON.stringify({ pid: process.pid, ...line })}\n`);
};
note({ argv });

/** The descriptor of the console's file. */
const CONSOLE = 3;
const open = (fd) => new Socket({ fd, readable: true, writable: true }).on('error', () => {});
const [channel, heartbeat] = [open(4), open(5)];
/** The port of a session, if the machine has one. Its input is logged, and steps can wait for it. */
const terminal = argv.some((word) => word.includes('name=daxrepro.terminal')) ? open(7) : undefined;
let typed = '';
terminal?.on('data', (chunk) => {
  typed += chunk.toString('latin1');
  more();
});
heartbeat.resume();

/** The monitor, as far as saving and resuming need it. The saved state is one line. */
const monitor = open(6);
const STATE = 'the state of a fake\n';
const MOUNTED_STATE = 'the state of a fake with a mounted file system\n';
/** How it counts and records instructions, from -icount. */
const icount = argv[argv.indexOf('-icount') + 1] ?? '';
const [, rr, rrfile] = /rr=(record|replay),rrfile=(.*)$/.exec(icount) ?? [];
const recorded = rr === 'replay' ? JSON.parse(readFileSync(rrfile, 'utf8')) : undefined;
/** Instructions: 5000 when it is saved, 123456 at the end of a record. */
let instructions = 5000;
/** The part of the state with the count, as QEMU has it: the time apart from instructions, and their number. */
function countSection() {
  if (!argv.includes('-icount')) return '';
  const name = Buffer.from('timer/icount');
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(77n, 0);
  numbers.writeBigInt64BE(BigInt(instructions), 8);
  const head = Buffer.concat([Buffer.of(5, name.length), name, Buffer.of(0, 0, 0, 1)]);
  return Buffer.concat([head, process.env.FAKE_QEMU_ODD_COUNT ? Buffer.alloc(16) : numbers]);
}
let status;
/** Ends the machine as -no-shutdown does: it waits. */
const shutDown = (guest, reason) => {
  status = 'shutdown';
  monitor.write(`${JSON.stringify({ event: 'SHUTDOWN', data: { guest, reason } })}\r\n`);
};
let resumed = false;
/** Whether it was saved with its file system mounted. */
let mounted = false;
let go = () => {};
const going = new Promise((resolve) => {
  go = resolve;
});
const commands = {
  migrate: ({ uri }) => {
    const path = uri.replace(/^unix:/, '');
    const text = Buffer.from(request.CLONES ? MOUNTED_STATE : STATE);
    createConnection(path).end(Buffer.concat([text, Buffer.from(countSection())]));
    return {};
  },
  'query-migrate': () => ({ status: 'completed' }),
  'query-version': () => ({
    qemu: { major: Number(process.env.FAKE_QEMU_MAJOR ?? 7) },
    package: '',
  }),
  'migrate-incoming': ({ uri }) => {
    note({ uri });
    const major = Number(process.env.FAKE_QEMU_MAJOR ?? 7);
    if (uri.startsWith('fd:') && major >= 11) {
      throw new Error('fd: migration to a file is not supported. Use file: instead.');
    }
    if (uri.startsWith('file:') && major < 8) throw new Error('unknown migration protocol: file');
    const place = uri.startsWith('fd:') ? Number(uri.slice(3)) : uri.replace(/^file:/, '');
    const [state] = readFileSync(place, 'latin1').split(/(?<=\n)/);
    if (state === 'dies of this\n') {
      process.stderr.write('qemu-system-x86_64: Not a migration stream\n');
      process.exit(1);
    }
    if (state !== STATE && state !== MOUNTED_STATE) {
      throw new Error('the state is not one of ours');
    }
    resumed = true;
    mounted = state === MOUNTED_STATE;
    return {};
  },
  cont: () => {
    status = undefined;
    go();
    goOn();
    return {};
  },
  'replay-break': ({ icount }) => {
    stopAt = icount;
    return {};
  },
  stop: () => {
    if (rr === 'record') instructions = 123456;
    return {};
  },
  device_add: ({ driver, bus }) => {
    if (!resumed) throw new Error('the guest has not begun');
    if (bus === 'none') throw new Error(`Bus 'none' not found for ${driver}`);
    return {};
  },
  'query-status': () => ({ status: status ?? (resumed && !rr ? 'paused' : 'running') }),
  'query-replay': () => ({ icount: instructions, mode: rr ?? 'none' }),
  quit: () => {
    if (rr === 'record') {
      const left = { script: played, instructions: 123456 };
      writeFileSync(rrfile, JSON.stringify(left));
    }
    // What a plugin leaves, from a directory.
    const out = /,out=([^,]*)/.exec(argv[argv.indexOf('-plugin') + 1] ?? '')?.[1];
    if (out && process.env.FAKE_QEMU_SEEN) {
      cpSync(process.env.FAKE_QEMU_SEEN, out, { recursive: true });
    }
    setTimeout(() => process.exit(Number(process.env.FAKE_QEMU_QUITS ?? 0)), 5);
    return {};
  },
};
/** A replay stops after so many instructions, until it is told to continue. */
let stopAt;
let goOn = () => {};
const passes = async (count) => {
  while (stopAt !== undefined && stopAt <= count) {
    instructions = stopAt;
    stopAt = undefined;
    status = 'paused';
    monitor.write(`${JSON.stringify({ event: 'STOP' })}\r\n`);
    await new Promise((resolve) => {
      goOn = resolve;
    });
  }
  instructions = count;
};
/** The steps that ran, for a record. */
const played = [];
let asked = '';
monitor.on('data', (chunk) => {
  asked += chunk;
  const lines = asked.split('\n');
  asked = lines.pop();
  for (const line of lines) {
    const { execute, arguments: given } = JSON.parse(line);
    note({ monitor: execute });
    let answer;
    try {
      answer = { return: commands[execute]?.(given) ?? {} };
    } catch (error) {
      answer = { error: { class: 'GenericError', desc: error.message } };
    }
    monitor.write(`${JSON.stringify(answer)}\r\n`);
  }
});
monitor.write(`${JSON.stringify({ QMP: { version: {}, capabilities: [] } })}\r\n`);
for (const option of argv) {
  const file = /^memory-backend-file,id=memory,.*share=on,mem-path=(.*)$/.exec(option)?.[1];
  if (file) writeFileSync(file, 'the memory of a fake');
}

/** Resolves when the kernel has the bytes, so that they outlive this process. */
const write = (socket, bytes) => new Promise((resolve) => socket.write(bytes, resolve));

let beating = setInterval(() => {}, 1 << 30);
const beat = (milliseconds) => {
  clearInterval(beating);
  if (milliseconds > 0) {
    heartbeat.write('.');
    beating = setInterval(() => heartbeat.write('.'), milliseconds);
  } else {
    // Stays alive, like QEMU with a guest that hangs.
    beating = setInterval(() => {}, 1 << 30);
  }
};

let received = Buffer.alloc(0);
let request = {};
let more = () => {};
channel.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  more();
});

/** Reads a request as guest-scripts/lib/channel.sh does: lines up to END, then the module's bytes. */
async function takeRequest() {
  for (;;) {
    const end = received.indexOf('END\n');
    const head = end < 0 ? '' : received.subarray(0, end).toString();
    if (end >= 0 && (head === '' || head.endsWith('\n'))) {
      request = Object.fromEntries(
        head
          .split('\n')
          .filter(Boolean)
          .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]),
      );
      const size = Number(request.MODULE_BYTES ?? 0);
      const rest = received.subarray(end + 4);
      if (rest.length >= size) {
        const module = createHash('sha256').update(rest.subarray(0, size)).digest('hex');
        received = rest.subarray(size);
        for (const device of (request.CONTENTS ?? '').split(' ').filter(Boolean)) {
          note({ contents: device, extents: await takeContents() });
        }
        note({ request, ...(size > 0 ? { module } : {}), beyond: received.length });
        return;
      }
    }
    await new Promise((resolve) => {
      more = resolve;
    });
  }
}

/** Reads so many bytes. */
async function take(size) {
  while (received.length < size) {
    await new Promise((resolve) => {
      more = resolve;
    });
  }
  const bytes = received.subarray(0, size);
  received = received.subarray(size);
  return bytes;
}

/** Reads a device's contents like guest-scripts/lib/contents.pl: offsets and texts. */
async function takeContents() {
  const extents = [];
  for (;;) {
    const head = await take(16);
    const length = Number(head.readBigUInt64LE(8));
    if (length === 0) return extents;
    const offset = Number(head.readBigUInt64LE(0));
    extents.push({ offset, text: (await take(length)).toString('latin1') });
  }
}

/** Waits until the host allows the next of many tests. */
async function takeGo() {
  while (!received.toString().startsWith('go\n')) {
    await new Promise((resolve) => {
      more = resolve;
    });
  }
  received = received.subarray(3);
}

/** Examines images as the host names them, until a step ends the process. The host's questions are logged. */
async function takeLooks(looks) {
  for (;;) {
    const read = () => /^look (\d+) (\d+)\n/.exec(received.toString('latin1'));
    while (!read()) {
      await new Promise((resolve) => {
        more = resolve;
      });
    }
    const head = read();
    received = received.subarray(head[0].length);
    const [, number, length] = head;
    note({ look: Number(number), questions: (await take(Number(length))).toString() });
    await play(looks[number] ?? looks.others ?? []);
  }
}

const BEGIN = { event: 'begin', release: '6.1.0-test', bootId: 'one' };

async function play(steps) {
  for (const step of steps) {
    if (rr === 'record') played.push(step);
    if (request.CLONES && step.event?.event === 'step' && step.event.name === 'test') {
      // Like guest-scripts/lib/unit.sh, it waits to be saved.
      await write(channel, '{"event":"mounted"}\n');
      await new Promise(() => {});
    }
    if (step.console !== undefined) writeSync(CONSOLE, step.console);
    if (step.event !== undefined) await write(channel, `${JSON.stringify(step.event)}\n`);
    if (step.file !== undefined) {
      const bytes = Buffer.from(step.file.text);
      const event = { event: 'file', name: step.file.name, size: bytes.length };
      await write(channel, Buffer.concat([Buffer.from(`${JSON.stringify(event)}\n`), bytes]));
    }
    if (step.channel !== undefined) await write(channel, step.channel);
    if (step.trickle !== undefined) {
      // One byte at a time, each in a separate write.
      for (const byte of Buffer.from(step.trickle)) await write(channel, Buffer.of(byte));
    }
    if (step.flood !== undefined) {
      const piece = Buffer.alloc(1 << 20, step.flood.with ?? 'x');
      for (let sent = 0; sent < step.flood.bytes; sent += piece.length) {
        if (step.flood.console) writeSync(CONSOLE, piece);
        else await write(channel, piece);
      }
    }
    if (step.beat !== undefined) beat(step.beat);
    if (step.request !== undefined) {
      await takeRequest();
      if (mounted) await play([{ event: BEGIN }]);
    }
    if (step.go !== undefined) await takeGo();
    if (step.looks !== undefined) await takeLooks(step.looks);
    if (step.monitor !== undefined) await write(monitor, `${JSON.stringify(step.monitor)}\r\n`);
    if (step.frame !== undefined) {
      const [letter, text = ''] = step.frame;
      const bytes = Buffer.from(text, 'latin1');
      const head = Buffer.alloc(5);
      head.write(letter, 0, 'latin1');
      head.writeUInt32BE(bytes.length, 1);
      await write(terminal, Buffer.concat([head, bytes]));
    }
    if (step.typed !== undefined) {
      while (!typed.includes(step.typed)) {
        await new Promise((resolve) => {
          more = resolve;
        });
      }
      note({ typed });
    }
    if (step.contents !== undefined) note({ contents: 'later', extents: await takeContents() });
    if (step.byTest !== undefined) {
      const name = request.TOGETHER ? `together ${request.TEST}` : request.TEST;
      await play(step.byTest[name] ?? []);
    }
    if (step.sleep !== undefined) await sleep(step.sleep);
    if (step.stderr !== undefined)
      await new Promise((resolve) => process.stderr.write(step.stderr, resolve));
    if (step.deaf !== undefined) {
      for (const name of Object.keys(signals)) process.removeAllListeners(name).on(name, () => {});
    }
    if (step.kill !== undefined) {
      process.removeAllListeners(step.kill);
      process.kill(process.pid, step.kill);
      await sleep(10_000);
    }
    if (step.shutdown !== undefined) shutDown(true, step.shutdown);
    if (step.exit !== undefined) process.exit(step.exit);
  }
}

/** What a replay executes of a record: its input comes from there, and it ends like that. */
async function replay() {
  const { script: recordedSteps, instructions: end } = recorded;
  const changed = JSON.parse(process.env.FAKE_QEMU_REPLAYS ?? '{}');
  beat(50);
  const each = Math.floor(end / (recordedSteps.length + 1));
  for (const [index, step] of recordedSteps.entries()) {
    await passes(each * (index + 1));
    const { request: _, sleep: __, beat: ___, exit: ____, shutdown: _____, ...rest } = step;
    await play([rest]);
  }
  if (changed.console) writeSync(CONSOLE, changed.console);
  if (changed.event) await write(channel, `${JSON.stringify(changed.event)}\n`);
  instructions = changed.instructions ?? end;
  if (changed.dies) process.exit(1);
  if (!changed.stalls) shutDown(false, 'host-qmp-quit');
}

/** A clone does not repeat what was sent before the save, and does nothing before it is resumed. */
if (rr === 'replay') {
  await going;
  await replay();
} else if (argv.includes('-incoming')) {
  await going;
  instructions = 0;
  const ready = script.findIndex(({ event }) => event?.event === 'ready');
  beat(50);
  await play(script.slice(ready + 1));
} else {
  await play(script);
}
