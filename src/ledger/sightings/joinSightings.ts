/** join sightings: those of two runs of one target that ended at the same time, put together. */
import { Fingerprinter } from '../../store/fingerprints.ts';
import { FingerprintMap } from '../../store/fingerprintTables.ts';
import { readBlock, type Sighting, type SightingsBuilder } from './sightingsBlock.ts';

/** What a beat becomes once it is written; one at the epoch itself is none. */
const WRITTEN = 0;

/**
 * The blocks of both together; whoever stands in both comes once, with the later beat; who beat last before `sinceSeconds` is left out. Takes 15 bytes for each of them while
 * it lasts, and theirs, compressed. Rejects as `theirs` and `readBlock` do.
 */
export async function joinSightings(
  builder: SightingsBuilder,
  ours: readonly Buffer[],
  theirs: AsyncIterable<Buffer>,
  sinceSeconds = WRITTEN,
): Promise<Buffer[]> {
  const all = [...ours];
  for await (const block of theirs) all.push(block);
  const prints = new Fingerprinter();
  const latest = new FingerprintMap();
  const take = ({ coordinator, swarm }: Sighting): number => {
    prints.take(coordinator, 0, coordinator.length);
    if (swarm !== null) prints.takeFurther(swarm, 0, swarm.length);
    return latest.get(prints.high, prints.low);
  };
  for (const block of all) {
    for (const sighting of await readBlock(block)) {
      if (sighting.beatAtSeconds > take(sighting)) latest.set(prints.high, prints.low, sighting.beatAtSeconds);
    }
  }
  for (const block of all) {
    for (const sighting of await readBlock(block)) {
      const { coordinator, swarm, beatAtSeconds } = sighting;
      if (take(sighting) !== beatAtSeconds || beatAtSeconds === WRITTEN || beatAtSeconds < sinceSeconds) continue;
      builder.add(coordinator, 0, coordinator.length, swarm, 0, swarm?.length ?? 0, beatAtSeconds);
      latest.set(prints.high, prints.low, WRITTEN);
    }
  }
  return await builder.finish();
}
