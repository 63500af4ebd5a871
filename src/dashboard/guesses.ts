/** guesses: how often a password may be guessed, and by whom it was. Counted by address and user, so that nobody is kept out for
 * what others tried elsewhere; and a browser that once had the right one is counted by itself, so that it is never kept out for
 * what others try behind the same proxy. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import { ipKeyGenerator, MemoryStore } from 'express-rate-limit';

/** Room for typing errors, none for guessing: at most 1,920 guesses a day from one address. */
const MOST_FAILURES = 20;
const WINDOW_MS = 15 * 60_000;
const KNOWN_FOR_MS = 30 * 24 * 3_600_000;
const COOKIE = 'stalesweep';

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Counts wrong passwords. Known browsers are forgotten with the process. */
export class Guesses {
  readonly #secret = randomBytes(32);
  readonly #store = new MemoryStore();

  constructor(private readonly path: string) {
    this.#store.init({ windowMs: WINDOW_MS } as Parameters<MemoryStore['init']>[0]);
  }

  /** Whether this attempt may be looked at. Counts it as wrong until `right` is told. */
  async begin(request: Request, user: string): Promise<boolean> {
    const { totalHits } = await this.#store.increment(this.#keyOf(request, user));
    return totalHits <= MOST_FAILURES;
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
