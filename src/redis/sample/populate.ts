/** populate: writes sample coordinators, to try stalesweep on. Never part of a run. */
import type { Redis } from 'ioredis';
import type { KeySchema } from '../../schema/keySchema.ts';
import { coordinatorOf, nameOf, type Sample, SWARM_SIZE, thingsOf } from './sample.ts';
import { ServerWriting, type Writing, type Written } from './writing.ts';

/** Commands per round trip: large enough to be quick, small enough not to fill Redis' buffers. */
const BATCH = 5_000;

/** Writes sample coordinators over a connection, as `writeSample` does. */
export async function populate(
  redis: Redis,
  schema: KeySchema,
  sample: Sample,
  onProgress: (written: number) => void = () => {},
): Promise<number> {
  return await writeSample(new ServerWriting(redis), schema, sample, onProgress);
}

/**
 * Writes sample coordinators; resolves to the number of keys written. What has one of their names already is overwritten.
 * @param onProgress told after each round trip how many coordinators have everything that is theirs
 */
export async function writeSample(
  to: Writing,
  schema: KeySchema,
  sample: Sample,
  onProgress: (written: number) => void = () => {},
): Promise<number> {
  const nowMs = (await to.seconds()) * 1000;
  const things = thingsOf(schema, sample);
  let keys = 0;
  let complete = 0;
  let batch: Written[] = [];
  const flush = async () => {
    await to.write(batch);
    batch = [];
    onProgress(complete);
  };
  for (const [number, nth] of turns(sample.coordinators, things.length)) {
    const thing = things[nth];
    if (thing === undefined) continue;
    const coordinator = coordinatorOf(schema, sample, nowMs, number);
    const key = Buffer.from(nameOf(thing, coordinator), 'latin1');
    batch.push({ key, value: thing.value(coordinator), ttlMs: thing.ttlMs });
    keys++;
    if (nth === things.length - 1) complete++;
    if (batch.length >= BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return keys;
}

/**
 * Who writes which of its things, in the order of a living system, where everybody writes a little at a time: in each turn
 * another member of every swarm comes in, and whoever is in writes its next thing, member after member over all swarms.
 */
function* turns(coordinators: number, things: number): Generator<readonly [number: number, thing: number]> {
  const swarms = Math.ceil(coordinators / SWARM_SIZE);
  for (let turn = 0; turn < SWARM_SIZE + things - 1; turn++) {
    const newest = Math.min(turn, SWARM_SIZE - 1);
    const oldest = Math.max(0, turn - things + 1);
    for (let member = newest; member >= oldest; member--) {
      for (let swarm = 0; swarm < swarms; swarm++) {
        const number = swarm * SWARM_SIZE + member;
        if (number < coordinators) yield [number, turn - member];
      }
    }
  }
}
