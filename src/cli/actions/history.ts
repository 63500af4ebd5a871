/** history: lists past runs, newest first. */
import { type HistoryRow, readHistory } from '../../queue/history.ts';
import { wholeNumber } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { withQueues } from '../queue.ts';
import { plain } from '../plain.ts';
import { instant, table } from '../table.ts';
import { withPrivateRedis } from '../target.ts';

const outcomeOf = ({ state, report }: HistoryRow): string => {
  if (report === null) return state;
  return report.dryRun ? `${report.outcome}*` : report.outcome;
};

const cellsOf = (row: HistoryRow): string[] => [
  row.run,
  row.report?.target ?? '-',
  instant(row.addedAt),
  outcomeOf(row),
  String(row.report?.coordinators.stale ?? '-'),
  String(row.report?.coordinators.swept ?? '-'),
  String(row.report?.keys.deleted ?? '-'),
  row.report ? `${(row.report.durationMs / 1000).toFixed(1)}s` : '-',
];

/** Prints one run a line. */
export async function showHistory(options: { limit: string; json?: boolean }, command: Command): Promise<void> {
  const limit = wholeNumber('--limit', options.limit, 1, 10_000);
  const config = await withPrivateRedis(configOf(command));
  const rows = await withQueues(config, (queues) => readHistory(queues.runs, limit));
  if (options.json) {
    console.log(JSON.stringify(rows));
    return;
  }
  if (rows.length === 0) {
    console.log('no runs yet');
    return;
  }
  console.log(
    table(['RUN', 'TARGET', 'ADDED (UTC)', 'OUTCOME', 'STALE', 'SWEPT', 'DELETED', 'TIME'], rows.map(cellsOf)),
  );
  if (rows.some(({ report }) => report?.dryRun)) console.log('* dry run');
  for (const { run, failedReason } of rows) if (failedReason) console.log(plain(`run ${run}: ${failedReason}`));
}
