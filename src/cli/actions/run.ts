/** run: one cleanup here and now, without the queue. */
import { randomUUID } from 'node:crypto';
import { runCleanup } from '../../cleanup/run.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import { type OpenSightings, openSightings } from '../../ledger/openSightings.ts';
import { explain } from '../../redis/explain.ts';
import { openTarget, type Target } from '../../redis/target/target.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { configOf } from '../config.ts';
import { createProgressBar } from '../progress.ts';
import { renderReport } from '../render.ts';
import { targetOf, withPrivateRedis } from '../target.ts';

interface Options {
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Prints the report. Fails when the run does; ends in `Exit` when it is refused. */
export async function run(options: Options, command: Command): Promise<void> {
  const config = await withPrivateRedis(configOf(command));
  const settings = targetOf(config, options.target);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const bar = createProgressBar(!options.json && process.stderr.isTTY === true);
  const dryRun = options.dryRun === true;
  const warn = (sentence: string) => bar.observer.warn?.(sentence);
  let target: Target | null = null;
  let past: OpenSightings | null = null;
  try {
    target = await openTarget(settings, { dryRun, signal: stop.signal, warn });
    past = await openPast(config.queue, settings, { mostBytes: settings.sightings, readOnly: dryRun, warn });
    const request = {
      run: randomUUID(),
      trigger: 'cli',
      dryRun,
      staleAfterSeconds: settings.staleAfterSeconds,
      force: options.force === true,
      attempts: 1,
      carried: null,
      startedAt: Date.now(),
    } as const;
    const report = await runCleanup(target, request, {
      observer: bar.observer,
      signal: stop.signal,
      ...(past === null ? {} : { sightings: past.sightings }),
    });
    bar.stop();
    console.log(options.json ? JSON.stringify(report) : renderReport(report));
    if (report.outcome === 'refused') throw new Exit(1);
  } catch (error) {
    bar.stop();
    const known = error instanceof Exit ? error : explain(error, settings);
    if (known instanceof Exit || known instanceof Failure) throw known;
    throw new Failure('RUN_FAILED', `the run failed: ${sentenceOf(known)}`, { cause: known });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    target?.close();
    past?.close();
  }
}

/** What earlier runs saw; `null`, and a line, where that can't be had: the run goes by heartbeats alone. */
async function openPast(...to: Parameters<typeof openSightings>): Promise<OpenSightings | null> {
  try {
    return await openSightings(...to);
  } catch (error) {
    to[2].warn?.(`who beat before is not known, so this run goes by heartbeats alone: ${sentenceOf(error)}`);
    return null;
  }
}
