/** holds: the tests of this room: in each strategy, worlds of one kind are held against the model. */
import { beforeAll, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { holdAgainst, type Worlds } from './hold.ts';
import { SERVER_ARGS, type Stage, STRATEGIES, stageOn } from './stage.ts';

/** A failure is made as small as it gets before it is shown. */
const TIMEOUT_MS = 300_000;

/** Tries so many worlds of a kind, as many in each strategy, on a Redis of this file's own; `promise` begins with the strategy. */
export function holds(kind: Worlds, keyspaces: number, promise: string): void {
  const server = useRedis(SERVER_ARGS);
  let stage: Stage;
  beforeAll(async () => {
    stage = await stageOn(server.current);
  });
  test.each(STRATEGIES.map((strategy) => [strategy.name, strategy] as const))(
    `%s: ${promise}`,
    async (_, strategy) => {
      await holdAgainst(stage, kind, strategy, Math.ceil(keyspaces / STRATEGIES.length));
    },
    TIMEOUT_MS,
  );
}
