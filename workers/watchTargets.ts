/** watchTargets: looks at each target every few seconds, and keeps in the ledger when it did not answer or took no writes (P10).
 *
 * A look asks for TIME and ROLE, and calls a script that does nothing: Redis holds that back as it holds back a write. From the
 * last good look on to the next one nobody can be sure to have beaten; that whole span is noted, by the target's own clock, and
 * while it lasts it is noted anew with every look, since a run may begin in the very moment it ends.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Config, TargetConfig } from '../src/config/resolve.ts';
import { Failure } from '../src/domain/failure.ts';
import type { Logger } from '../src/log/logger.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { connect } from '../src/redis/connect.ts';

/** How often a target is looked at, in ms. */
const LOOK_EVERY_MS = 2_000;
/** A target that takes longer to answer does not serve those who beat, in ms. */
const LATE_MS = 2_000;
/** A shorter outage is noted, and not worth a line, in ms. */
const WORTH_A_LINE_MS = 10_000;

export interface WatchParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/** Watches every target whose `restartGrace` is on, until `stopping` is aborted. */
export function watchTargets({ config, ledger, logger, stopping }: WatchParts): void {
  for (const target of config.targets.values()) {
    if (target.restartGrace) void new Watch(target, ledger, logger, stopping).go();
  }
}

class Watch {
  /** The last good look: the target's clock, and when that was by this process' own. */
  #good: { readonly at: number; readonly seenAt: number } | null = null;
  /** Since when the outage under way lasts, by the target's clock; `null`: there is none. */
  #since: number | null = null;
  #told = false;
  #refused = false;
  #redis: Redis | null = null;
  #connecting: Promise<void> | null = null;

  constructor(
    private readonly target: TargetConfig,
    private readonly ledger: Ledger,
    private readonly logger: Logger,
    private readonly stopping: AbortSignal,
  ) {}

  async go(): Promise<void> {
    while (!this.stopping.aborted) {
      const at = await this.#look();
      if (this.#refused) break;
      if (at === null) await this.#notServing();
      else await this.#serving(at);
      await pause(LOOK_EVERY_MS, undefined, { signal: this.stopping, ref: false }).catch(() => {});
    }
    this.#redis?.disconnect();
  }

  /** The target's clock, in ms; `null` when it does not serve. */
  async #look(): Promise<number | null> {
    const late = pause(LATE_MS, null, { ref: false });
    try {
      return await Promise.race([this.#ask(), late]);
    } catch (error) {
      // Whoever is refused sees nothing of outages; runs say why.
      this.#refused ||= error instanceof Failure && error.code === 'DENIED';
      return null;
    }
  }

  async #ask(): Promise<number | null> {
    this.#connecting ??= this.#redis === null ? this.#connect() : null;
    await this.#connecting;
    if (this.#redis === null) return null;
    const replies = await this.#redis.pipeline().time().call('role').call('eval', 'return 1', '0').exec();
    const [time, role, write] = replies ?? [];
    if (time === undefined || time[0] !== null) return null;
    if (role?.[0] === null && Array.isArray(role[1]) && String(role[1][0]) !== 'master') return null;
    if (write?.[0] && /^(BUSY|LOADING|MASTERDOWN|CLUSTERDOWN|READONLY|MISCONF|OOM)\b/.test(write[0].message))
      return null;
    const [seconds, micros] = time[1] as [string, string];
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  async #connect(): Promise<void> {
    try {
      this.#redis = await connect(this.target, { onError: () => {} });
    } finally {
      this.#connecting = null;
    }
  }

  async #serving(at: number): Promise<void> {
    if (this.#since !== null) {
      await this.#note(this.#since, at);
      if (this.#told) this.logger.info({ target: this.target.name, outageMs: at - this.#since }, 'it serves again');
      this.#told = false;
      this.#since = null;
    }
    this.#good = { at, seenAt: performance.now() };
  }

  async #notServing(): Promise<void> {
    // Whatever it waits for: the next look asks anew.
    this.#redis?.disconnect();
    this.#redis = null;
    const now = this.#good === null ? Date.now() : this.#good.at + performance.now() - this.#good.seenAt;
    this.#since ??= this.#good?.at ?? now;
    if (!this.#told && now - this.#since >= WORTH_A_LINE_MS) {
      this.#told = true;
      this.logger.warn({ target: this.target.name }, 'it does not answer, or takes no writes: nobody can beat there');
    }
    await this.#note(this.#since, now);
  }

  async #note(fromMs: number, toMs: number): Promise<void> {
    const span = { fromMs: Math.floor(fromMs), toMs: Math.ceil(toMs) };
    // Without the ledger it is as if nobody had looked; that the queue is out of reach is told of elsewhere.
    await this.ledger.addOutage(this.target.name, span).catch(() => {});
  }
}
