/** populate: sample coordinators, to try stalesweep on. Never part of a run. */
import type { Redis } from 'ioredis';
import { derive, type Template } from '../schema/template.ts';
import type { KeySchema } from '../schema/keySchema.ts';

export interface Sample {
  readonly coordinators: number;
  /** How many of them are stale; the first ones. */
  readonly stale: number;
  /** Keys of each family that holds a `*`. */
  readonly acks: number;
  readonly staleAfterSeconds: number;
}

/** Only a coordinator that is being blocked has one, and sample coordinators are not. */
const LEFT_OUT = 'state';
const SWARMS = 10;
/** Commands per round trip: large enough to be quick, small enough not to fill Redis' buffers. */
const BATCH = 5_000;
/** How much longer than the threshold the stale ones have been silent. */
const SILENT_FOR_SECONDS = 3_600;

const keysOf = (template: Template, id: number, acks: number): string[] => {
  const owner = { coordinator: `coordinator-${id}`, swarm: `swarm-${id % SWARMS}` };
  if (!template.wildcard) return [derive(template, owner)];
  return Array.from({ length: acks }, (_, n) =>
    derive(
      {
        ...template,
        tokens: template.tokens.map((token) => (token.kind === 'star' ? { kind: 'literal', text: `${n + 1}` } : token)),
      },
      owner,
    ),
  );
};

/**
 * Writes sample coordinators; resolves to the number of keys written.
 * @param onProgress told how many coordinators are written so far
 */
export const populate = async (
  redis: Redis,
  schema: KeySchema,
  sample: Sample,
  onProgress: (written: number) => void = () => {},
): Promise<number> => {
  const [seconds] = await redis.time();
  const nowMs = Number(seconds) * 1000;
  const staleMs = nowMs - (sample.staleAfterSeconds + SILENT_FOR_SECONDS) * 1000;
  const templates = schema.families
    .map((family, index) => (family === LEFT_OUT ? undefined : schema.templates.find((one) => one.family === index)))
    .flatMap((found) => found?.template ?? []);
  let keys = 0;
  let pipeline = redis.pipeline();
  const flush = async () => {
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    pipeline = redis.pipeline();
  };
  for (let id = 0; id < sample.coordinators; id++) {
    const timestamp = id < sample.stale ? staleMs : nowMs;
    const beat = JSON.stringify({ coordinatorId: `coordinator-${id}`, timestamp, iteration: 1 });
    for (const key of keysOf(schema.heartbeat, id, 1)) pipeline.set(Buffer.from(key, 'latin1'), beat);
    keys++;
    for (const template of templates) {
      for (const key of keysOf(template, id, sample.acks)) {
        pipeline.set(Buffer.from(key, 'latin1'), '1');
        keys++;
        if (pipeline.length >= BATCH) await flush();
      }
    }
    if (pipeline.length >= BATCH || id + 1 === sample.coordinators) {
      await flush();
      onProgress(id + 1);
    }
  }
  return keys;
};
