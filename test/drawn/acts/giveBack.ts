/** give back: somebody, or all of a run, comes back from the trash in a story, by the story's time. */
import { SightingsBuilder, readBlock } from '../../../src/ledger/sightings/sightingsBlock.ts';
import type { Sightings } from '../../../src/ledger/sightings/sightings.ts';
import { readTrashName, TRASH_GLOB } from '../../../src/redis/trash/names.ts';
import { restore, type Wanted } from '../../../src/restore/restore.ts';
import type { targetOf } from '../../support/cleanup.ts';
import { type Ground, seenOn } from '../ground.ts';

/** As a run of a story is called: by when it was. */
export function runAt(now: number): string {
  return `at-${now}`;
}

export interface Gone {
  readonly name: string;
  readonly run: string;
  /** In the story's time. */
  readonly wentAt: number;
}

/** What lies in the trash. Each is called there by when it went, seen from the server's clock as it is now. */
export async function trashedIn({ redis }: Ground, ahead: number): Promise<readonly Gone[]> {
  const gone: Gone[] = [];
  for (const key of (await redis.callBuffer('KEYS', TRASH_GLOB)) as Buffer[]) {
    const found = readTrashName(key);
    if (found === null) continue;
    const wentAt = Number(found.run.slice(runAt(0).length - 1));
    const second = (wentAt - ahead).toString(36);
    const renamed = key.toString('latin1').replace(/^(stalesweep:trash:(?:\{[0-9a-z]+\}:)?)[^:]+/, `$1${second}`);
    await redis.rename(key, Buffer.from(renamed, 'latin1'));
    gone.push({ name: found.name.toString('latin1'), run: found.run, wentAt });
  }
  return gone;
}

/** Gives back; what was noted of whom is moved into the story's time, where it was not yet. */
export async function giveBack(ground: Ground, target: ReturnType<typeof targetOf>, what: Wanted, ahead: number) {
  const seen = seenOn(ground);
  const ledger = {
    noteRestored: async () => {},
    horizonsOf: () => ({ standing: async () => null, outageSince: async () => false, keep: async () => {} }),
    sightingsOf: () => seen,
  };
  const done = await restore(target, what, { ledger });
  await shift(seen.givenBack, ahead, Number((await ground.redis.time())[0]));
  return done;
}

async function shift(given: Sightings, ahead: number, serverNow: number): Promise<void> {
  const { version, blocks } = await given.load();
  const builder = new SightingsBuilder(1e7);
  for await (const block of blocks()) {
    for (const { coordinator, beatAtSeconds } of await readBlock(block)) {
      const at = beatAtSeconds > serverNow ? beatAtSeconds : beatAtSeconds + ahead;
      builder.add(coordinator, 0, coordinator.length, null, 0, 0, at);
    }
  }
  if (version !== null) await given.replace(await builder.finish(), version);
}
