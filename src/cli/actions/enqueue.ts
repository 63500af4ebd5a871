/** enqueue: asks for a run through the queue, and waits for it where that is wanted. */
import { Failure } from '../../domain/failure.ts';
import { findingsOf, readQueueState } from '../../health/queueState.ts';
import { isServed } from '../../queue/members.ts';
import { enqueue } from '../../queue/runs/enqueue.ts';
import type { Queues } from '../../queue/queues.ts';
import { waitForRun } from '../../queue/runs/waitForRun.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { QUIET, withQueues } from '../queue.ts';
import { renderReport } from '../output/render.ts';
import { say } from '../output/say.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { withTracing } from '../tracing.ts';
import { whoAsks } from '../whoAsks.ts';

interface Options {
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly staleAfter?: string;
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** Prints the run, or with `--wait` its report. Fails when the run does; ends in `Exit` when it is refused, or only a
 * dry run was there to join. */
export async function ask({ staleAfter, ...options }: Options, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command, ['staleAfter']));
  const { name } = targetOf(config, options.target);
  const data = {
    target: name,
    trigger: 'manual',
    ...(options.dryRun ? { dryRun: true } : {}),
    ...(staleAfter === undefined ? {} : { staleAfter }),
    ...(options.force ? { force: true } : {}),
  } as const;
  const work = async (queues: Queues): Promise<void> => {
    const { run, joined, difference, onlyDry } = await enqueue(queues.runs, config.targets, data, whoAsks()).catch(
      (error: unknown) => {
        throw error instanceof Failure && error.code === 'JOB_DATA' ? new Failure('USAGE', error.message) : error;
      },
    );
    const what = `run ${run} of target "${name}"`;
    if (joined) {
      const but = difference === null ? '' : `, but not as asked for: ${difference}`;
      say(`joined ${what}, which waits or runs already${but}`);
    }
    for (const { check, status, message } of findingsOf(await readQueueState(queues, config.targets))) {
      if (status !== 'ok' && check !== 'workers' && check !== 'schedules') say(message);
    }
    if (!(await isServed(queues))) {
      say('no worker is connected; the run waits until one starts (stalesweep worker)');
    }
    if (!options.wait) {
      const asked = { run, joined, ...(difference === null ? {} : { difference }) };
      console.log(options.json ? JSON.stringify(asked) : `${what} is in the queue`);
      if (onlyDry) throw new Exit(1);
      return;
    }
    const report = await waitForRun(queues, config.queue, QUIET, run);
    console.log(options.json ? JSON.stringify(report) : renderReport(report));
    if (report.outcome === 'refused' || report.outcome === 'stopped' || onlyDry) throw new Exit(1);
  };
  await withTracing(async () => await withQueues(config, work));
}
