/** aside: the keys of one chunk, taken out of everybody's sight slot by slot, then removed or put back.
 *
 *      set aside ──▶ (are their owners still stale?) ──▶ removed, or moved to the trash
 *                                                   └──▶ put back, never over something that exists
 *
 * A key that was set aside while its owner is seen to be stale afterwards was taken from a stale one: nobody had beaten when it went.
 * Plain commands do it, hundreds in one go; what they can't settle, as where a slot is on its way or an answer was lost, scripts do slot
 * by slot, which can tell what was done before.
 */
import { asTaken, mostAtOnce } from '../../call/asTaken.ts';
import { Bulk } from '../../call/bulk.ts';
import { setAside } from '../../setAside.ts';
import { spellToTrash, TO_TRASH } from '../../toTrash.ts';
import type { Trash } from '../../trash/names.ts';
import { each } from '../calls/each.ts';
import { type KeysBySlot, partOf, type Span } from '../calls/keysBySlot.ts';
import type { RoutedCalls } from '../calls/routedCalls.ts';
import { callBySlot, type Spelled } from '../calls/scripted.ts';
import { tagOf } from '../calls/slots.ts';
import { bringBack } from './bringBack.ts';
import { inTime } from './lease.ts';
import { AsideNames } from './names.ts';
import type { Turn } from './turn.ts';

/** So many names go in one UNLINK: they take Redis a quarter of a millisecond. */
const MOST_REMOVED = 256;
/** So many go in one call of a script: they take it half a millisecond. */
const MOST_BY_SCRIPT = 200;

const [HERE, UNSURE, ASIDE] = [0, 1, 2];

/** What RENAMENX says where there is nothing to rename. */
function isNothing(reply: unknown): boolean {
  return reply instanceof Error && /^ERR no such key/.test(reply.message);
}

/** Where keys wait until it is known what becomes of them. */
export class Aside {
  readonly #names: AsideNames;
  /** By their numbers. */
  readonly #where: Uint8Array;
  #isInDoubt = false;

  /** @param turn insisted on before each step but those that put back, what that rejects with ends it; and what nothing is set aside after */
  constructor(
    private readonly calls: RoutedCalls,
    private readonly keys: KeysBySlot,
    private readonly turn: Pick<Turn, 'insist' | 'untilIn' | 'passAt'>,
  ) {
    this.#names = new AsideNames(keys);
    this.#where = new Uint8Array(keys.count);
  }

  /** Whether one may yet be set aside by a call that was lost, after all others were settled. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** Where they are. */
  get slots(): ReadonlySet<number> {
    return new Set(this.keys.numbers.map((number) => this.keys.slotOf(number)));
  }

