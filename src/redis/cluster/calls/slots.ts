/** slots: to which of a cluster's 16,384 slots a name belongs, and names that belong to a given one. */
import slotOfName from 'cluster-key-slot';

export const SLOTS = 16_384;

const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The slot of a name: that of what stands between its first `{` and the next `}`, if anything does, else of all of it. */
export function slotOf(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const open = name.indexOf(OPEN);
  // Then all of the name counts, of which the library knows nothing.
  return open !== -1 && name[open + 1] === CLOSE ? slotOfAll(name) : slotOfName(name);
}

/** The slot of a name by all of it: CRC-16/XMODEM. */
function slotOfAll(name: Uint8Array): number {
  let crc = 0;
  for (const byte of name) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}

/** The slot of a byte string. */
export function slotOfText(name: string): number {
  return slotOf(Buffer.from(name, 'latin1'));
}

/** Whether only a part of a name says where it belongs. */
export function hasTag(name: Uint8Array): boolean {
  const open = name.indexOf(OPEN);
  return open !== -1 && name.indexOf(CLOSE, open + 1) > open + 1;
}

let tags: string[] | null = null;

/** A short text that stands for a slot between braces: `{tag}` at the beginning of a name puts that there. */
export function tagOf(slot: number): string {
  tags ??= allTags();
  return tags[slot] ?? '';
}

/** Takes some 10 ms, once. */
function allTags(): string[] {
  const found: string[] = Array.from({ length: SLOTS });
  for (let n = 0, missing = SLOTS; missing > 0; n++) {
    const tag = n.toString(36);
    const slot = slotOfText(tag);
    if (found[slot] !== undefined) continue;
    found[slot] = tag;
    missing--;
  }
  return found;
}

/** Slots as people write them: `0-5460, 7000`; they are to be in order. */
export function rangesOf(slots: readonly number[]): string {
  const ranges: string[] = [];
  for (let i = 0; i < slots.length; ) {
    let end = i;
    while (slots[end + 1] === (slots[end] as number) + 1) end++;
    ranges.push(end === i ? `${slots[i]}` : `${slots[i]}-${slots[end]}`);
    i = end + 1;
  }
  return ranges.join(', ');
}

/** The positions of names, slot by slot; a text stands for its bytes, one a character. */
export function positionsBySlot(names: readonly (Uint8Array | string)[]): ReadonlyMap<number, readonly number[]> {
  const slots = new Map<number, number[]>();
  for (const [at, name] of names.entries()) {
    const slot = typeof name === 'string' ? slotOfText(name) : slotOf(name);
    const known = slots.get(slot);
    if (known === undefined) slots.set(slot, [at]);
    else known.push(at);
  }
  return slots;
}
