/** guesses: how often a password may be guessed, and by whom it was. Counted by address and user, so that nobody is slowed down for
 * what others tried elsewhere; and a browser that once had the right one is counted by itself, whatever others try behind the same
 * proxy. After too many wrong ones they are looked at one by one, with pauses: the right one still opens, and nobody guesses fast. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { ipKeyGenerator, MemoryStore } from 'express-rate-limit';

/** Room for typing errors. */
const MOST_FAILURES = 20;
/** The pause before each later one: at most 43,200 guesses a day from one address. */
const PAUSE_MS = 2_000;
/** How many may wait for their turn; more are not looked at. */
const MOST_WAITING = 5;
const WINDOW_MS = 15 * 60_000;
const KNOWN_FOR_MS = 30 * 24 * 3_600_000;
const COOKIE = 'stalesweep';

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

interface Attempt {
  /** Whether there were too many wrong ones before. */
  readonly isLate: boolean;
  readonly isLookedAt: boolean;
}

/** Counts wrong passwords. Known browsers are forgotten with the process. */
export class Guesses {
  readonly #secret = randomBytes(32);
  readonly #store = new MemoryStore();
  /** Where somebody waits: how many do, and when the last one's turn comes, by `performance.now`. */
  readonly #lines = new Map<string, { waiting: number; lastTurnAt: number }>();

  constructor(private readonly path: string) {
    this.#store.init({ windowMs: WINDOW_MS } as Parameters<MemoryStore['init']>[0]);
  }

  /** How this attempt is to be taken, once it is its turn. Counts it as wrong until `right` is told. */
  async begin(request: Request, user: string): Promise<Attempt> {
    const key = this.#keyOf(request, user);
    const { totalHits } = await this.#store.increment(key);
    if (totalHits <= MOST_FAILURES) return { isLate: false, isLookedAt: true };
    return { isLate: true, isLookedAt: await this.#waitForTurn(key) };
  }

  /** Takes back what `begin` counted, and makes the browser a known one. */
  async right(request: Request, response: Response, user: string): Promise<void> {
    await this.#store.decrement(this.#keyOf(request, user));
    if (this.#knownIn(request) !== null) return;
    const nonce = randomBytes(16).toString('base64url');
    response.cookie(COOKIE, `${nonce}.${this.#sign(nonce)}`, {
      httpOnly: true,
      sameSite: 'strict',
      secure: request.secure,
      path: this.path || '/',
      maxAge: KNOWN_FOR_MS,
    });
  }

  /** Whether its turn has come; at once that it never does, where too many wait. */
  async #waitForTurn(key: string): Promise<boolean> {
    const now = performance.now();
    const line = this.#lines.get(key) ?? { waiting: 0, lastTurnAt: now };
    if (line.waiting >= MOST_WAITING) return false;
    this.#lines.set(key, line);
    line.waiting++;
    line.lastTurnAt += PAUSE_MS;
    await pause(line.lastTurnAt - now, undefined, { ref: false });
    if (--line.waiting === 0) this.#lines.delete(key);
    return true;
  }

  #keyOf(request: Request, user: string): string {
    const known = this.#knownIn(request);
    // One byte of the name: whoever makes up names makes no more than 256 keys.
    return known === null ? `${ipKeyGenerator(request.ip ?? '')} ${hash(user)[0]}` : `known ${known}`;
  }

  /** What names the browser, where it once had the right password. */
  #knownIn(request: Request): string | null {
    const [, nonce = '', signature = ''] =
      /(?:^|;\s*)stalesweep=([\w-]{22})\.([\w-]{43})(?:;|$)/.exec(request.get('cookie') ?? '') ?? [];
    return nonce !== '' && timingSafeEqual(hash(signature), hash(this.#sign(nonce))) ? nonce : null;
  }

  #sign(nonce: string): string {
    return createHmac('sha256', this.#secret).update(nonce).digest('base64url');
  }
}