  /**
   * Sets them aside, side by side. Resolves, when all are, to whether each of the keys was there, by its place.
   * @param idleSeconds only those that nobody touched for longer than this; `null`: all
   */
  async set(idleSeconds: number | null = null): Promise<boolean[]> {
    const { keys, calls } = this;
    const lostBefore = calls.lostCount;
    const all = keys.numbers;
    this.#where.fill(UNSURE);
    try {
      const left = idleSeconds === null ? await this.#renameAside(all) : all;
      await each(keys.spansOf(left, MOST_BY_SCRIPT), async (span) => {
        await this.#inParts(span, 'setAside', async (own, names, { numbers }) => {
          await this.turn.insist();
          const { isAside } = await inTime(setAside(calls, own, names, this.turn.untilIn(span.slot), idleSeconds));
          for (const [i, number] of numbers.entries()) this.#where[number] = isAside[i] ? ASIDE : HERE;
        });
      });
    } finally {
      this.#isInDoubt ||= calls.lostCount > lostBefore;
    }
    const were = all.map(() => false);
    for (const number of all) were[keys.places[number] as number] = this.#where[number] === ASIDE;
    return were;
  }

  /** Those that it leaves are to be set aside by script, as where no pass can show that they come in time. */
  async #renameAside(numbers: readonly number[]): Promise<readonly number[]> {
    const { keys } = this;
    return await this.calls.inBursts(numbers, (number) => keys.slotOf(number), {
      name: 'renamenx',
      ready: async () => await this.turn.insist(),
      passAt: (node) => this.turn.passAt(node),
      spell: (burst, number) => {
        burst.open(2);
        keys.addTo(burst.commands, number);
        this.#names.addTo(burst.commands, number);
      },
      take: (number, reply) => {
        if (reply !== 1 && !isNothing(reply)) return false;
        this.#where[number] = reply === 1 ? ASIDE : HERE;
        return true;
      },
    });
  }

  /**
   * Removes them, for good or into the trash. Resolves to the places of those that somebody has put back meanwhile.
   * @param trash where they are kept for a while; `null`: they go for good
   */
  async remove(trash: Trash | null = null): Promise<readonly number[]> {
    const { keys, calls } = this;
    const aside = keys.numbers.filter((number) => this.#where[number] === ASIDE);
    const spans = keys.spansOf(aside, Math.min(MOST_REMOVED, mostAtOnce(calls, 'unlink')));
    // They may have expired, or have been put back by somebody who took this run for killed.
    const fewer: Span[] = [];
    const take = (span: Span, removed: number) => {
      if (removed < span.numbers.length) fewer.push(span);
      for (const number of span.numbers) this.#where[number] = HERE;
    };
    if (trash === null) await this.#unlink(spans, take);
    else await this.#toTrash(spans, trash, take);
    const back: number[] = [];
    await each(fewer, async ({ numbers }) => {
      for (const number of numbers) {
        const own = new Bulk();
        keys.addTo(own, number);
        const { reply: exists } = await calls.send('exists', [own]);
        own.clear();
        if (exists === 1) back.push(keys.places[number] as number);
      }
    });
    return back;
  }

  async #unlink(spans: readonly Span[], take: (span: Span, removed: number) => void): Promise<void> {
    const { calls } = this;
    const left = await calls.inBursts(spans, ({ slot }) => slot, {
      name: 'unlink',
      ready: async () => await this.turn.insist(),
      spell: (burst, { numbers }) => {
        burst.open(numbers.length);
        for (const number of numbers) this.#names.addTo(burst.commands, number);
      },
      take: (span, reply) => {
        if (typeof reply !== 'number') return false;
        take(span, reply);
        return true;
      },
    });
    await each(left, async (span) => {
      await this.#inParts(span, 'unlink', async (_, names, part) => {
        await this.turn.insist();
        take(part, Number((await calls.send('unlink', [names])).reply));
      });
    });
  }

  async #toTrash(spans: readonly Span[], trash: Trash, take: (span: Span, removed: number) => void): Promise<void> {
    const spell = (span: Span): Spelled => {
      const [own, aside] = this.#spell(span);
      const spelled = spellToTrash(aside, own, trash.in(tagOf(span.slot)));
      own.clear();
      return spelled;
    };
    await callBySlot(
      this.calls,
      TO_TRASH,
      spans,
      spell,
      (span, reply) => take(span, Number(reply)),
      async () => await this.turn.insist(),
    );
  }

  /**
   * Puts back what may be aside, into what was begun anew meanwhile where that can be. Resolves to the names where it can't: what stood
   * there stays aside for a day.
   */
  async putBack(): Promise<readonly string[]> {
    const { keys, calls } = this;
    const begun = keys.numbers.filter((number) => this.#where[number] !== HERE);
    const renamed = await calls.inBursts(
      begun.filter((number) => this.#where[number] === ASIDE),
      (number) => keys.slotOf(number),
      {
        name: 'renamenx',
        spell: (burst, number) => {
          burst.open(2);
          this.#names.addTo(burst.commands, number);
          keys.addTo(burst.commands, number);
        },
        take: (number, reply) => {
          if (reply !== 1) return false;
          this.#where[number] = HERE;
          return true;
        },
      },
    );
    const left = new Set(renamed);
    const others = begun.filter((number) => left.has(number) || this.#where[number] === UNSURE);
    const taken: string[] = [];
    await each(keys.spansOf(others, MOST_BY_SCRIPT), async (span) => {
      await this.#inParts(span, 'putBack', async (own, aside, { numbers }) => {
        taken.push(...(await bringBack(calls, aside, own)).taken);
        for (const number of numbers) this.#where[number] = HERE;
      });
    });
    return taken;
  }

  /**
   * Spells the keys of one slot, and their names aside, for a call that is safe to repeat, and lets go of them after it; for several where
   * a server takes no more at once.
   */
  async #inParts(span: Span, name: string, send: (own: Bulk, aside: Bulk, part: Span) => Promise<void>): Promise<void> {
    await asTaken(this.calls, name, span.numbers.length, async (from, to) => {
      const part = partOf(span, from, to);
      const [own, aside] = this.#spell(part);
      try {
        await send(own, aside, part);
      } finally {
        own.clear();
        aside.clear();
      }
    });
  }

  #spell({ numbers }: Span): readonly [own: Bulk, aside: Bulk] {
    const [own, aside] = [new Bulk(), new Bulk()];
    for (const number of numbers) {
      this.keys.addTo(own, number);
      this.#names.addTo(aside, number);
    }
    return [own, aside];
  }
}
