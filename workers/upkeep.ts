/** upkeep: what a worker sees to beside its runs: its clock, the schedules, and whether an outage of the queue is over. */
import { setTimeout } from 'node:timers/promises';
import ms from 'ms';
import type { Config } from '../src/config/resolve.ts';
import { sentenceOf } from '../src/domain/failure.ts';
import { explainRefusal } from '../src/queue/refusal.ts';
import { readQueueState, warningsOf } from '../src/health/queueState.ts';
import type { Logger } from '../src/log/logger.ts';
import type { Outage } from '../src/log/outages.ts';
import { followClock } from '../src/queue/clock.ts';
import { bringForward } from '../src/queue/runs/putOff.ts';
import type { Queues } from '../src/queue/queues.ts';
import { announce, type Meant, otherwiseSet, readMembers, type Self } from '../src/queue/members.ts';
import { declareSchedules } from '../src/queue/schedules/schedules.ts';

/** How often it is looked after: a lost schedule is back after as long. A look costs a call and two a target. */
const LOOK_EVERY_MS = 5_000;
/** How often schedules are brought in line with the configuration. Each change starts a run at once: two processes that are
 * configured differently, as during a roll-out, must not change them to and fro more often. */
const DECLARE_EVERY_MS = 60_000;
/** A clock that is wrong by more is worth a line. */
const WRONG_CLOCK_MS = 60_000;

export interface UpkeepParts {
  readonly config: Config;
  readonly queues: Queues;
  readonly outage: Outage;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  readonly self: Self;
  /** By the names of its targets. */
  readonly meant: Meant;
}

/** Sets the clock by the queue's, and says so once when it was wrong. */
export async function setClock({ queues, logger }: Pick<UpkeepParts, 'queues' | 'logger'>): Promise<void> {
  const aheadMs = await followClock(queues.connection);
  if (Math.abs(aheadMs) < WRONG_CLOCK_MS) return;
  const off = `${ms(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
  logger.warn(`the clock of this machine is ${off} that of the queue's Redis; the latter is used`);
}

/** What was told last of each queue's state. */
const told = new WeakMap<Queues, string>();

/** Says what keeps runs from coming, when that begins, and when it is over. */
async function tellOfState({ queues, config, logger }: UpkeepParts): Promise<void> {
  const warnings = warningsOf(await readQueueState(queues, config.targets));
  const now = warnings.join('; ');
  const before = told.get(queues) ?? '';
  told.set(queues, now);
  if (now === before) return;
  if (now === '') logger.info('nothing keeps runs from coming any more');
  else logger.warn(now);
}

/** Sees to everything once; whether that succeeded. What fails is an outage of the queue. */
async function look(parts: UpkeepParts, lostOnly: boolean): Promise<boolean> {
  const { config, queues, outage, stopping, self, meant } = parts;
  try {
    await followClock(queues.connection);
    await announce(queues, self, meant);
    await declareSchedules(queues, config.targets, lostOnly);
    if (!lostOnly) await tellOfState(parts);
    for (const run of await bringForward(queues, config.targets)) {
      parts.logger.warn({ run }, 'a run that somebody had put off begins now, since all others join it');
    }
    if (!outage.hasGoneQuiet()) return true;
    // A full Redis goes on answering: that it can be written to again shows only when something is.
    await queues.connection.set(`${queues.prefix}:probe`, 1, 'PX', LOOK_EVERY_MS);
    outage.restored();
    return true;
  } catch (error) {
    if (!stopping.aborted) outage.failed(new Error(sentenceOf(explainRefusal(error))));
    return false;
  }
}

/** Says which other deployments work on this queue. Those that are configured alike are one. */
async function tellOfOthers({ queues, self, meant, logger }: UpkeepParts): Promise<void> {
  const members = await readMembers(queues).catch(() => []);
  const fingerprints = meant.targets;
  for (const other of members) {
    if (!other.isHere || other.id === self.id) continue;
    const names = Object.entries(other.targets);
    const different = names.filter(([name, fingerprint]) => (fingerprints[name] ?? fingerprint) !== fingerprint);
    const shown = (some: typeof names) => some.map(([name]) => `"${name}"`).join(', ');
    if (different.length > 0) {
      logger.warn(
        `${other.by} works on this queue (prefix ${queues.prefix}) too, and means other targets by ${shown(different)}: each does its own; a queue.prefix for each keeps them apart`,
      );
    } else if (names.some(([name]) => fingerprints[name] === undefined)) {
      logger.info(`${other.by} works on this queue (prefix ${queues.prefix}) too, on ${shown(names)}`);
    }
    for (const [name] of names) {
      const otherwise = otherwiseSet(other, meant, name);
      if (otherwise.length === 0) continue;
      logger.warn(
        `${other.by} works on this queue (prefix ${queues.prefix}) too, and cleans "${name}" with another ${otherwise.join(', ')}: of what keeps things from going the more careful holds; give all of them the same configuration`,
      );
    }
  }
}

/** Looks after everything now, and from then on until the worker stops. */
export async function startUpkeep(parts: UpkeepParts): Promise<void> {
  await tellOfOthers(parts);
  let declaredAt = (await look(parts, false)) ? performance.now() : Number.NEGATIVE_INFINITY;
  const goOn = async () => {
    for (;;) {
      await setTimeout(LOOK_EVERY_MS, undefined, { signal: parts.stopping });
      const due = performance.now() - declaredAt >= DECLARE_EVERY_MS;
      if ((await look(parts, !due)) && due) declaredAt = performance.now();
    }
  };
  // It ends by being aborted.
  goOn().catch(() => {});
}
