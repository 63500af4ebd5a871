/** history: lists past runs, newest first. */
import { endOf, type Outcome } from '../../domain/report.ts';
import { Failure } from '../../domain/failure.ts';
import { type HistoryRow, readHistory } from '../../health/history.ts';
import { Ledger } from '../../ledger/ledger.ts';
import { RUN_OUTCOMES } from '../../ledger/runs/pastRun.ts';
import { shortRunId } from '../../ledger/runs/runId.ts';
import { wholeNumber } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { withQueues } from '../queue.ts';
import { plain } from '../output/plain.ts';
import { instant, table } from '../output/table.ts';
import { withPrivateRedis } from '../target.ts';
import { fit } from '../output/wrap.ts';

function outcomeOf({ state, report }: HistoryRow): string {
  if (report === null) return state;
  return report.dryRun ? `${endOf(report)}*` : endOf(report);
}

function cellsOf(row: HistoryRow): string[] {
  return [
    plain(shortRunId(row.run)),
    row.target === null ? '-' : plain(row.target),
    instant(row.addedAt),
    outcomeOf(row),
    row.report?.pass === 'none' ? '-' : String(row.report?.coordinators.stale ?? '-'),
    String(row.report?.coordinators.swept ?? '-'),
    String(row.report?.keys.deleted ?? '-'),
    row.report ? `${(row.report.durationMs / 1000).toFixed(1)}s` : '-',
  ];
}

interface Options {
  readonly limit: string;
  readonly target?: string;
  readonly outcome?: string;
  readonly removed?: boolean;
  readonly json?: boolean;
}

function outcomeAsked(word: string | undefined): Outcome | undefined {
  const outcome = RUN_OUTCOMES.find((one) => one === word);
  if (word === undefined || outcome !== undefined) return outcome;
  throw new Failure('USAGE', `--outcome: "${plain(word)}" is none; there are: ${RUN_OUTCOMES.join(', ')}`);
}

/** Prints one run a line. */
export async function showHistory(options: Options, command: Command): Promise<void> {
  const limit = wholeNumber('--limit', options.limit, 1, 10_000);
  const outcome = outcomeAsked(options.outcome);
  const config = await withPrivateRedis(configOf(command));
  const { target, removed } = options;
  const rows = await withQueues(config, async (queues) => {
    const ledger = new Ledger(queues.connection, queues.prefix, config.process.ledger);
    return await readHistory(queues, ledger, { limit, targets: config.targets, target, outcome, removed });
  });
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
  if (rows.some(({ report }) => report?.dryRun)) console.log('* dry run: it counted, and removed nothing');
  for (const { run, failedReason } of rows)
    if (failedReason) console.log(fit(plain(`run ${shortRunId(run)}: ${failedReason}`), '    '));
}
