/** past: a ledger with a past, written as runs write it, but for the time, which is told. */
import type { Redis } from 'ioredis';
import type { Report } from '../../src/domain/report.ts';
import { RunRecorder, type RunEnd, type RunToRecord } from '../../src/ledger/recording/recorder.ts';
import type { Going } from '../../src/ledger/swept/sweptLog.ts';
import { blocksIn, FAMILIES, reportOf, runOf, unexpected } from '../ledger/story.ts';

export interface Story extends Partial<RunToRecord> {
  readonly run: string;
  /** When it began, in ms before now. */
  readonly agoMs: number;
  readonly going?: readonly Going[];
  /** `null`: it is still under way. */
  readonly end?: RunEnd | null;
}

export function going(id: string | Buffer, swarm: string | null = 's1', silenceSeconds = 700): Going {
  return {
    coordinator: Buffer.from(id),
    swarm: swarm === null ? null : Buffer.from(swarm),
    beatMs: Date.now() - 3_600_000,
    silenceSeconds,
  };
}

/** What a run reports that swept so many. */
export function sweptReport(run: string, swept: number, more: Partial<Report> = {}): Report {
  return {
    ...reportOf(run, 'default', swept),
    ...more,
  };
}

/** Writes one; resolves to its recorder, which a run under way still needs. */
export async function write(redis: Redis, { agoMs, going: all = [], end, ...identity }: Story): Promise<RunRecorder> {
  const blocks = blocksIn(redis);
  const now = (await blocks.nowMs()) - agoMs;
  const told = Object.assign(blocks, { nowMs: async () => now });
  const recorder = new RunRecorder(
    told,
    { ...runOf(identity.run), families: FAMILIES, by: null, ...identity },
    unexpected,
  );
  await recorder.begin();
  await recorder.removing(all);
  recorder.removed(all.map((one) => ({ ...one, keysByFamily: [1, 1, 2, 1, 1, 0] })));
  recorder.begins(() => sweptReport(identity.run, all.length));
  recorder.progress();
  if (end !== null) {
    await recorder.end(end ?? { outcome: 'completed', report: sweptReport(identity.run, all.length) });
  }
  return recorder;
}
