import { beforeAll, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { holdAgainst } from './hold.ts';
import { SERVER_ARGS, type Stage, STRATEGIES, stageOn } from './stage.ts';

/** Each takes as long as a hundred small ones. */
const KEYSPACES = 12;
/** A failure is made as small as it gets before it is shown. */
const TIMEOUT_MS = 300_000;

const server = useRedis(SERVER_ARGS);
let stage: Stage;

beforeAll(async () => {
  stage = await stageOn(server.current);
});

test.each(STRATEGIES.map((strategy) => [strategy.name, strategy] as const))(
  'thousands of coordinators, roles in hundreds of swarms, megabytes, partitions, %s: exactly what the promises say is left, and reported (P2, P4, P6, P7, P8, P9, P11)',
  async (_, strategy) => {
    await holdAgainst(stage, 'large', strategy, KEYSPACES / STRATEGIES.length);
  },
  TIMEOUT_MS,
);
