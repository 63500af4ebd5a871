/** orphans: remove keys that nobody owns, for the families an operator has listed, once they are idle. */
import { sentenceOf } from '../domain/failure.ts';
import { secondsBack } from '../domain/outages.ts';
import { idleSeconds } from '../redis/keyspace/keyspace.ts';
import { weightOfBytes } from '../redis/pace/weight.ts';
import { type Key, NO_KEY } from '../store/heldKeys.ts';
import { atWhole, pause, type Run, type RunContext, stopIfInterrupted } from './context.ts';
import { learnBorn } from './ownership/elsewhere.ts';
import { familyOf, type Gathered } from './gather.ts';
import { Verdicts } from './ownership/verdict.ts';

/** A key none of whose owners is known, and the heartbeats that must not exist for it to be nobody's. */
interface Orphan {
  readonly family: number;
  readonly name: Buffer;
  readonly absent: readonly Buffer[];
}

function nameIn(bytes: Buffer): string {
  return bytes.toString('latin1');
}
function bytesOf(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

/** For how long they must be idle: nobody could touch them while nobody could beat (P10). */
function idleLimitOf({ node: { clock }, staleAfterSeconds }: RunContext): number {
  return secondsBack(clock.outages, staleAfterSeconds, clock.nowSeconds * 1000);
}

async function countIdle(run: RunContext, slice: readonly Orphan[]): Promise<void> {
  const names = slice.map(({ name }) => nameIn(name));
  const idle = await run.node.steadily('read', () => idleSeconds(run.node.calls, names));
  const limit = idleLimitOf(run);
  for (const [i, { family }] of slice.entries()) {
    if ((idle[i] ?? 0) <= limit) continue;
    run.tally.add(family, 1);
    await run.memory?.take(run.node, family, names.slice(i, i + 1));
  }
}

async function settle(run: RunContext, slice: readonly Orphan[]): Promise<void> {
  const verdicts = new Verdicts(run);
  for (let left = slice; left.length > 0; ) {
    const families: string[][] = run.schema.families.map(() => []);
    for (const { family, name } of left) families[family]?.push(nameIn(name));
    const absent = [...new Set(left.flatMap((orphan) => orphan.absent.map(nameIn)))];
    const chunk = { absent, families, idleSeconds: idleLimitOf(run), trash: run.trash };
    const result = await run.node.sweepOrphans(chunk);
    run.node.paces.tell('sweep', left.length + absent.length, result.ms);
    if (result.swept) {
      for (const [family, amount] of result.removed.entries()) run.tally.remove(family, amount, run.trash !== null);
      run.tally.chunks++;
      run.observer.removed?.({ removals: [], names: () => families.map((names) => names.map(bytesOf)) });
      return;
    }
    if (result.born.length === 0 && left.length > 1) {
      // For this server it was too large.
      const half = Math.ceil(left.length / 2);
      for (const part of [left.slice(0, half), left.slice(half)]) await settle(run, part);
      return;
    }
    const born = new Set(result.born.map((at) => absent[at] ?? ''));
    for (const name of born) learnBorn(run, bytesOf(name));
    // What could be somebody's who was born stays, whatever else its name says.
    left = left.filter(
      (one) => verdicts.of(one.name) === 'orphan' && !one.absent.some((name) => born.has(nameIn(name))),
    );
  }
}

function* orphansFrom(run: RunContext, first: Key): Generator<Orphan> {
  const { keys } = run;
  const verdicts = new Verdicts(run);
  for (let key = first; key !== NO_KEY; key = keys.nextTo(key)) {
    const name = Buffer.from(keys.nameOf(key));
    if (verdicts.of(name) !== 'orphan') continue;
    const absent = [...verdicts.guard()];
    if (verdicts.isProvable) yield { family: familyOf(run, key), name, absent };
  }
}

/** As many orphans at a time as a call may handle, with the heartbeats that must not exist. */
function* slicesOf(run: RunContext, orphans: Iterable<Orphan>): Generator<readonly Orphan[]> {
  let slice: Orphan[] = [];
  let size = 0;
  for (const orphan of orphans) {
    const weight = [orphan.name, ...orphan.absent].reduce((sum, name) => sum + weightOfBytes(name.length), 0);
    // Their idle times are asked one by one, which takes about twice as long as removing them.
    if (slice.length > 0 && size + weight > run.node.paces.sweep.size / 2) {
      yield slice;
      slice = [];
      size = 0;
    }
    slice.push(orphan);
    size += weight;
  }
  if (slice.length > 0) yield slice;
}

/**
 * Why no orphan may be swept in this run; `null` when they may. A mistyped heartbeat template makes orphans of everything; and
 * idle times may come back with a server's old data (P10), or heartbeats be dropped.
 */
function reasonToKeep({ tally, node, target, staleAfterSeconds }: RunContext): string | null {
  if (tally.met === 0) return 'orphans are kept: this run met no heartbeat at all, as with a wrong heartbeat template';
  if (target.lapsedClock.evicts) {
    return 'orphans are kept: Redis drops keys for want of memory, and the heartbeats of who owns them may be among them';
  }
  const { upSeconds } = node.clock;
  if (upSeconds === null || upSeconds > staleAfterSeconds) return null;
  return `orphans are kept: Redis came back with old data ${upSeconds}s ago, and its idle times may be as old`;
}

/**
 * Sweeps the orphans that have been idle for longer than the threshold. Where the server does not keep idle times (an
 * LFU eviction policy), they stay, and the observer is warned.
 */
export async function sweepOrphans(run: Run, { orphans }: Gathered): Promise<void> {
  if (orphans === NO_KEY) return;
  await sweepOrphansAt(atWhole(run), orphans);
}

async function sweepOrphansAt(run: RunContext, orphans: Key): Promise<void> {
  const reason = reasonToKeep(run);
  if (reason !== null) {
    run.observer.warn?.(reason);
    return;
  }
  try {
    for (const slice of slicesOf(run, orphansFrom(run, orphans))) {
      if (!(await pause(run))) stopIfInterrupted(run);
      await (run.dryRun ? countIdle(run, slice) : settle(run, slice));
    }
  } catch (error) {
    if (!/LFU maxmemory policy/.test(sentenceOf(error))) throw error;
    run.observer.warn?.('orphans are kept: under an LFU eviction policy Redis can not tell how long a key was idle');
  }
}
