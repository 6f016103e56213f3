import type { GuestEvent } from '../guest/protocol.js';

export type EventNamed<Name extends GuestEvent['event']> = Extract<GuestEvent, { event: Name }>;

/** The events of this name, in the order they came. */
export function eventsOf<Name extends GuestEvent['event']>(
  { events }: { events: readonly GuestEvent[] },
  name: Name,
): EventNamed<Name>[] {
  return events.filter((event): event is EventNamed<Name> => event.event === name);
}
