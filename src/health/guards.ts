/** guards: what stands between a target's stale coordinators and their removal, and what holds them at the moment. */
import type { TargetConfig } from '../config/resolve.ts';
import { FRACTION_FROM, HELD_FACTOR } from '../domain/suddenSilence.ts';
import { isoOf } from '../domain/instant.ts';
import { DamagedBlock } from '../ledger/block/damagedBlock.ts';
import { lastRunOf } from '../ledger/targets/past.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { fingerprintOf } from '../config/fingerprint.ts';
import { meantBy, type Member, otherMeaning, otherwiseSet } from '../queue/members.ts';
import type { Finding } from './finding.ts';
import { settingOf } from './interval.ts';

type Told = Omit<Finding, 'target'>;
type Guarded = Pick<TargetConfig, 'mode' | 'maxStale' | 'maxStaleFraction' | 'protect' | 'suddenSilence'>;

/** A span that ended so lately may last: whoever watches a target looks every few seconds. */
const FRESH_MS = 10_000;

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

/** The guards as they are set, in one finding; of a target that only observes, another one. */
export function checkGuards({ mode, maxStale, maxStaleFraction, protect, suddenSilence }: Guarded): readonly Told[] {
  const limits = [
    ...(maxStale === undefined ? [] : [`more than ${maxStale} stale ones (maxStale)`]),
    ...(maxStaleFraction < 1
      ? [`more than ${percent(maxStaleFraction)} stale, from ${FRACTION_FROM} stale ones on (maxStaleFraction)`]
      : []),
  ];
  const told = [
    limits.length === 0
      ? 'no number of stale ones is refused (maxStale and maxStaleFraction are off)'
      : `a run is refused with ${limits.join(', or ')}`,
    suddenSilence === false
      ? 'nobody is held (suddenSilence is off)'
      : `the stale ones are held where fewer than ${percent(suddenSilence.fraction)} of those in the last run are active, and at least ${suddenSilence.from} fewer (suddenSilence)`,
    protect.length === 0 ? 'nobody is protected' : `protected: ${protect.join(', ')}`,
  ].join('; ');
  const guards: Told = { check: 'guards', status: 'ok', message: told, advice: null };
  if (mode !== 'observe') return [guards];
  const message = 'every run is a dry run, whoever asks (mode: observe)';
  return [
    guards,
    { check: 'mode', status: 'warning', message, advice: 'set mode: sweep once dry runs say what they should' },
  ];
}

/** Whether stale ones are held, by the last completed run. Rejects where the ledger can't be read. */
export async function checkHold(ledger: Ledger, target: TargetConfig): Promise<readonly Told[]> {
  const last = await lastRunOf(ledger, target.name, fingerprintOf(target));
  if (last?.held === undefined || last.coordinators.held === 0) return [];
  const { since, until } = last.held;
  const goes = until === null ? '' : `; unless they beat, the first of them may go at ${until}`;
  const message = `${last.coordinators.held} stale ones are held since ${since}, when far fewer were active than in the run before${goes}`;
  const advice = `see what silenced them; if they are gone for good, stalesweep enqueue --force sweeps them at once, else they go after ${HELD_FACTOR} times staleAfter`;
  return [{ check: 'hold', status: 'warning', message, advice }];
}

/**
 * Whether nobody could beat there lately, as those who watch the target saw it. Rejects where the ledger can't be read.
 * @param nowMs the target's clock, or one that is about right
 */
export async function checkOutages(
  ledger: Ledger,
  target: Pick<TargetConfig, 'name' | 'url' | 'id' | 'staleAfterSeconds'>,
  nowMs: number,
): Promise<readonly Told[]> {
  const thresholdMs = target.staleAfterSeconds * 1000;
  const spans = await ledger.outagesSince(target, nowMs - thresholdMs).catch((error: unknown) => {
    // What can't be read is as if nobody had looked: so it is for runs, too.
    if (error instanceof DamagedBlock) return [];
    throw error;
  });
  const last = spans.at(-1);
  if (last === undefined) return [];
  const check = 'outages';
  if (nowMs - last.toMs < FRESH_MS) {
    const message = `it has not answered, or taken no writes, since ${isoOf(last.fromMs)}, as workers saw it; that time counts as nobody's silence`;
    return [{ check, status: 'warning', message, advice: 'see what keeps it from serving' }];
  }
  const seconds = Math.ceil(
    spans.reduce((sum, { fromMs, toMs }) => sum + toMs - Math.max(fromMs, nowMs - thresholdMs), 0) / 1000,
  );
  const message = `in the last ${settingOf(thresholdMs)} it did not serve for ${seconds}s, as workers saw it; that time counts as nobody's silence`;
  return [{ check, status: 'ok', message, advice: null }];
}

/** Whether those who work on this queue all go by the settings that are in force here. */
function checkAlike(members: readonly Member[], target: TargetConfig): readonly Told[] {
  const ours = meantBy(new Map([[target.name, target]]));
  return members.flatMap((other): Told[] => {
    const otherwise = otherwiseSet(other, ours, target.name);
    if (otherwise.length === 0) return [];
    const message = `${other.by} cleans it with another ${otherwise.join(', ')} than is set here; of what keeps things from going the more careful holds`;
    const advice = 'give all processes on the queue the same configuration';
    return [{ check: 'settings', status: 'warning', message, advice }];
  });
}

/**
 * Whether somebody who works on this queue means another Redis by a target's name, the same one by another address, or cleans it by other
 * settings.
 */
export function checkAddresses(members: readonly Member[], target: TargetConfig): readonly Told[] {
  const here = members.filter(({ isHere }) => isHere);
  const other = otherMeaning(here, target.name, fingerprintOf(target));
  if (other === null) return checkAlike(here, target);
  const message = `for ${other.by} "${target.name}" has another address, so its runs are not for both`;
  const advice = `if it is the same Redis, give this target the same id: in both configurations; if it is not, give each deployment a queue.prefix`;
  return [{ check: 'addresses', status: 'warning', message, advice }];
}
