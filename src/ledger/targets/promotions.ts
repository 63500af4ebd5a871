/** promotions: since when servers that took over from others are known as primaries (P10).
 *
 *  Owns      one block for each Redis that is meant by a target's name: up to 1,024 histories that replicas began as they took over, the
 *            newest ones, each with the instant at which anybody first saw it. Those that stand as the block is begun are as old as can be.
 *  Leaves    what a history is to redis/target/promotion, what follows from it to those who open a target.
 */
import { createHash } from 'node:crypto';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { AGELESS_MS } from '../ages.ts';
import type { Blocks } from '../blocks.ts';
import { type NamedPlace, promotionsName } from '../runs/names.ts';
import { seal, unseal } from '../sealed.ts';

const MOST = 1024;
const DIGEST_BYTES = 8;
const ENTRY_BYTES = DIGEST_BYTES + 6;
const ATTEMPTS = 50;
/** Of those that nobody saw begin: long ago. */
const LONG_AGO_MS = 0;

type Seen = ReadonlyMap<string, number>;

function digestOf(history: string): string {
  return createHash('sha256')
    .update(history)
    .digest('hex')
    .slice(0, 2 * DIGEST_BYTES);
}

function encode(seen: Seen): Buffer {
  const entries = [...seen].slice(-MOST).map(([digest, atMs]) => {
    const entry = Buffer.alloc(ENTRY_BYTES);
    entry.write(digest, 'hex');
    entry.writeUIntLE(atMs, DIGEST_BYTES, 6);
    return entry;
  });
  return seal(entries);
}

function decode(sealed: Buffer): Seen {
  const bytes = unseal(sealed);
  if (bytes.length % ENTRY_BYTES !== 0) throw new DamagedBlock('a history is cut off');
  const seen = new Map<string, number>();
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const digest = bytes.toString('hex', at, at + DIGEST_BYTES);
    seen.set(digest, bytes.readUIntLE(at + DIGEST_BYTES, 6));
  }
  return seen;
}

/** What stands there; `null`: nothing yet. What is damaged counts as one in which nothing stands. */
async function read(blocks: Blocks, target: NamedPlace): Promise<{ seen: Seen; sealed: Buffer } | null> {
  for await (const sealed of blocks.read([promotionsName(target)])) {
    if (sealed === null) continue;
    try {
      return { seen: decode(sealed), sealed };
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
      return { seen: new Map(), sealed };
    }
  }
  return null;
}

/**
 * When these histories were first seen, in ms of the target's clock; none of those of which nobody saw them begin. Rejects as `Blocks` do.
 * @param histories all that stand now
 * @param nowMs the target's clock
 * @param notes whether those that nobody has seen before are noted; whoever may write nothing sees them begin each time
 */
export async function promotedAt(
  blocks: Blocks,
  target: NamedPlace,
  histories: readonly string[],
  nowMs: number,
  notes: boolean,
): Promise<ReadonlyMap<string, number>> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const known = await read(blocks, target);
    const before = known?.seen ?? new Map<string, number>();
    const firstMs = known === null ? LONG_AGO_MS : Math.floor(nowMs);
    const seen = new Map(histories.map((history) => [history, before.get(digestOf(history)) ?? firstMs]));
    if (notes && (known === null || histories.some((history) => !before.has(digestOf(history))))) {
      const standing = new Map([...seen].map(([history, atMs]) => [digestOf(history), atMs]));
      const gone = [...before].filter(([digest]) => !standing.has(digest));
      // Without it nobody knows who took over: so it does not age, and is bounded by itself.
      const writing = { replaces: known?.sealed ?? Buffer.alloc(0), atMs: AGELESS_MS };
      if (!(await blocks.write(promotionsName(target), encode(new Map([...gone, ...standing])), writing))) continue;
    }
    return new Map([...seen].filter(([, atMs]) => atMs !== LONG_AGO_MS));
  }
  throw new Error('other processes note who took over again and again at the same moment');
}
