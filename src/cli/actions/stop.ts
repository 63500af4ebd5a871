/** stop: asks a run to end, which its worker does after the chunk it is at. */
import { Failure } from '../../domain/failure.ts';
import { runOf, stopRun } from '../../queue/runs/stop.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { plain } from '../output/plain.ts';
import { withQueues } from '../queue.ts';
import { targetOf, withPrivateRedis } from '../target.ts';

/** Prints which run was asked to end. Fails (`RUN_FAILED`) when there is none. */
export async function stop(
  given: string | undefined,
  options: { target?: string; json?: boolean },
  command: Command,
): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  await withQueues(config, async (queues) => {
    const target = given === undefined ? targetOf(config, options.target) : null;
    const run = target === null ? given : await runOf(queues, target);
    if (run === undefined || run === null) {
      throw new Failure('RUN_FAILED', `no run of target "${target?.name}" is in progress`);
    }
    await stopRun(queues, run);
    console.log(options.json ? JSON.stringify({ run }) : plain(`run ${run} ends after its chunk`));
  });
}
