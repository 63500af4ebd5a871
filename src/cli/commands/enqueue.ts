/** enqueue: a run by hand, through the queue. */
import type { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import { enqueue } from '../../queue/enqueue.ts';
import { waitForRun } from '../../queue/waitForRun.ts';
import { configOf, Exit, newCommand } from '../command.ts';
import { QUIET, withQueues } from '../queue.ts';
import { renderReport } from '../render.ts';
import { targetOf, withPrivateRedis } from '../target.ts';

interface Options {
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly staleAfter?: string;
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

export const enqueueCommand = (): Command =>
  newCommand('enqueue', 'ask for a run through the queue; a worker does it')
    .option('--target <name>', 'the target to clean (default "default")')
    .option('--dry-run', 'count, but write nothing')
    .option('--stale-after <duration>', 'the silence after which a coordinator is stale, e.g. 10m')
    .option('--force', 'run even when more than maxStaleFraction looks stale')
    .option('--wait', 'wait for the run and print its report')
    .option('--json', 'print {"run": id}, with --wait the report')
    .action(async ({ staleAfter, ...options }: Options, command: Command) => {
      const config = await withPrivateRedis(configOf(command, ['staleAfter']));
      const { name } = targetOf(config, options.target);
      const data = {
        target: name,
        trigger: 'manual',
        ...(options.dryRun ? { dryRun: true } : {}),
        ...(staleAfter === undefined ? {} : { staleAfter }),
        ...(options.force ? { force: true } : {}),
      } as const;
      await withQueues(config, async (queues) => {
        const { run, joined, difference } = await enqueue(queues.runs, config.targets, data).catch((error: unknown) => {
          throw error instanceof Failure && error.code === 'JOB_DATA' ? new Failure('USAGE', error.message) : error;
        });
        const what = `run ${run} of target "${name}"`;
        if (joined) {
          const but = difference === null ? '' : `, but not as asked for: ${difference}`;
          console.error(`stalesweep: joined ${what}, which waits or runs already${but}`);
        }
        if (!options.wait) {
          console.log(options.json ? JSON.stringify({ run }) : `${what} is in the queue`);
          return;
        }
        if ((await queues.runs.getWorkersCount()) === 0) {
          console.error('stalesweep: no worker is connected; the run waits until one starts (stalesweep worker)');
        }
        const report = await waitForRun(queues, config.queue, QUIET, run);
        console.log(options.json ? JSON.stringify(report) : renderReport(report));
        if (report.outcome === 'refused') throw new Exit(1);
      });
    });
