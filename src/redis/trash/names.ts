/** names: what things are called in the trash.
 *
 *      stalesweep:trash:<second>:<run>:<sending>:<position>:<name>
 *      stalesweep:trash:<second>:<run>:<sending>:<position>{<name>}      where the name has no hash tag
 *      stalesweep:trash-ttl:<sending>                                   what times to live they had, by position
 *
 * Second and position in base 36, the run percent-encoded, so that no brace and no colon stands before the position: with the
 * name's own hash tag, or all of the name as one, both lie in the same slot. (A name with a `}` and no tag can't have that.)
 * No two sendings of a chunk share a name, so nothing in the trash is ever overwritten.
 *
 * In a cluster a tag that stands for the slot comes first, for any name whatever, and for the times to live as well:
 *
 *      stalesweep:trash:{<tag>}:<second>:<run>:<sending>:<position>:<name>
 *      stalesweep:trash-ttl:{<tag>}:<sending>
 */
import { randomBytes } from 'node:crypto';
import { Bulk } from '../call/bulk.ts';

export const TRASH_PREFIX = 'stalesweep:trash:';
const TTL_PREFIX = 'stalesweep:trash-ttl:';
/** Finds all of both, for an ACL. */
export const TRASH_GLOB = 'stalesweep:trash*';

const OPEN = 123;
const CLOSE = 125;
const COLON = 58;
const SENDING_BYTES = 6;

/** Where the things of one call go: their names there, in order, and that of the key which holds their times to live. */
export interface Sending {
  readonly names: Bulk;
  readonly ttls: string;
}

/** Names for things that go to the trash. */
export class Trash {
  readonly #begunAt = performance.now();

  /**
   * @param keepMs how long they stay there
   * @param nowSeconds the target's own time, now
   * @param tag of things of one slot of a cluster: puts names there
   */
  constructor(
    readonly keepMs: number,
    private readonly run: string,
    private readonly nowSeconds: number,
    private readonly tag: string | null = null,
  ) {}

  /** Names for things of one slot of a cluster. */
  in(tag: string): Trash {
    return new Trash(this.keepMs, this.run, this.#seconds, tag);
  }

  get #seconds(): number {
    return this.nowSeconds + (performance.now() - this.#begunAt) / 1000;
  }

  /** New names, different at each call. */
  send(lists: readonly Bulk[]): Sending {
    const { tag } = this;
    const sending = randomBytes(SENDING_BYTES).toString('base64url');
    const second = Math.floor(this.#seconds).toString(36);
    const inSlot = tag === null ? '' : `{${tag}}:`;
    const head = Buffer.from(`${TRASH_PREFIX}${inSlot}${second}:${encodeRun(this.run)}:${sending}:`, 'latin1');
    const names = new Bulk(lists.reduce((sum, { bytes, count }) => sum + bytes.length + count * (head.length + 8), 0));
    let position = 0;
    for (const list of lists) {
      list.forEach((bytes, from, to) => {
        const digits = Buffer.from((position++).toString(36), 'latin1');
        const wrapped = tag === null && !hasTag(bytes, from, to);
        names.begin(head.length + digits.length + 1 + to - from + (wrapped ? 1 : 0));
        names.put(head, 0, head.length);
        names.put(digits, 0, digits.length);
        names.put(wrapped ? WRAP : PLAIN, 0, 1);
        names.put(bytes, from, to);
        if (wrapped) names.put(WRAP, 1, 2);
        names.end();
      });
    }
    return { names, ttls: `${TTL_PREFIX}${inSlot}${sending}` };
  }
}

const WRAP = Uint8Array.of(OPEN, CLOSE);
const PLAIN = Uint8Array.of(COLON);

/** A run's id as it stands in names: without what has a meaning there, or in a pattern. */
export function encodeRun(run: string): string {
  return encodeURIComponent(run).replaceAll('*', '%2A');
}

/** Whether Redis Cluster takes only a part of a name for its slot. */
function hasTag(bytes: Uint8Array, from: number, to: number): boolean {
  const open = bytes.indexOf(OPEN, from);
  if (open === -1 || open >= to) return false;
  const close = bytes.indexOf(CLOSE, open + 1);
  return close > open + 1 && close < to;
}

/** What a name in the trash says. */
export interface Trashed {
  /** When it was put there, by the target's clock. */
  readonly second: number;
  /** As `encodeRun` gives it. */
  readonly run: string;
  /** The key that holds what times to live the things of its call had. */
  readonly ttls: string;
  readonly position: number;
  readonly name: Buffer;
}

const HEAD = /^stalesweep:trash:(\{[0-9a-z]+\}:)?([0-9a-z]+):([^:{}]+):([\w-]+):([0-9a-z]+)([:{])/;
/** A run's id takes 64 characters or so, percent-encoded up to three times as many. */
const MOST_HEAD = 1_024;

/** Reads a name; `null` when it is none that was given here. */
export function readTrashName(key: Buffer): Trashed | null {
  const head = HEAD.exec(key.toString('latin1', 0, Math.min(key.length, MOST_HEAD)));
  if (head === null) return null;
  const [all, inSlot = '', second = '', run = '', sending = '', position = '', end] = head;
  const ttls = `${TTL_PREFIX}${inSlot}${sending}`;
  const wrapped = end === '{';
  if (wrapped && key.at(-1) !== CLOSE) return null;
  const name = key.subarray(all.length, wrapped ? key.length - 1 : key.length);
  return { second: Number.parseInt(second, 36), run, ttls, position: Number.parseInt(position, 36), name };
}

/** The id of the run that put it there, by its name; as it stands there, where nobody of ours wrote it. */
export function runIn(key: Buffer): string {
  const { run = '' } = readTrashName(key) ?? {};
  try {
    return decodeURIComponent(run);
  } catch {
    return run;
  }
}
