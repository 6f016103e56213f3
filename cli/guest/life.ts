import type { Shortage } from '../cpu-supply.js';
import { type Ending, endingOfQemu, type QemuEnd } from './ending.js';

/**
 * The life of a guest as a state machine. It is pure: guest.ts reports what happens as events and
 * carries out the actions.
 *
 *     starting ──ready──▶ ready ──run──▶ running ◀─run / rest─▶ resting
 *         │                 │               │                      │
 *         └─────────────────┴───────────────┴──────────────────────┴──▶ over
 *
 * A guest that is over stays over: its first ending counts.
 */

export interface GuestLimits {
  /** Seconds from QEMU's start to `ready`. */
  boot: number;
  /** Seconds without a heartbeat, since the last one or the first unit. */
  silence: number;
  /** Seconds without a heartbeat until the observer is told; shorter than `silence`. */
  notice?: number;
  /** Seconds that a guest still gets after its kernel oopsed: more is rarely useful. */
  afterOops: number;
}

export type TimerName = 'boot' | 'unit' | 'silence' | 'notice' | 'after-oops';

export interface Alive {
  phase: 'starting' | 'ready' | 'running' | 'resting';
  /** The guest's current step, in its own words. */
  step: string;
  /** The kernel's last panic message. */
  panic: string | undefined;
  oopsed: boolean;
  /** Whether the observer was told about a missing heartbeat. */
  quiet: boolean;
}

export type Life = Alive | { phase: 'over'; ending: Ending };

export type LifeEvent =
  /** The guest reported that it is ready, or a clone has its state. */
  | { type: 'ready' }
  /** It gets a unit, or continues with the next one, and has this many seconds for it. */
  | { type: 'run'; seconds: number }
  /** It waits for the host. */
  | { type: 'rest' }
  | { type: 'step'; name: string }
  | { type: 'heartbeat' }
  | { type: 'panic'; message: string }
  | { type: 'oops' }
  | { type: 'finished' }
  /**
   * A timer expired that was started with this many seconds. `shortage`: the guest got less than
   * these.
   */
  | { type: 'expired'; timer: TimerName; seconds: number; shortage?: Shortage | undefined }
  | ({ type: 'qemu-ended' } & QemuEnd)
  /** The host ends it. */
  | { type: 'end'; ending: Ending };

export type LifeAction =
  /** Starts a timer, or restarts it. */
  | { do: 'start-timer'; timer: TimerName; seconds: number }
  | { do: 'stop-timer'; timer: TimerName }
  | { do: 'tell-ready' }
  /** Undefined: the heartbeat is back. */
  | { do: 'tell-silence'; seconds: number | undefined }
  /** Stops all timers, kills QEMU, reports the ending. */
  | { do: 'bury'; ending: Ending };

export interface Transition {
  state: Life;
  actions: LifeAction[];
}

/** A guest whose QEMU has just started. */
export function born(limits: GuestLimits): Transition {
  return {
    state: { phase: 'starting', step: 'boot', panic: undefined, oopsed: false, quiet: false },
    actions: [{ do: 'start-timer', timer: 'boot', seconds: limits.boot }],
  };
}

export function transition(state: Life, event: LifeEvent, limits: GuestLimits): Transition {
  if (state.phase === 'over') return { state, actions: [] };
  switch (event.type) {
    case 'ready':
      return becomeReady(state);
    case 'run':
      return run(state, event.seconds, limits);
    case 'rest':
      if (state.phase !== 'running') return { state, actions: [] };
      return {
        state: { ...state, phase: 'resting' },
        actions: [{ do: 'stop-timer', timer: 'unit' }],
      };
    case 'step':
      return { state: { ...state, step: event.name }, actions: [] };
    case 'heartbeat':
      return hearHeartbeat(state, limits);
    case 'panic':
      return { state: { ...state, panic: event.message }, actions: [] };
    case 'oops':
      if (state.oopsed) return { state, actions: [] };
      return {
        state: { ...state, oopsed: true },
        actions: [{ do: 'start-timer', timer: 'after-oops', seconds: limits.afterOops }],
      };
    case 'finished':
      return over({ kind: 'finished' });
    case 'expired':
      return expire(state, event);
    case 'qemu-ended':
      return over(panicOf(state) ?? endingOfQemu(event, state.step));
    case 'end':
      return over(event.ending);
  }
}

function over(ending: Ending): Transition {
  return { state: { phase: 'over', ending }, actions: [{ do: 'bury', ending }] };
}

function becomeReady(state: Alive): Transition {
  if (state.phase !== 'starting') return { state, actions: [] };
  return {
    state: { ...state, phase: 'ready' },
    actions: [{ do: 'stop-timer', timer: 'boot' }, { do: 'tell-ready' }],
  };
}

/** The host waits for `ready` before it gives the guest a unit. */
function run(state: Alive, seconds: number, limits: GuestLimits): Transition {
  if (state.phase === 'starting') return { state, actions: [] };
  return {
    state: { ...state, phase: 'running' },
    actions: [
      { do: 'start-timer', timer: 'unit', seconds },
      // A clone may hang in its first unit before it has sent a heartbeat.
      ...(state.phase === 'ready' ? expectHeartbeat(limits) : []),
    ],
  };
}

function hearHeartbeat(state: Alive, limits: GuestLimits): Transition {
  return {
    state: { ...state, quiet: false },
    actions: [
      ...(state.quiet ? [{ do: 'tell-silence' as const, seconds: undefined }] : []),
      ...expectHeartbeat(limits),
    ],
  };
}

function expectHeartbeat({ silence, notice }: GuestLimits): LifeAction[] {
  return [
    ...(notice === undefined
      ? []
      : [{ do: 'start-timer' as const, timer: 'notice' as const, seconds: notice }]),
    { do: 'start-timer', timer: 'silence', seconds: silence },
  ];
}

function expire(
  state: Alive,
  { timer, seconds, shortage }: Extract<LifeEvent, { type: 'expired' }>,
): Transition {
  const { step, phase } = state;
  const short = shortage ? { shortage } : {};
  switch (timer) {
    case 'notice':
      return {
        state: { ...state, quiet: true },
        actions: [{ do: 'tell-silence', seconds }],
      };
    case 'boot':
      if (phase !== 'starting') return { state, actions: [] };
      return over(panicOf(state) ?? { kind: 'boot-timeout', seconds, ...short });
    case 'unit':
      if (phase !== 'running') return { state, actions: [] };
      return over(panicOf(state) ?? { kind: 'unit-timeout', seconds, step, ...short });
    case 'silence':
    case 'after-oops':
      return over(panicOf(state) ?? { kind: 'hang', seconds, step, ...short });
  }
}

/** If a machine stays on after its kernel's panic, the ending is the panic, whatever ended it. */
function panicOf({ panic }: Alive): Ending | undefined {
  return panic === undefined ? undefined : { kind: 'panic', message: panic };
}
