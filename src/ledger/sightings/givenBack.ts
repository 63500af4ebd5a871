/** given back: whose things were given back from a target's trash, and when these had gone: whatever was seen of them before is no reason
 *  to take them again (P11). Kept beside the target's sightings, as ids with an instant, and put together with what stands there, so that
 *  no word of two that give back at once gets lost; nor does one by a run that began before, since runs never write here.
 *  Leaves    what follows from it to `runSightings`.
 */
import { Fingerprinter } from '../../store/fingerprints.ts';
import { FingerprintMap } from '../../store/fingerprintTables.ts';
import { joinSightings } from './joinSightings.ts';
import { type Sightings, SightingsReplaced } from './sightings.ts';
import { DamagedBlock, readBlock, SightingsBuilder } from './sightingsBlock.ts';

const DAY_SECONDS = 86_400;
/** So long after they had gone they live, unless they beat meanwhile; then they are nobody, as who never beat. */
const LIVING_SECONDS = 60 * DAY_SECONDS;
/** So long it is kept: until no run goes by what was seen of them. */
const KEPT_SECONDS = 90 * DAY_SECONDS;
/** Some million ordinary ids, for which a run takes 15 MB. */
const MOST_BYTES = 4 * 1024 * 1024;
const ATTEMPTS = 8;

/**
 * - `no`: it was not, or it has beaten since.
 * - `living`: it was, and has not been seen since.
 * - `forgotten`: the same, so long ago that nobody waits for it any more.
 */
export type Standing = 'no' | 'living' | 'forgotten';

export class GivenBack {
  readonly #wentAt = new FingerprintMap();
  readonly #prints = new Fingerprinter();
  readonly #nowSeconds = Date.now() / 1000;

  /** What stands beside these sightings. Rejects with the error of Redis. @param warn told where it is damaged */
  static async in(sightings: Sightings, warn: (sentence: string) => void): Promise<GivenBack> {
    for (let attempt = 1; ; attempt++) {
      const given = new GivenBack();
      const { damaged, blocks } = await sightings.givenBack.load();
      try {
        for await (const block of blocks()) given.#take(await readBlock(block));
        if (damaged) throw new DamagedBlock('not whole');
      } catch (error) {
        if (error instanceof SightingsReplaced && attempt < ATTEMPTS) continue;
        if (!(error instanceof DamagedBlock)) throw error;
        warn('who was given back is damaged in the ledger: where heartbeats expire they may be swept again');
      }
      return given;
    }
  }

  #take(some: Awaited<ReturnType<typeof readBlock>>): void {
    const prints = this.#prints;
    for (const { coordinator, beatAtSeconds } of some) {
      prints.take(coordinator, 0, coordinator.length);
      this.#wentAt.set(prints.high, prints.low, beatAtSeconds);
    }
  }

  get any(): boolean {
    return this.#wentAt.size > 0;
  }

  /** What that makes of somebody who was last seen to beat then. */
  standingOf(coordinator: Uint8Array, beatAtSeconds: number): Standing {
    const prints = this.#prints;
    prints.take(coordinator, 0, coordinator.length);
    const wentAt = this.#wentAt.get(prints.high, prints.low);
    if (wentAt === 0 || beatAtSeconds > wentAt) return 'no';
    return this.#nowSeconds - wentAt < LIVING_SECONDS ? 'living' : 'forgotten';
  }
}

/**
 * Notes whose things are given back, each with when they had gone, in whole seconds of the target's clock; resolves to how many do not fit.
 * Rejects with the error of Redis.
 */
export async function noteGivenBack(
  { givenBack: place }: Sightings,
  ids: ReadonlyMap<string, number>,
): Promise<number> {
  const ours = new SightingsBuilder(MOST_BYTES);
  let latest = 0;
  for (const [id, wentAt] of ids) {
    const bytes = Buffer.from(id, 'latin1');
    ours.add(bytes, 0, bytes.length, null, 0, 0, wentAt);
    latest = Math.max(latest, wentAt);
  }
  const blocks = await ours.finish();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const standing = await place.load();
    const all = new SightingsBuilder(MOST_BYTES);
    try {
      const joined = await joinSightings(all, blocks, standing.blocks(), latest - KEPT_SECONDS);
      if (await place.replace(joined, standing.version)) return ours.leftOut + all.leftOut;
    } catch (error) {
      // What is damaged is replaced by the next try, as if nothing stood there.
      if (error instanceof DamagedBlock && (await place.replace(blocks, standing.version))) return ours.leftOut;
      if (!(error instanceof SightingsReplaced || error instanceof DamagedBlock)) throw error;
    }
  }
  throw new Error('others replace it again and again');
}
