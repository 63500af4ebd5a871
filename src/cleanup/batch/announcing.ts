/** announcing: what is said of those who are swept by one call, in that call. */
import { randomBytes } from 'node:crypto';
import { isoOf } from '../../domain/instant.ts';
import { textOf as nameText } from '../../domain/nameText.ts';
import { ANNOUNCED_PREFIX, type Announcement, hourOf } from '../../redis/removal/announcement.ts';
import { type Beat, BeatState } from '../../store/records.ts';
import type { Slice } from '../../store/arena.ts';
import type { RunContext } from '../context.ts';
import { NO_SWARM } from '../ownership/spellers.ts';

const TOKEN_BYTES = 9;

function textOf({ bytes, from, to }: Slice): string {
  return nameText(bytes.subarray(from, to));
}

/**
 * What is said when these go; `null` where nothing is. A chunk is sent again when its answer was lost: heartbeats that went show
 * that it ran, and it does nothing; where all have lapsed, a key does.
 */
export function announcementOf(run: RunContext, going: readonly Beat[]): Announcement | null {
  const { store, schema, spellers, target, node } = run;
  const where = target.settings.announce;
  if (where === false || going.length === 0) return null;
  const coordinators = going.map((beat) => {
    const name = store.nameOf(store.ownerOf(beat));
    const swarm = schema.heartbeatDerivable ? null : store.swarmOf(beat);
    return {
      id: textOf(name),
      swarm: swarm === null ? null : textOf(swarm),
      heartbeat: spellers.heartbeat.nameOf(name, swarm ?? NO_SWARM),
      hasLapsed: store.stateOf(beat) !== BeatState.stale,
      beatAtSeconds: store.beatAtSecondsOf(beat),
    };
  });
  const stale = coordinators.filter(({ hasLapsed }) => !hasLapsed);
  const lapsed = coordinators.filter(({ hasLapsed }) => hasLapsed);
  const nowMs = node.clock.nowSeconds * 1000 + (performance.now() - run.begunAt);
  return {
    where,
    said: { run: run.id, target: target.settings.name, at: isoOf(nowMs) },
    coordinators: [...stale, ...lapsed],
    hour: hourOf(nowMs),
    once: stale.length === 0 ? onceKey() : null,
  };
}

function onceKey(): string {
  return `${ANNOUNCED_PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}
