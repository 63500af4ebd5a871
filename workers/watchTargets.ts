/** watchTargets: looks at each target every few seconds, and keeps in the ledger when it did not answer or took no writes, and when a replica took over (P10).
 *
 * From the last good look on to the next one nobody can be sure to have beaten; that whole span is noted, by the target's own
 * clock, and while it lasts it is noted anew with every look, since a run may begin in the very moment it ends. What can't be
 * noted is kept until it can: a queue may be away together with its target. Only then it is said that the target was seen again.
 * Whoever stood still itself, as a machine does that is paused with all that is on it, or was refused, as with a password that is changed, has not seen whether anybody
 * could beat meanwhile: where nobody else looked, that is noted, too.
 * Where the target's clock jumps ahead there was no such time at all, and nobody can have beaten in it; where it goes back, what was noted
 * of later times never was.
 */
import { openServing, type Served } from '../src/redis/target/openServing.ts';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config, TargetConfig } from '../src/config/resolve.ts';
import type { Logger } from '../src/log/logger.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { endedBy, mergeSpans, type Span } from '../src/ledger/targets/outages.ts';
import { isTurnedAway } from '../src/redis/connection/unreached.ts';

/** How often a target is looked at, in ms. */
const LOOK_EVERY_MS = 2_000;
/** A target that takes longer to answer does not serve those who beat, in ms. */
const LATE_MS = 2_000;
/** A clock that goes further between two looks, or less far, than this process' own has jumped, in ms: looks come as late as that. */
const JUMP_MS = LATE_MS + 1_000;
/** A shorter outage is noted, and not worth a line, in ms. */
const WORTH_A_LINE_MS = 10_000;
/** Whoever looks so late stood still, or was refused, in ms: much else delays a look by seconds. */
const STOOD_STILL_MS = 10_000;
/** So many outages are kept while they can't be noted. */
const MOST_UNNOTED = 100;

export interface WatchParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/**
 * Watches every target whose `restartGrace` is on, until `stopping` is aborted.
 * @returns what says in the ledger that this process looks no more; rejects where the queue can't be reached
 */
export function watchTargets({ config, ledger, logger, stopping }: WatchParts): { leave(): Promise<void> } {
  const watched = [...config.targets.values()].filter(({ restartGrace }) => restartGrace);
  for (const target of watched) void new Watch(target, ledger, logger, stopping).go();
  return {
    leave: async () => {
      await Promise.all(watched.map(async (target) => await ledger.forgetWatched(target)));
    },
  };
}

/** The target's clock, and, by this process' own, between when that was: whoever stood still reads late what was said before. */
interface Look {
  readonly at: number;
  readonly askedAt: number;
  readonly seenAt: number;
}

class Watch {
  /** The last good look. */
  #good: Look | null = null;
  /** When the look under way was begun, by this process' own clock. */
  #askedAt = 0;
  /** Since when the outage under way lasts, by the target's clock; `null`: there is none. */
  #since: number | null = null;
  #told = false;
  /** Whether the target did not let the last look in. */
  #refused = false;
  readonly #begunAt = performance.now();
  #asked: Served | null = null;
  #connecting: Promise<void> | null = null;
  #unnoted: readonly Span[] = [];
  /** In which this process stood still, or was refused, and nobody yet asked whether others looked. */
  #unseen: readonly Span[] = [];
  /** Whether the target's clock went back, and that is not noted. */
  #wentBack = false;
  #noting = false;
  /** Who is noted to have taken over. */
  #promoted: string | null = null;

  constructor(
    private readonly target: TargetConfig,
    private readonly ledger: Ledger,
    private readonly logger: Logger,
    private readonly stopping: AbortSignal,
  ) {}

