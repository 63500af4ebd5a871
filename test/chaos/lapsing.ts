/** lapsing: coordinators whose heartbeats expire long before anybody is stale, in pairs that write to each other; and an auditor
 * who knows when each of them beat last, and so what must be there, and what must be gone.
 *
 * Everything a coordinator does is one step in Redis that also tells what was there just before.
 */
import { Redis } from 'ioredis';
import type { Report } from '../../src/domain/report.ts';
import type { Random } from './random.ts';

/** A beat every two seconds, gone after eight; stale after twenty; a run every four. */
export const TIMES = { beat: 2, ttl: 8, staleAfter: 20, every: 4 } as const;
/** What a slow machine may take beyond the threshold and one interval. */
const SLACK_SECONDS = Number(process.env.CHAOS_SLACK_SECONDS || 6);
/** A killed worker's run is taken over within 15 seconds; a queue that came back is asked again within some. */
const RECOVERY_SECONDS = 25;

/**
 * KEYS     its heartbeat, its own keys, then its letter to its partner and the partner's to it
 * ARGV     1: what it does, 2: how many keys are its own, 3: the member that holds its beats, 4: seconds its heartbeat lives
 * RETURNS  what was there before: { heartbeats, own keys, its letter, its partner's letter, the server's time in ms }
 */
const STEP = `
local n = tonumber(ARGV[2])
local own = redis.call('EXISTS', unpack(KEYS, 2, 1 + n))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local seen = { redis.call('EXISTS', KEYS[1]), own, redis.call('EXISTS', KEYS[2 + n]), redis.call('EXISTS', KEYS[3 + n]), now }
if ARGV[1] == 'beat' then
  if own == 0 then
    for i = 2, 2 + n do redis.call('SET', KEYS[i], '1', 'EX', 86400) end
  end
  redis.call('SET', KEYS[1], string.format('{"coordinatorId":"c","%s":%.0f,"iteration":1}', ARGV[3], now), 'EX', ARGV[4])
end
return seen`;

type Deed = 'look' | 'beat';
type Seen = readonly [heartbeats: number, own: number, letter: number, partners: number, nowMs: number];

interface Coordinator {
  readonly id: string;
  readonly keys: readonly string[];
  readonly own: number;
  readonly member: 'timestamp' | 'lastHeartbeat';
  partner: Coordinator;
  beating: boolean;
  /** When it beats next, or comes back; and, while it beats, when it dies: ms, by the server's clock. */
  nextAt: number;
  diesAt: number;
  /** Since when it has been beating, and when it did last; `possibly` where an answer never came. */
  bornAt: number;
  lastAt: number;
  possiblyAt: number;
  /** Whether its letter stood when it was looked at last. */
  hasLetter: boolean;
  isGone: boolean;
}

function keysOf(n: number, id: string, partner: string) {
  return [
    `blocking:heartbeat:${id}`,
    `blocking:signal:${id}`,
    `blocking:ack:${id}:${partner}-s1`,
    `coordinator:activity:${id}`,
    `swarm:swarm-${n % 3}:blocking:${id}`,
    `blocking:idempotency:${id}:${partner}:completion:0:1760000000000`,
    `blocking:idempotency:${partner}:${id}:completion:0:1760000000000`,
  ];
}

