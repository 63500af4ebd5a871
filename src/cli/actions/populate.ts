/** populate: writes sample coordinators. */
import { parseSetting } from '../../config/complaint.ts';
import { duration } from '../../config/values/values.ts';
import { Failure } from '../../domain/failure.ts';
import { writeSample } from '../../redis/sample/populate.ts';
import { openWriting } from '../../redis/sample/openWriting.ts';
import { wholeNumber } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { targetOf, withPrivateRedis } from '../target.ts';

interface Options {
  readonly coordinators: string;
  readonly stale: string;
  readonly acks: string;
  readonly idempotency: string;
  readonly ttl?: string;
  readonly target?: string;
  readonly force?: boolean;
}

/** Prints how much was written. Fails (`USAGE`) when the database is not empty and nobody said `--force`. */
export async function fill(options: Options, command: Command): Promise<void> {
  const coordinators = wholeNumber('--coordinators', options.coordinators, 1);
  const stale = wholeNumber('--stale', options.stale, 0, coordinators);
  const acks = wholeNumber('--acks', options.acks, 0, 1_000_000);
  const idempotency = wholeNumber('--idempotency', options.idempotency, 0, 1_000_000);
  const ttlMs = options.ttl === undefined ? undefined : Math.round(parseSetting(duration(1), options.ttl, '--ttl'));
  const target = targetOf(await withPrivateRedis(configOf(command)), options.target);
  const writing = await openWriting(target);
  try {
    const size = await writing.size();
    if (size > 0 && !options.force) {
      throw new Failure('USAGE', `the database holds ${size} keys; use an empty one, or --force to add to it`);
    }
    const { schema, staleAfterSeconds } = target;
    const sample = { coordinators, stale, acks, idempotency, staleAfterSeconds, ttlMs };
    const keys = await writeSample(writing, schema, sample);
    console.log(`wrote ${coordinators} coordinators, ${stale} of them stale, in ${keys} keys`);
  } finally {
    writing.close();
  }
}
