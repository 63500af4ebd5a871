/** open runs: those that stand in the ledger and have not ended. */
import type { Redis } from 'ioredis';
import { DamagedBlock } from '../block/damagedBlock.ts';
import { compressNow, decompress, seal, unseal } from '../sealed.ts';
import { AGELESS_MS } from '../ages.ts';
import { type Blocks, repliesOf } from '../blocks.ts';
import { aliveName, OPEN, openName } from './names.ts';
import { endedAs, type PastRun, parseRun } from './pastRun.ts';

/** Whoever has not said for so long that it lives is taken for gone. Renewed three times within it. */
export const LEASE_MS = 10_000;
/** What `lua/writeBlock.lua` reserves for each, so that it may be rewritten without asking. */
const MOST_BYTES = 2_000;
const MOST_TEXT = 300;
/** What is longer is compressed, and begins with another byte. */
const JSON_BEGINS = '{'.charCodeAt(0);
const MOST_JSON_BYTES = 1024 * 1024;
/** A ledger shows no more of them; each run that begins ends those that are gone. */
const MOST_OPEN = 1_000;

/** A pipeline or transaction to which commands may be added. */
export type Commands = ReturnType<Redis['pipeline']>;

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, MOST_TEXT);
}

/** All of it where there is room, else without what is long, the least needed first. */
function* shorter(run: PastRun): Generator<PastRun> {
  yield run;
  const { soFar, ...rest } = { ...run, by: cut(run.by), reason: cut(run.reason) };
  if (soFar !== undefined) {
    yield { ...rest, soFar };
    yield { ...rest, soFar: { ...soFar, unreadable: soFar.unreadable.map((group) => ({ ...group, sample: [] })) } };
  }
  yield rest;
}

function encode(run: PastRun): Buffer {
  let encoded: Buffer = Buffer.alloc(0);
  for (const one of shorter(run)) {
    const json = Buffer.from(JSON.stringify(one));
    encoded = json.length <= MOST_BYTES ? json : compressNow(json);
    if (encoded.length <= MOST_BYTES) break;
  }
  return seal([encoded]);
}

async function decode(sealed: Buffer): Promise<PastRun> {
  const bytes = unseal(sealed);
  const isJson = bytes[0] === JSON_BEGINS;
  return parseRun(String(isJson ? bytes : await decompress(bytes, MOST_JSON_BYTES)));
}

async function decodeOrNone(sealed: Buffer): Promise<PastRun | null> {
  try {
    return await decode(sealed);
  } catch (error) {
    if (error instanceof DamagedBlock) return null;
    throw error;
  }
}

/** A run that has not ended. */
export interface OpenRun {
  readonly run: PastRun;
  /** As it stands in Redis. */
  readonly sealed: Buffer;
}

/** Notes a run that begins, or begins again. */
export async function writeOpen(blocks: Blocks, run: PastRun): Promise<void> {
  await blocks.write(openName(run.target, run.run), encode(run), { atMs: AGELESS_MS });
}

/** Notes how far a run has come; whether it stood there. Never brings back one that has ended meanwhile. Rejects as `Blocks` do. */
export async function writeProgress(blocks: Blocks, run: PastRun): Promise<boolean> {
  return (await blocks.redis.set(blocks.keyOf(openName(run.target, run.run)), encode(run), 'XX')) !== null;
}

/** Adds what says that the process of a run lives. */
export function addLease(blocks: Blocks, { target, run }: PastRun, commands: Commands): void {
  commands.set(blocks.keyOf(aliveName(target, run)), '1', 'PX', LEASE_MS);
}

/** Adds what says that it does not go on by itself. */
export function dropLease(blocks: Blocks, { target, run }: PastRun, commands: Commands): void {
  commands.unlink(blocks.keyOf(aliveName(target, run)));
}

/** Sends what `add` adds. */
export async function sendOpen(blocks: Blocks, run: PastRun, add: typeof addLease): Promise<void> {
  const commands = blocks.redis.pipeline();
  add(blocks, run, commands);
  await repliesOf(commands);
}

/** The run as it stands; `null` when it is not open. Rejects with `DamagedBlock` when something else stands there. */
export async function readOpen(blocks: Blocks, target: string, run: string): Promise<PastRun | null> {
  for await (const bytes of blocks.read([openName(target, run)])) if (bytes !== null) return await decode(bytes);
  return null;
}

/** All that have not ended and can be read; those whose process is gone as `interrupted`, with when they were last heard of. */
export async function readAllOpen(blocks: Blocks, target?: string): Promise<OpenRun[]> {
  const from = target === undefined ? OPEN : openName(target, '');
  const [listed = []] = await blocks.last([{ from }], MOST_OPEN);
  const open: OpenRun[] = [];
  for await (const sealed of blocks.read(listed.map(({ name }) => name))) {
    const run = sealed === null ? null : await decodeOrNone(sealed);
    if (sealed !== null && run !== null) open.push({ run, sealed });
  }
  const leases = blocks.redis.pipeline();
  for (const { run } of open) leases.exists(blocks.keyOf(aliveName(run.target, run.run)));
  const alive = await repliesOf<number>(leases);
  return open.map(({ run, sealed }, i) => ({
    run: run.state === 'active' && alive[i] === 0 ? interrupted(run) : run,
    sealed,
  }));
}

/** A run whose process is gone. */
function interrupted(run: PastRun): PastRun {
  return endedAs(run, 'interrupted', 'its process ended without a word');
}
