/** names: what things are called while they are set aside, and what says that there are such.
 *
 *      stalesweep:aside:{<tag>}:<sending>:<position>:<name>     the tag puts it in the slot of its own name
 *      stalesweep:aside:{<tag>}:<sending>.taken:<position>:…    kept for a while and never put back: its name was written anew
 *      stalesweep:asides:{<tag>}                                a set of who is at work: <second>:<random>
 *      stalesweep:aside-pass:{<tag>}:<second>:<random>          a stream, without which nothing is set aside any more under that word
 *
 * Of the last two there is one in every sixteenth of the slots: written before anything is set aside, to the node that it is set aside
 * on, too, so that a failover which loses the one has lost the other before.
 */
import { randomBytes } from 'node:crypto';
import type { Bulk } from '../../call/bulk.ts';
import type { KeysBySlot } from '../calls/keysBySlot.ts';
import { SLOTS, slotOf, tagOf } from '../calls/slots.ts';
import { ASIDE_PREFIX } from '../prefixes.ts';

/** Finds all that is set aside. */
export const ASIDE_GLOB = `${ASIDE_PREFIX}*`;

const SENDING_BYTES = 6;
const ASIDE_HEAD = /^stalesweep:aside:\{[0-9a-z]+\}:[\w-]{8}/;
const ASIDE = /^stalesweep:aside:\{[0-9a-z]+\}:[\w-]{8}:[0-9a-z]+:/;
const MARKERS = 16;

/** Names aside that nobody else gives. */
export class AsideNames {
  readonly #sending = randomBytes(SENDING_BYTES).toString('base64url');
  #slot = -1;
  #head = '';

  constructor(private readonly keys: KeysBySlot) {}

  /** Adds the name aside of the key of this number. */
  addTo(bulk: Bulk, number: number): void {
    const { keys } = this;
    const slot = keys.slotOf(number);
    if (slot !== this.#slot) {
      this.#slot = slot;
      this.#head = `${ASIDE_PREFIX}{${tagOf(slot)}}:${this.#sending}:`;
    }
    const position = number.toString(36);
    bulk.begin(this.#head.length + position.length + 1 + keys.lengthOf(number));
    bulk.putText(this.#head);
    bulk.putText(position);
    bulk.putText(':');
    keys.putInto(bulk, number);
    bulk.end();
  }
}

/** The own name of a key that is set aside; `null` when it is none. */
export function ownNameOf(key: Buffer): Buffer | null {
  const [head] = ASIDE.exec(key.toString('latin1', 0, 64)) ?? [];
  if (head === undefined) return null;
  const own = key.subarray(head.length);
  return slotOf(own) === slotOf(key) ? own : null;
}

/** What one that is set aside is called once its own name is taken: nobody puts it back then. */
export function keptNameOf(name: string): string {
  return name.replace(ASIDE_HEAD, '$&.taken');
}

/** Where it is said whether something may be set aside. */
export const MARKER_SLOTS: readonly number[] = Array.from({ length: MARKERS }, (_, i) => (i * SLOTS) / MARKERS);

/** The key in such a slot that says so. */
export function markerIn(slot: number): string {
  return `stalesweep:asides:{${tagOf(slot)}}`;
}

/** All of them. */
export function markerKeys(): readonly string[] {
  return MARKER_SLOTS.map(markerIn);
}

/** The pass of a word in such a slot. */
export function passIn(slot: number, word: string): string {
  return `stalesweep:aside-pass:{${tagOf(slot)}}:${word}`;
}

/** Stands for one who is at work since this second of the target's clock. */
export function tokenOf(second: number): string {
  return `${second}:${randomBytes(SENDING_BYTES).toString('base64url')}`;
}

/** Since when the one is at work for whom a token stands. */
export function secondOf(token: string): number {
  return Number.parseInt(token, 10);
}