/** Half of the ids have one segment, half two. */
function idOf(n: number): string {
  return n % 4 < 2 ? `coordinator-${n}` : `team-${n % 9}:coordinator-${n}`;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

export class Lapsing {
  readonly seen = { looks: 0, beats: 0, deaths: 0, revived: 0, reborn: 0, swept: 0, early: 0, unseen: 0 };
  readonly #redis: Redis;
  readonly #all: Coordinator[];
  #mood: 'wild' | 'calm' = 'wild';
  /** From when to when the server was up, since each time that silence began anew; and when something last went wrong. */
  readonly #up = [[{ from: 0, to: Number.POSITIVE_INFINITY }]];
  #troubleAt = 0;

  constructor(
    url: string,
    count: number,
    private readonly random: Random,
    /** The reports of all runs so far. */
    private readonly reports: () => Promise<readonly Report[]>,
  ) {
    this.#redis = new Redis(url, { connectionName: 'fixture', maxRetriesPerRequest: 0, retryStrategy: () => 20 });
    this.#redis.on('error', () => {});
    this.#all = Array.from({ length: count }, (_, n) => this.#conceive(n));
    for (const [n, one] of this.#all.entries()) one.partner = this.#all[n ^ 1] ?? one;
  }

  #conceive(n: number): Coordinator {
    const never = { bornAt: 0, lastAt: 0, possiblyAt: 0, diesAt: 0, nextAt: 0 };
    const id = idOf(n);
    const keys = keysOf(n, id, idOf(n ^ 1));
    const member = n % 8 < 4 ? 'timestamp' : 'lastHeartbeat';
    const one = { id, keys, own: 4, member, ...never, beating: true, hasLetter: false, isGone: true } as const;
    return { ...one, partner: one as unknown as Coordinator };
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** Nobody dies or comes back any more. */
  calm(): void {
    this.#mood = 'calm';
  }

  /** A worker, or one of the servers, went or came back: what is due may be late. */
  trouble(): void {
    this.#troubleAt = Date.now();
  }

  /** The target was away between these instants: silence counts anew from its return, or goes on then (P10). */
  wasAway(from: number, to: number, silence: 'anew' | 'on'): void {
    const last = this.#up.at(-1)?.at(-1);
    if (last) last.to = from;
    const next = { from: to, to: Number.POSITIVE_INFINITY };
    if (silence === 'anew') this.#up.push([next]);
    else this.#up.at(-1)?.push(next);
    this.trouble();
  }

  get #upAt(): number {
    return this.#up.at(-1)?.at(-1)?.from ?? 0;
  }

  count(beating: boolean): number {
    return this.#all.filter((one) => one.beating === beating).length;
  }

  /** The keys of those who beat, and both letters of every pair of which one does; whoever is dead must have gone by now. */
  expectedKeys(): string[] {
    const living = this.#all.filter(({ beating }) => beating);
    const keys = living.flatMap((one) => one.keys.slice(0, 1 + one.own));
    const letters = this.#all.flatMap((one) => (one.hasLetter ? [one.keys[1 + one.own] ?? ''] : []));
    return [...new Set([...keys, ...letters])].sort();
  }

  /** Whether anybody dead still has something. */
  get isSettled(): boolean {
    return this.#all.every(({ beating, isGone }) => beating || isGone);
  }

  /** One round: whoever is to beat does, and some of the dead are looked at. */
  async round(): Promise<void> {
    const { random } = this;
    const now = Date.now();
    const due = this.#all.filter(({ beating, nextAt }) => beating && nextAt <= now);
    const dead = this.#all.filter(({ beating }) => !beating);
    const back = this.#mood === 'calm' ? [] : dead.filter(({ nextAt }) => nextAt <= now);
    const looked = random.sample(
      this.#all.filter((one) => !due.includes(one) && !back.includes(one)),
      60,
    );
    await this.#do('look', looked);
    await this.#do('beat', [...due, ...back]);
    for (const one of due) {
      if (this.#mood === 'calm' || one.diesAt > now) continue;
      one.beating = false;
      this.seen.deaths++;
      // Most of those who come back do it about when they are swept.
      const silent = random.next() < 0.6 ? random.between(16, 26) : random.next() < 0.3 ? 9 : random.between(32, 50);
      one.nextAt = now + silent * 1000;
    }
  }

  async #do(deed: Deed, coordinators: readonly Coordinator[]): Promise<void> {
    const replies = await Promise.allSettled(
      coordinators.map(({ keys, own, member }) =>
        this.#redis.eval(STEP, keys.length, ...keys, deed, own, member, TIMES.ttl),
      ),
    );
    for (const [i, one] of coordinators.entries()) {
      const reply = replies[i];
      if (reply?.status === 'fulfilled') await this.#learn(one, deed, reply.value as Seen);
      // It may have been done, or not.
      else if (deed === 'beat') one.possiblyAt = Date.now();
    }
  }

  async #learn(one: Coordinator, deed: Deed, [, own, letter, partners, now]: Seen): Promise<void> {
    const { seen, random } = this;
    seen.looks++;
    await this.#expectOwn(one, own, now);
    await this.#expectLetter(one, letter, now);
    await this.#expectLetter(one.partner, partners, now);
    if (deed === 'look') return;
    seen.beats++;
    const back = !one.beating;
    if (back) own === 0 ? seen.reborn++ : seen.revived++;
    if (back || one.bornAt === 0) {
      one.bornAt = now;
      // Long enough that a run meets it.
      one.diesAt = now + random.between(10, 40) * 1000;
    }
    if (own === 0) one.hasLetter = true;
    one.beating = true;
    one.isGone = false;
    one.lastAt = one.possiblyAt = now;
    one.nextAt = now + TIMES.beat * 1000;
  }

  /** For how long it has been silent at most, by the server's own rule, in ms. */
  #silence({ lastAt }: Coordinator, now: number): number {
    const within = ({ from, to }: { from: number; to: number }) =>
      Math.max(0, Math.min(to, now) - Math.max(lastAt, from));
    return Math.max(...this.#up.map((spans) => spans.reduce((sum, span) => sum + within(span), 0)));
  }

  /** Whether a run looked between these instants, and so knows what was there. */
  async #looked(from: number, to: number): Promise<boolean> {
    const reports = await this.reports();
    return reports.some(({ startedAt, finishedAt }) => Date.parse(startedAt) >= from && Date.parse(finishedAt) <= to);
  }

  /** Whoever is silent for less than the threshold may have gone only where no run saw its last beat: it goes by what was seen. */
  async #expectStale(one: Coordinator, silence: number, what: string): Promise<void> {
    if (silence > TIMES.staleAfter * 1000) return;
    const { lastAt } = one;
    const sawLast = await this.#looked(lastAt + 1_000, lastAt + TIMES.ttl * 1000);
    if (one.beating || sawLast || silence < TIMES.ttl * 1000) {
      const state = one.beating ? 'beating' : 'dead';
      throw new Error(`${one.id}, ${state}, silent for ${seconds(silence)} s, lost ${what} (P1, P2, P11)`);
    }
    this.seen.early++;
  }

  async #expectOwn(one: Coordinator, own: number, now: number): Promise<void> {
    if (one.bornAt === 0) return;
    if (own !== 0 && own !== one.own) throw new Error(`${one.id} was torn: it had ${own} of ${one.own} keys (P3)`);
    if (own === 0 && !one.isGone) {
      await this.#expectStale(one, this.#silence(one, now), 'everything');
      one.isGone = true;
      this.seen.swept++;
    } else if (own !== 0 && !one.beating) await this.#expectNotDue(one, one.possiblyAt, now, 'everything');
  }

  async #expectLetter(one: Coordinator, letter: number, now: number): Promise<void> {
    const { partner } = one;
    const [, later] = [one, partner].sort((a, b) => a.lastAt - b.lastAt);
    if (letter === 0 && one.hasLetter && later) await this.#expectStale(later, this.#silence(later, now), 'a letter');
    one.hasLetter = letter === 1;
    if (letter === 0 || one.beating || partner.beating || !later) return;
    await this.#expectNotDue(later, Math.max(one.possiblyAt, partner.possiblyAt), now, 'a letter');
  }

  /** Whoever was seen to beat, and is silent for the threshold and one interval, has nothing left. */
  async #expectNotDue(one: Coordinator, lastAt: number, now: number, what: string): Promise<void> {
    const late = (TIMES.staleAfter + TIMES.every + SLACK_SECONDS) * 1000;
    const calmAt = this.#troubleAt + RECOVERY_SECONDS * 1000;
    if (now <= Math.max(Math.max(lastAt, this.#upAt) + late, calmAt + TIMES.every * 1000)) return;
    // Who lived and died between two looks leaves orphans, as is said.
    if (await this.#looked(one.bornAt, one.lastAt + TIMES.ttl * 1000)) {
      throw new Error(`${one.id}, silent for ${seconds(now - lastAt)} s, still has ${what} (P11)`);
    }
    this.seen.unseen++;
    one.nextAt = now;
  }
}