  async go(): Promise<void> {
    while (!this.stopping.aborted) {
      const at = await this.#look();
      if (at !== null) this.#serving(at);
      else {
        // Whatever it waits for: the next look asks anew.
        this.#asked?.close();
        this.#asked = null;
        // Whoever is refused sees nothing of outages, and no longer of one that was under way; runs say why.
        if (this.#refused) this.#since = null;
        else this.#notServing();
      }
      // Whoever waits for a queue that does not answer would not see when the target does.
      void this.#note(at);
      await pause(LOOK_EVERY_MS, undefined, { signal: this.stopping, ref: false }).catch(() => {});
    }
    this.#asked?.close();
  }

  /** The target's clock, in ms; `null` when it does not serve. */
  async #look(): Promise<number | null> {
    const late = pause(LATE_MS, null, { ref: false });
    this.#refused = false;
    this.#askedAt = performance.now();
    try {
      return await Promise.race([this.#ask(), late]);
    } catch (error) {
      this.#refused = isTurnedAway(error);
      return null;
    }
  }

  async #ask(): Promise<number | null> {
    this.#connecting ??= this.#asked === null ? this.#connect() : null;
    await this.#connecting;
    return (await this.#asked?.ask()) ?? null;
  }

  async #connect(): Promise<void> {
    try {
      this.#asked = await openServing(this.target);
    } finally {
      this.#connecting = null;
    }
  }

  #serving(at: number): void {
    const look = { at, askedAt: this.#askedAt, seenAt: performance.now() };
    if (this.#good !== null) this.#heedJump(this.#good, look);
    const lateMs = look.seenAt - (this.#good?.seenAt ?? this.#begunAt);
    if (this.#since === null && lateMs > STOOD_STILL_MS)
      this.#unseen = [...this.#unseen, { fromMs: this.#good?.at ?? at - lateMs, toMs: at }];
    if (this.#since !== null) {
      this.#out(this.#since, at);
      if (this.#told) this.logger.info({ target: this.target.name, outageMs: at - this.#since }, 'it serves again');
      this.#since = null;
    }
    this.#told = false;
    this.#good = look;
  }

  #heedJump(good: Look, { at, askedAt, seenAt }: Look): void {
    const passed = at - good.at;
    const possible = Math.max(askedAt - good.seenAt, Math.min(passed, seenAt - good.askedAt));
    const jumpMs = Math.round(passed - possible);
    if (Math.abs(jumpMs) <= JUMP_MS) return;
    if (jumpMs > 0) this.#out(good.at, at);
    else {
      this.#unnoted = endedBy(this.#unnoted, at);
      this.#wentBack = true;
    }
    this.logger.warn({ target: this.target.name, jumpMs }, 'its clock jumped: no silence counts that time');
  }

  #notServing(): void {
    const now = this.#good === null ? Date.now() : this.#good.at + performance.now() - this.#good.seenAt;
    this.#since ??= this.#good?.at ?? now;
    if (!this.#told && now - this.#since >= WORTH_A_LINE_MS) {
      this.#told = true;
      this.logger.warn({ target: this.target.name }, 'it does not answer, or takes no writes: nobody can beat there');
    }
    this.#out(this.#since, now);
  }

  #out(fromMs: number, toMs: number): void {
    const span = { fromMs: Math.floor(fromMs), toMs: Math.ceil(toMs) };
    this.#unnoted = mergeSpans([...this.#unnoted, span]).slice(-MOST_UNNOTED);
  }

  /** Notes who took over: no run may come for long, and silence counts from when that was seen. */
  async #notePromotions(servedAt: number): Promise<void> {
    // Who may not ask for it learns that from a run.
    const promoted = (await this.#asked?.promoted().catch(() => null)) ?? null;
    if (promoted === null || promoted.join() === this.#promoted) return;
    await this.ledger.promotedAt(this.target, promoted, servedAt, true);
    this.#promoted = promoted.join();
  }

  /** A time that this process has not seen is an outage, unless somebody else looked until its end. */
  async #heedUnseen({ fromMs, toMs }: Span): Promise<void> {
    const seenAt = (await this.ledger.watchedAt(this.target)) ?? fromMs;
    if (toMs - seenAt < STOOD_STILL_MS) return;
    this.#out(fromMs, toMs);
    const words = 'this process stood still, or was refused, and nobody else looked: no silence counts that time';
    this.logger.warn({ target: this.target.name, ms: Math.round(toMs - fromMs) }, words);
  }

  /** Notes what is not noted yet, then that the target was seen to serve. That the queue is out of reach is told of elsewhere. */
  async #note(servedAt: number | null): Promise<void> {
    if (this.#noting) return;
    this.#noting = true;
    try {
      if (servedAt !== null && this.#wentBack) {
        await this.ledger.endOutages(this.target, servedAt);
        // Who beats now beats before that pass, by which nobody could be stale for long.
        await this.ledger.horizonsOf(this.target).keep(null);
        this.#wentBack = false;
      }
      for (const span of this.#unseen) {
        await this.#heedUnseen(span);
        this.#unseen = this.#unseen.filter((one) => one !== span);
      }
      for (const span of this.#unnoted) {
        await this.ledger.addOutage(this.target, span);
        this.#unnoted = this.#unnoted.filter((one) => one !== span);
      }
      if (servedAt === null || this.stopping.aborted) return;
      await this.#notePromotions(servedAt);
      await this.ledger.noteWatched(this.target, servedAt);
    } catch {
      // With the next look.
    } finally {
      this.#noting = false;
    }
  }
}
