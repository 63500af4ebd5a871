/** populate: sample coordinators, to try things on. */
import type { Command } from 'commander';
import { parseSetting } from '../../config/resolve.ts';
import { duration } from '../../config/values.ts';
import { Failure } from '../../domain/failure.ts';
import { connect } from '../../redis/connect.ts';
import { populate } from '../../redis/populate.ts';
import { configOf, newCommand, wholeNumber } from '../command.ts';
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

export const populateCommand = (): Command =>
  newCommand('populate', 'write sample coordinators into an empty database', ['schema'])
    .requiredOption('--coordinators <count>', 'how many coordinators')
    .requiredOption('--stale <count>', 'how many of them are stale')
    .option('--acks <count>', 'acknowledgements of each', '2')
    .option('--idempotency <count>', 'idempotency keys that each sends to its neighbour', '1')
    .option('--ttl <duration>', 'heartbeats expire after this (default: never)')
    .option('--target <name>', 'the target to write to (default "default")')
    .option('--force', 'write even when the database is not empty')
    .action(async (options: Options, command: Command) => {
      const coordinators = wholeNumber('--coordinators', options.coordinators, 1);
      const stale = wholeNumber('--stale', options.stale, 0, coordinators);
      const acks = wholeNumber('--acks', options.acks, 0, 1_000_000);
      const idempotency = wholeNumber('--idempotency', options.idempotency, 0, 1_000_000);
      const ttlMs = options.ttl === undefined ? undefined : Math.round(parseSetting(duration(1), options.ttl, '--ttl'));
      const target = targetOf(await withPrivateRedis(configOf(command)), options.target);
      const redis = await connect(target);
      try {
        const size = await redis.dbsize();
        if (size > 0 && !options.force) {
          throw new Failure('USAGE', `the database holds ${size} keys; use an empty one, or --force to add to it`);
        }
        const { schema, staleAfterSeconds } = target;
        const sample = { coordinators, stale, acks, idempotency, staleAfterSeconds, ttlMs };
        const keys = await populate(redis, schema, sample);
        console.log(`wrote ${coordinators} coordinators, ${stale} of them stale, in ${keys} keys`);
      } finally {
        redis.disconnect();
      }
    });
