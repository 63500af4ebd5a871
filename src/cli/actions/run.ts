/** run: one cleanup here and now, without the queue. */
import { once } from 'node:events';
import { type Ahead, StopWish } from '../../cleanup/run.ts';
import { type DirectRun, runDirectly } from '../../direct/run.ts';
import type { Report } from '../../domain/report.ts';
import { bytesOf } from '../../pages/parts/amounts.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { onEnd } from '../ending.ts';
import { Listing } from '../output/listing.ts';
import { createProgressBar } from '../output/progress.ts';
import { renderReport } from '../output/render.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { withTracing } from '../tracing.ts';
import { whoAsks } from '../whoAsks.ts';

/** How long a run that was interrupted waits for what is still open, in ms: a server that stands still may be what is. */
const LINGER_MS = 100;

interface Options {
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly list?: boolean;
  /** `--no-record` makes it false. */
  readonly record: boolean;
  readonly json?: boolean;
}

/** Prints the report, also of a run that is interrupted or fails. Fails when the run does; ends in `Exit` when it did not complete. */
export async function run(options: Options, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const target = targetOf(config, options.target);
  const stop = new AbortController();
  const unlisten = onEnd((signal) => stop.abort(new StopWish(`it was interrupted by ${signal}`, 'interrupted')));
  const bar = createProgressBar(!options.json && process.stderr.isTTY === true);
  const print = async (lines: string) => await bar.aside(async () => await printed(lines));
  const show = (report: Report) => {
    bar.stop();
    console.log(options.json ? JSON.stringify(report) : renderReport(report));
  };
  const { list } = new Listing(target.schema.families, options.json === true, print);
  try {
    const wanted: DirectRun = {
      target,
      queue: config.queue,
      ledger: config.process.ledger,
      trigger: 'cli',
      by: whoAsks(),
      dryRun: options.dryRun === true,
      force: options.force === true,
      record: options.record,
      signal: stop.signal,
      observer: { ...bar.observer, ...(options.list ? { list } : {}) },
      ...(asksFirst(options)
        ? { confirm: async (ahead) => await bar.aside(async () => await confirmed(ahead, target.name, stop)) }
        : {}),
    };
    const report = await withTracing(async () => await runDirectly({ ...wanted, failed: show }));
    show(report);
    if (report.outcome !== 'completed') throw new Exit(1);
  } finally {
    bar.stop();
    unlisten();
    if (stop.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}

/** Resolves once whoever reads it can take more. */
async function printed(lines: string): Promise<void> {
  if (!process.stdout.write(lines)) await once(process.stdout, 'drain');
}

/** Only where somebody sits there who can answer. */
function asksFirst({ yes }: Options): boolean {
  return yes !== true && process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Whether whoever sits at the terminal wants it; an empty line is a no. */
async function confirmed(
  { coordinators: { stale, active, held, unreadable }, memoryEstimateBytes }: Ahead,
  target: string,
  stop: AbortController,
): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // In a question Ctrl-C is a character, and no signal.
  terminal.once('SIGINT', () => stop.abort(new StopWish('it was interrupted by SIGINT', 'interrupted')));
  // With the terminal itself, which can't be put back as it was then: nobody says yes.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  for (const one of [terminal, process.stdin]) one.on('error', () => {});
  try {
    const others = `${active} are active, ${unreadable} unreadable${held > 0 ? `, ${held} held` : ''}`;
    const room = memoryEstimateBytes === undefined ? '' : `, about ${bytesOf(memoryEstimateBytes)}`;
    const asked = terminal.question(
      `Target "${target}": ${stale} coordinators are stale (${others}).\nRemove everything they left${room}? [y/N] `,
      { signal: stop.signal },
    );
    const answer = await Promise.race([asked, closed]);
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (stop.signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
