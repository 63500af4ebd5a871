/** outages: the spans in which a target did not answer or took no writes, as any process saw it (P10).
 *  Owns      one block for each Redis that is meant by a target's name: up to 256 spans, apart from each other, the newest ones.
 *  Leaves    what an outage is, and what follows from it, to those who look at targets.
 */
import { merged } from '../../domain/outages.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { AGELESS_MS } from '../ages.ts';
import type { Blocks } from '../blocks.ts';
import { type NamedPlace, outagesName, sharedName } from '../runs/names.ts';
import { seal, unseal } from '../sealed.ts';

/** In ms since the epoch, by the clock of the queue's Redis. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A span takes 12 bytes; those of every target together must stay small beside the ledger. */
const MOST_SPANS = 256;
/** Seconds are not exact enough: silence is counted in them. */
const SPAN_BYTES = 12;
const ATTEMPTS = 50;

/** All spans together, as a run merges outages: those that overlap or touch as one, in order, those that last no time left out. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const outages = spans.map(({ fromMs, toMs }) => ({ fromAt: fromMs, toAt: toMs }));
  return merged(outages).map(({ fromAt, toAt }) => ({ fromMs: fromAt, toMs: toAt }));
}

/** What of these spans lies before an instant, in ms. */
export function endedBy(spans: readonly Span[], atMs: number): Span[] {
  return mergeSpans(spans.map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.min(toMs, Math.ceil(atMs)) })));
}

function encode(spans: readonly Span[]): Buffer {
  const bytes = Buffer.alloc(spans.length * SPAN_BYTES);
  for (const [i, { fromMs, toMs }] of spans.entries()) {
    bytes.writeUIntLE(fromMs, i * SPAN_BYTES, 6);
    bytes.writeUIntLE(toMs, i * SPAN_BYTES + 6, 6);
  }
  return seal([bytes]);
}

function decode(sealed: Buffer): Span[] {
  const bytes = unseal(sealed);
  if (bytes.length % SPAN_BYTES !== 0) throw new DamagedBlock('a span is cut off');
  return Array.from({ length: bytes.length / SPAN_BYTES }, (_, i) => ({
    fromMs: bytes.readUIntLE(i * SPAN_BYTES, 6),
    toMs: bytes.readUIntLE(i * SPAN_BYTES + 6, 6),
  }));
}

async function read(blocks: Blocks, target: NamedPlace): Promise<{ spans: Span[]; sealed: Buffer }> {
  for await (const sealed of blocks.read([outagesName(target)]))
    if (sealed !== null) return { spans: decode(sealed), sealed };
  return { spans: [], sealed: Buffer.alloc(0) };
}

/**
 * Notes a span, together with those that it overlaps or touches. Whole ms from 0 on; nothing is noted of one that lasts
 * no time. Rejects as `Blocks` do.
 */
export async function addOutage(blocks: Blocks, target: NamedPlace, span: Span): Promise<void> {
  if (!(span.toMs > span.fromMs && span.fromMs >= 0)) return;
  await rewrite(blocks, target, (spans) => mergeSpans([...spans, span]).slice(-MOST_SPANS));
}

/** Forgets what was noted of the time after this instant, in ms: the clock was put back to it. Rejects as `Blocks` do. */
export async function endOutages(blocks: Blocks, target: NamedPlace, atMs: number): Promise<void> {
  const { spans } = await readOrDamaged(blocks, target);
  if (spans.some(({ toMs }) => toMs > atMs)) await rewrite(blocks, target, (known) => endedBy(known, atMs));
}

async function rewrite(
  blocks: Blocks,
  target: NamedPlace,
  nextOf: (spans: readonly Span[]) => readonly Span[],
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { spans, sealed } = await readOrDamaged(blocks, target);
    // It must not go when a run sweeps much: so it does not age like other blocks, and is bounded by itself.
    const writing = { ...(sealed === null ? {} : { replaces: sealed }), atMs: AGELESS_MS };
    if (await blocks.write(outagesName(target), encode(nextOf(spans)), writing)) return;
  }
  throw new Error('other processes note outages again and again at the same moment');
}

/** What is damaged is replaced, whatever stands there. */
async function readOrDamaged(blocks: Blocks, target: NamedPlace): Promise<{ spans: Span[]; sealed: Buffer | null }> {
  try {
    return await read(blocks, target);
  } catch (error) {
    if (!(error instanceof DamagedBlock)) throw error;
    return { spans: [], sealed: null };
  }
}

/**
 * The spans that ended after this instant, in order; with those that an older version noted under this name, whichever Redis it
 * meant: a silence that is cut too short costs time alone. Rejects with `DamagedBlock` when they can't be read.
 */
export async function outagesSince(blocks: Blocks, target: NamedPlace, sinceMs: number): Promise<Span[]> {
  const spans: Span[] = [];
  for await (const sealed of blocks.read([sharedName('outages', target), outagesName(target)]))
    if (sealed !== null) spans.push(...decode(sealed));
  return mergeSpans(spans).filter(({ toMs }) => toMs > sinceMs);
}
