/** schedule: lists when which target is cleaned. */
import { listSchedules } from '../../queue/schedules/scheduleList.ts';
import { readQueueState, warningsOf } from '../../health/queueState.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { withQueues } from '../queue.ts';
import { say } from '../output/say.ts';
import { duration, instant, table } from '../output/table.ts';
import { withPrivateRedis } from '../target.ts';

/** Prints one schedule a line. */
export async function showSchedules({ json }: { json?: boolean }, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const [rows, state] = await withQueues(config, async (queues) => [
    await listSchedules(queues, config.targets),
    await readQueueState(queues, config.targets),
  ]);
  for (const warning of warningsOf(state)) say(warning);
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
  if (state.refuses === null && rows.some(({ nextAt }) => nextAt === null)) {
    say('a schedule without a next run begins once a worker starts (stalesweep worker)');
  }
}
