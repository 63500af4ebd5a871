/** run: one cleanup here and now, without the queue. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Ahead, runCleanup, StopWish } from '../../cleanup/run.ts';
import { fingerprintOf } from '../../config/fingerprint.ts';
import type { Config, TargetConfig } from '../../config/resolve.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import { RunFollower } from '../../ledger/followRun.ts';
import { type OpenLedger, openLedger } from '../../ledger/openLedger.ts';
import { outagesOf } from '../../ledger/outagesOf.ts';
import { pastOf } from '../../ledger/past.ts';
import { RunRecorder, type RunToRecord } from '../../ledger/recorder.ts';
import { explain } from '../../redis/explain.ts';
import { keepLook } from '../../status/keepLook.ts';
import { openTarget } from '../../redis/target/contact.ts';
import type { Target } from '../../redis/target/target.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { Listing } from '../listing.ts';
import { createProgressBar } from '../progress.ts';
import { megabytes, renderReport } from '../render.ts';
import { targetOf, withPrivateRedis } from '../target.ts';
import { whoAsks } from '../whoAsks.ts';

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

type Warn = (sentence: string) => void;

/** Prints the report, also of a run that is interrupted. Fails when the run does; ends in `Exit` when it did not complete. */
export async function run(options: Options, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const settings = targetOf(config, options.target);
  const stop = new AbortController();
  const onSignal = (signal: string) => stop.abort(new StopWish(`it was interrupted by ${signal}`, 'interrupted'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const bar = createProgressBar(!options.json && process.stderr.isTTY === true);
  const dryRun = options.dryRun === true || settings.mode === 'observe';
  const warn: Warn = (sentence) => bar.observer.warn?.(sentence);
  let target: Target | null = null;
  let past = null as OpenLedger | null;
  let recorder: RunRecorder | null = null;
  try {
    // Once the target has answered: where it does not, nothing else matters.
    const outages = async (nowMs: number) => {
      past = await openPast(config, warn);
      return past === null ? [] : await outagesOf(past.ledger, settings, nowMs, stop.signal);
    };
    target = await openTarget(settings, { dryRun, signal: stop.signal, warn, outages });
    const id = randomUUID();
    // Of dry runs, those of the queue are recorded.
    const records = options.record && !dryRun;
    recorder = recorderOf(records ? past : null, settings, id, warn);
    await recorder.begin();
    const request = {
      run: id,
      trigger: 'cli',
      dryRun,
      staleAfterSeconds: settings.staleAfterSeconds,
      force: options.force === true,
      attempts: 1,
      carried: null,
      startedAt: Date.now(),
    } as const;
    const follower = new RunFollower(recorder);
    const print = async (lines: string) => await bar.aside(async () => await printed(lines));
    const { list } = new Listing(settings.schema.families, options.json === true, print);
    const report = await runCleanup(target, request, {
      observer: {
        ...bar.observer,
        ...(records && past !== null ? { condemn: async (next) => await follower.condemn(next) } : {}),
        ...(records && past !== null ? { removed: (removed) => follower.removed(removed) } : {}),
        ...(options.list ? { list } : {}),
        phase: (phase) => recorder?.phase(phase),
        progress: (phase, tally) => {
          bar.observer.progress?.(phase, tally);
          recorder?.progress({ swept: tally.swept, deleted: tally.keys });
        },
      },
      signal: stop.signal,
      ...(asksFirst(options)
        ? { confirm: async (ahead) => await bar.aside(async () => await confirmed(ahead, settings.name, stop)) }
        : {}),
      ...(past === null
        ? {}
        : {
            sightings: past.sightingsOf(settings, { mostBytes: settings.sightings, readOnly: dryRun, warn }),
            past: await pastOf(past.ledger, settings.name, fingerprintOf(settings)).catch(() => null),
          }),
    });
    follower.finish();
    await recorder.end({ outcome: report.outcome, report });
    bar.stop();
    console.log(options.json ? JSON.stringify(report) : renderReport(report));
    if (past !== null && records) await keepLook(past.ledger, target, report, stop.signal);
    if (report.outcome !== 'completed') throw new Exit(1);
  } catch (error) {
    bar.stop();
    const known = error instanceof Exit ? error : explain(error, settings);
    if (!(known instanceof Exit)) await recorder?.end({ outcome: 'failed', reason: sentenceOf(known) });
    if (known instanceof Exit || known instanceof Failure) throw known;
    throw new Failure('RUN_FAILED', `the run failed: ${sentenceOf(known)}`, { cause: known });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    target?.close();
    past?.close();
  }
}

/** Resolves once whoever reads it can take more. */
async function printed(lines: string): Promise<void> {
  if (!process.stdout.write(lines)) await once(process.stdout, 'drain');
}

/** Only where somebody sits there who can answer. */
const asksFirst = ({ yes }: Options): boolean =>
  yes !== true && process.stdin.isTTY === true && process.stderr.isTTY === true;

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
  try {
    const others = `${active} are active, ${unreadable} unreadable${held > 0 ? `, ${held} held` : ''}`;
    const room = memoryEstimateBytes === undefined ? '' : `, about ${megabytes(memoryEstimateBytes)}`;
    const answer = await terminal.question(
      `Target "${target}": ${stale} coordinators are stale (${others}).\nRemove everything they left${room}? [y/N] `,
      { signal: stop.signal },
    );
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (stop.signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}

/** What is known of earlier runs; `null`, and a line, where that can't be had. */
async function openPast(config: Config, warn: Warn): Promise<OpenLedger | null> {
  try {
    return await openLedger(config.queue, config.process.ledger);
  } catch (error) {
    warn(`this run is not recorded, and goes by the heartbeats there are: ${sentenceOf(error)}`);
    return null;
  }
}

function recorderOf(past: OpenLedger | null, settings: TargetConfig, run: string, warn: Warn): RunRecorder {
  const identity: RunToRecord = {
    run,
    target: settings.name,
    fingerprint: fingerprintOf(settings),
    trigger: 'cli',
    by: whoAsks(),
    dryRun: false,
    ...(settings.trash > 0 ? { trashMs: settings.trash } : {}),
    families: settings.schema.families,
    attempt: 1,
  };
  return past === null ? new RunRecorder(null, identity, warn) : past.ledger.record(identity, warn);
}
