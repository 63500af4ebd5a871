/** open sightings: a target's sightings over a connection of one's own, for a run without a queue. */
import type { QueueConfig } from '../../config/resolve.ts';
import { connect } from '../../redis/connect.ts';
import { RunSightings, type RunSightingsOptions } from './runSightings.ts';
import { Sightings, sightingsKeyOf } from './sightings.ts';

export interface OpenSightings {
  readonly sightings: RunSightings;
  close(): void;
}

/** Opens them. Fails (`UNREACHABLE`) within seconds when the queue's Redis is not there. */
export async function openSightings(
  queue: QueueConfig,
  target: Parameters<typeof sightingsKeyOf>[1],
  options: RunSightingsOptions,
): Promise<OpenSightings> {
  const redis = await connect(queue, { onError: () => {} });
  const sightings = new RunSightings(new Sightings(redis, sightingsKeyOf(queue.prefix, target)), options);
  return { sightings, close: () => redis.disconnect() };
}
