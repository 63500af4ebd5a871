import { beforeAll, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { holdAgainst } from './hold.ts';
import { SERVER_ARGS, type Stage, STRATEGIES, stageOn } from './stage.ts';

const KEYSPACES = 600;
/** A failure is made as small as it gets before it is shown. */
const TIMEOUT_MS = 300_000;

const server = useRedis(SERVER_ARGS);
let stage: Stage;

beforeAll(async () => {
  stage = await stageOn(server.current);
});

test.each(STRATEGIES.map((strategy) => [strategy.name, strategy] as const))(
  'any schema, %s: of any keyspace exactly what the promises say is left, and reported (P2, P4, P5, P7, P8, P11)',
  async (_, strategy) => {
    await holdAgainst(stage, 'own', strategy, Math.ceil(KEYSPACES / STRATEGIES.length));
  },
  TIMEOUT_MS,
);
