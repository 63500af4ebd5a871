/** json: an entry as `explain --json` prints it, its names as text. */
import type { Entry, Owner, SweptOnce } from './entry.ts';
import { textOf } from '../domain/nameText.ts';

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
function textOrNull(name: Buffer | null): string | null {
  return name === null ? null : textOf(name);
}

function ownerOf({ coordinator, swarm, heartbeat, silenceSeconds, state }: Owner) {
  return {
    coordinator: textOf(coordinator),
    swarm: textOrNull(swarm),
    heartbeat: textOrNull(heartbeat),
    silenceSeconds,
    state,
  };
}

function sweptOf({ run, atMs, by, lastBeatAtMs, silenceSeconds, keys, restoredAtMs, restorableUntilMs }: SweptOnce) {
  const at = new Date(atMs).toISOString();
  const [lastBeatAt, restoredAt, restorableUntil] = [lastBeatAtMs, restoredAtMs, restorableUntilMs].map(isoOf);
  return { run, at, by, lastBeatAt, silenceSeconds, keys, restoredAt, restorableUntil };
}

/** An entry in the names and order that the command promises. */
export function jsonOf({ name, kind, family, template, owners, verdict, why, swept }: Entry) {
  return {
    name: textOf(name),
    kind,
    family,
    template,
    owners: owners.map(ownerOf),
    verdict,
    why,
    swept: swept.map(sweptOf),
  };
}
