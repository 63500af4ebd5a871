/** scene: a target with thousands of stale coordinators, drawn at random, and what is gone of them while somebody sweeps. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import type { PastRun } from '../../src/ledger/runs/pastRun.ts';
import { restore } from '../../src/restore/restore.ts';
import { environment } from '../support/cli.ts';
import { configFile } from '../support/files.ts';
import type { Finished } from '../support/finished.ts';
import { ledgerIn } from '../support/pastRuns.ts';
import { populate } from '../support/populate.ts';
import { NEVER } from '../support/queue.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { allKeys, differences, type Dumped } from '../trash/keys.ts';

/** How it is to be. */
export interface Draw {
  readonly schema: 'flat' | 'swarm';
  readonly trash: boolean;
  readonly announce: boolean;
  /** Whether the queue has a Redis of its own. */
  readonly apart: boolean;
  /** How many are stale; all others live. */
  readonly stale: number;
  /** What share of these is gone when something happens. */
  readonly share: number;
}

/** A swarm; whole ones are stale, so that no letter of theirs stays. */
const SWARM = 20;
const LIVING = 2 * SWARM;
const AT_ONCE = 5_000;
const LOOK_EVERY_MS = 10;
const LONG_MS = 300_000;

/** Draws one with so many who are stale. */
export function draw(from: number, to: number): Draw {
  const either = () => Math.random() < 0.5;
  const swarms = Math.floor((from + Math.random() * (to - from)) / SWARM);
  return {
    schema: either() ? 'flat' : 'swarm',
    trash: either(),
    announce: either(),
    apart: either(),
    stale: swarms * SWARM,
    share: 0.1 + 0.7 * Math.random(),
  };
}

/** How many were gone at an instant, in ms of `performance.now`. */
interface Look {
  readonly at: number;
  readonly gone: number;
}

export class Scene {
  readonly #looks: Look[] = [];

  private constructor(
    readonly drawn: Draw,
    readonly target: TestRedis,
    readonly queue: TestRedis,
    readonly env: Record<string, string>,
    readonly config: TargetConfig,
    /** By their heartbeats. */
    readonly stale: readonly string[],
    /** All that was there. */
    readonly before: ReadonlyMap<string, Dumped>,
  ) {}

  static async open(drawn: Draw, finished: Finished): Promise<Scene> {
    const { schema, trash, announce, apart, stale } = drawn;
    const target = await startRedis();
    const queue = apart ? await startRedis() : target;
    finished(async () => {
      await Promise.all([...new Set([target, queue])].map(async (server) => await server.stop()));
    });
    const settings = {
      callBudget: '0.5ms',
      nice: 1,
      suddenSilence: false,
      schema,
      queue: { url: queue.url },
      ...(trash ? { trash: '1h' } : {}),
      ...(announce ? { announce: { stream: 'said', maxLength: 1_000_000 } } : {}),
    };
    const file = await configFile(JSON.stringify(settings), finished);
    const env = { REDIS_URL: target.url, STALESWEEP_CONFIG: file, LOG_LEVEL: 'info', STALESWEEP_PORT: '0', ...NEVER };
    await populate(env, stale + LIVING, stale);
    const config = loadConfig({}, environment(env)).targets.get('default');
    if (config === undefined) throw new Error('there is always a target "default"');
    const before = await allKeys(target.redis);
    const names = [...before.keys()].filter((name) => name.includes('blocking:heartbeat:'));
    const isStale = (name: string) => Number(/\d+$/.exec(name)?.[0]) < stale;
    return new Scene(drawn, target, queue, env, config, names.filter(isStale), before);
  }

  /** How many of the stale ones are gone now. */
  async gone(): Promise<number> {
    const { redis } = this.target;
    const parts = [];
    for (let i = 0; i < this.stale.length; i += AT_ONCE) parts.push(this.stale.slice(i, i + AT_ONCE));
    const there = await Promise.all(parts.map(async (part) => await redis.exists(...part)));
    return this.stale.length - there.reduce((sum, count) => sum + count, 0);
  }

  /** Resolves once the drawn share is gone, and a moment later. */
  async untilShareIsGone(): Promise<void> {
    const due = this.drawn.share * this.stale.length;
    for (const late = performance.now() + LONG_MS; ; await pause(LOOK_EVERY_MS)) {
      const gone = await this.gone();
      this.#looks.push({ at: performance.now(), gone });
      if (gone >= due) break;
      if (performance.now() > late) throw new Error(`only ${gone} of ${due} are gone`);
    }
    await pause(Math.random() * 2 * LOOK_EVERY_MS);
  }

  /** For how long before `at`, in ms, nothing of what went stands in a record of so many. */
  lagOf(recorded: number, at: number): number {
    const missed = this.#looks.find(({ gone }) => gone > recorded);
    return missed === undefined ? 0 : Math.max(0, at - missed.at);
  }

  /** The runs of the ledger, the newest first. */
  async runs(): Promise<readonly PastRun[]> {
    return (await ledgerIn(this.queue.redis).history({ limit: 100 })).runs;
  }

  /** Fails unless everybody who is gone can be looked up, and whoever is said to be gone is. */
  async expectRecorded(): Promise<void> {
    const ledger = ledgerIn(this.queue.redis);
    const [named, swept] = [new Set<string>(), new Set<string>()];
    for (const run of await this.runs()) {
      for await (const { rows } of ledger.sweptBy(run)) {
        for (const { coordinator, fate } of rows) {
          const id = Buffer.from(coordinator).toString('latin1');
          if (fate !== 'kept') named.add(id);
          if (fate === 'swept') swept.add(id);
        }
      }
    }
    const there = await Promise.all(this.stale.map(async (name) => await this.target.redis.exists(name)));
    const idOf = (name: string) => name.slice(name.indexOf('blocking:heartbeat:') + 'blocking:heartbeat:'.length);
    const unknown = this.stale.filter((name, i) => there[i] === 0 && !named.has(idOf(name)));
    const false_ = this.stale.filter((name, i) => there[i] === 1 && swept.has(idOf(name)));
    expect({ unknown, false_ }).toEqual({ unknown: [], false_: [] });
  }

  /** Fails unless all that is stale is gone, was announced once, and can be given back, and all else is as it was. */
  async expectDone(): Promise<void> {
    const { drawn, target, before } = this;
    const now = await allKeys(target.redis);
    const left = [...now.keys()].filter((name) => !name.startsWith('{stalesweep}') && name !== 'said');
    const living = [...before.keys()].filter((name) => !this.#isOfStale(name));
    expect(left.sort()).toEqual(living.sort());
    if (drawn.announce) {
      const said = await target.redis.xrange('said', '-', '+');
      const ids = said.flatMap(([, fields]) => {
        const { coordinators } = JSON.parse(String(fields[1])) as { coordinators: { id: string; swarm: string }[] };
        return coordinators.map(({ id, swarm }) => `${swarm}/${id}`);
      });
      expect([ids.length, new Set(ids).size]).toEqual([this.stale.length, this.stale.length]);
    }
    if (!drawn.trash) return;
    for (const { run } of await this.runs()) await restore(this.config, { run }, { heartbeats: true });
    const back = await allKeys(target.redis);
    for (const name of back.keys()) if (name.startsWith('{stalesweep}') || name === 'said') back.delete(name);
    expect(differences(before, back, LONG_MS)).toEqual([]);
  }

  /** As `populate` names things: the first id in a name says whose it is. */
  #isOfStale(name: string): boolean {
    return Number(/coordinator-(\d+)/.exec(name)?.[1]) < this.drawn.stale;
  }
}
