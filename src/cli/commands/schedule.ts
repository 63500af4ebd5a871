/** schedule: when which target is cleaned. */
import type { Command } from 'commander';
import { listSchedules } from '../../queue/schedules.ts';
import { configOf, newCommand } from '../command.ts';
import { withQueues } from '../queue.ts';
import { duration, instant, table } from '../render.ts';
import { withPrivateRedis } from '../target.ts';

export const scheduleCommand = (): Command =>
  newCommand('schedule', 'list the schedules: interval or cron pattern, next and last run')
    .option('--json', 'print them as JSON')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const config = await withPrivateRedis(configOf(command));
      const rows = await withQueues(config, (queues) => listSchedules(queues, config.targets));
      if (json) {
        console.log(JSON.stringify(rows));
        return;
      }
      const timing = ({ everyMs, cron, tz }: (typeof rows)[number]) =>
        everyMs === null ? `${cron}${tz ? ` (${tz})` : ''}` : `every ${duration(everyMs)}`;
      const head = ['TARGET', 'WHEN', 'NEXT (UTC)', 'LAST (UTC)', 'LAST RUN'];
      const cells = rows.map((row) => [
        row.target,
        timing(row),
        instant(row.nextAt),
        instant(row.lastAt),
        row.lastRun ?? '-',
      ]);
      console.log(table(head, cells));
      if (rows.some(({ nextAt }) => nextAt === null)) {
        console.error('stalesweep: a schedule without a next run begins once a worker starts (stalesweep worker)');
      }
    });
