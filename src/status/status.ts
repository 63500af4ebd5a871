/** status: what an operator sees of each target. README.md says where the numbers come from. */
import type { Config, TargetConfig } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import { explainRefusal } from '../queue/refusal.ts';
import { type Standing, silenceOf, standingOf } from '../domain/standing.ts';
import { readQueueState } from '../health/queueState.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Look } from '../ledger/targets/looks.ts';
import type { Span } from '../ledger/targets/outages.ts';
import type { Queues } from '../queue/queues.ts';
import { scheduleOf } from '../queue/schedules/schedules.ts';
import type { Unreachable, Unserving } from './reach.ts';
import { PastRuns, type TargetPast } from './pastRuns.ts';
import { queueTroubles, queueUnreachable, targetTroubles, type Trouble } from './troubles.ts';
import { type RunUnderWay, runsUnderWay } from './underWay.ts';

export interface TargetStatus {
  readonly target: string;
  readonly settings: TargetConfig;
  /** When the coordinators were counted, in ms; `null` where no run has. */
  readonly asOfMs: number | null;
  readonly coordinators: Standing | null;
  /** Of those in `coordinators` that can be judged; eleven counts, by tenths of the threshold; the last beyond it. */
  readonly silence: readonly number[] | null;
  /** The threshold of that count, or else the configured one. */
  readonly staleAfterSeconds: number;
  /** What stands there by family; `null` where nobody has looked. */
  readonly look: Look | null;
  readonly past: TargetPast;
  /** In ms; `null` until a worker has declared the schedule. */
  readonly nextRunAtMs: number | null;
  readonly underWay: RunUnderWay | null;
  /** The grave ones first. */
  readonly troubles: readonly Trouble[];
}

export interface Status {
  /** When it was read, in ms. */
  readonly atMs: number;
  /** Whether it could be read just now; else it is what was known then, or nothing yet; `old`: from before, and just being read anew. */
  readonly known: 'now' | 'old' | 'then' | 'nothing';
  /** Processes that take runs; `null` where nobody could say. */
  readonly workers: number | null;
  /** Those of the queue. */
  readonly troubles: readonly Trouble[];
  /** In the order of the configuration. */
  readonly targets: readonly TargetStatus[];
}

const HOUR_MS = 3_600_000;

export interface StatusParts {
  readonly config: Pick<Config, 'targets'>;
  readonly queues: Queues;
  readonly ledger: Ledger;
}

export class StatusReader {
  readonly #past: PastRuns;
  #last: Status | null = null;
  #reading: Promise<Status> | null = null;

  constructor(private readonly parts: StatusParts) {
    this.#past = new PastRuns(parts.ledger, parts.config.targets);
  }

  /** What was read last; `null` before anything was. */
  get last(): Status | null {
    return this.#last;
  }

  /** Reads it; whoever asks meanwhile shares the answer. Rejects with the error of Redis when the queue can't be asked. */
  async read(unreachable: Unreachable = new Map()): Promise<Status> {
    this.#reading ??= this.#read(unreachable).finally(() => {
      this.#reading = null;
    });
    return await this.#reading;
  }

  /** What was known last, and why it is no newer; nothing but that where nothing was. `null`: it is just being read. */
  lastKnown(error: unknown): Status {
    const troubles = error === null ? [] : [queueUnreachable(sentenceOf(explainRefusal(error)))];
    const { last } = this;
    if (last !== null) return { ...last, known: 'then', workers: null, troubles };
    const facts = { look: null, outages: [], nextRunAtMs: null, underWay: null, unreachable: null };
    const targets = [...this.parts.config.targets.values()].map((target) => this.#statusOf(target, facts));
    return { atMs: Date.now(), known: 'nothing', workers: null, troubles, targets };
  }

  async #read(unreachable: Unreachable): Promise<Status> {
    const { config, queues, ledger } = this.parts;
    const { targets } = config;
    const all = [...targets.values()];
    const since = Date.now() - HOUR_MS;
    const [, state, schedules, looks, outages, open] = await Promise.all([
      this.#past.refresh(),
      readQueueState(queues, targets),
      queues.schedule.getJobSchedulers(),
      ledger.looks(all),
      Promise.all(all.map(async (target) => await ledger.outagesSince(target, since).catch(() => []))),
      ledger.openRuns(),
    ]);
    const underWay = await runsUnderWay(queues, targets, open);
    this.#last = {
      atMs: Date.now(),
      known: 'now',
      workers: state.workers,
      troubles: queueTroubles(state),
      targets: all.map((target, i) =>
        this.#statusOf(target, {
          look: looks[i] ?? null,
          outages: outages[i] ?? [],
          nextRunAtMs: Number(scheduleOf(schedules, target)?.next) || null,
          underWay: underWay.get(target.name) ?? null,
          unreachable: unreachable.get(target.name) ?? null,
        }),
      ),
    };
    return this.#last;
  }

  #statusOf(target: TargetConfig, facts: Facts): TargetStatus {
    const { look, outages, nextRunAtMs, underWay, unreachable } = facts;
    const past = this.#past.of(target.name);
    const report = past.pass?.report ?? null;
    const troubles = targetTroubles({ target: target.name, past, unreachable, outages, nowMs: Date.now() });
    return {
      target: target.name,
      settings: target,
      asOfMs: past.pass?.atMs ?? null,
      coordinators: report && standingOf(report),
      silence: report && silenceOf(report),
      staleAfterSeconds: report?.staleAfterSeconds ?? target.staleAfterSeconds,
      look,
      past,
      nextRunAtMs,
      underWay,
      troubles: troubles.toSorted((a, b) => Number(b.grave) - Number(a.grave)),
    };
  }
}

interface Facts {
  readonly look: Look | null;
  readonly outages: readonly Span[];
  readonly nextRunAtMs: number | null;
  readonly underWay: RunUnderWay | null;
  readonly unreachable: Unserving | null;
}

/** What is wrong at all, the grave first: the queue's troubles, then the targets'. */
export function allTroubles({ troubles, targets }: Status): readonly Trouble[] {
  const all = [...troubles, ...targets.flatMap((target) => target.troubles)];
  return all.toSorted((a, b) => Number(b.grave) - Number(a.grave));
}
