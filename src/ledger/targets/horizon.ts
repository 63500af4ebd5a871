/** horizon: until when nobody of a target can be stale, as its last full pass left it.
 *  Owns      one block for each target, at most 100 kB; the last one written stands. It ages: an address or a schema that nobody means any
 *            more must not take room for ever.
 *  Leaves    what follows from it to domain/horizon.
 */
import type { Horizon, Horizons } from '../../domain/horizon.ts';
import { DamagedBlock } from '../block/damagedBlock.ts';
import type { Blocks } from '../blocks.ts';
import { outagesSince } from './outages.ts';
import { horizonName, type NamedTarget, sharedName } from '../runs/names.ts';
import { compress, decompress, seal, unseal } from '../sealed.ts';

/** Another way to judge heartbeats, or to write this, is another format: then what stands is none. */
const FORMAT = 4;
const MOST_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** As it is written: names byte for byte, instants in whole seconds. */
interface Written extends Omit<Horizon, 'listed'> {
  readonly format: number;
  readonly listed: readonly (readonly [key: string, sinceSeconds: number])[];
}

async function encode(horizon: Horizon | null): Promise<Buffer> {
  const written: Written | null = horizon && {
    ...horizon,
    format: FORMAT,
    listed: horizon.listed.map(({ key, sinceSeconds }) => [Buffer.from(key).toString('latin1'), sinceSeconds]),
  };
  return seal([await compress(Buffer.from(JSON.stringify(written)))]);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isWritten(value: unknown): value is Written {
  const {
    format,
    basis,
    listed,
    ttlSeconds,
    ttlSeenSeconds,
    beganSeconds,
    lookedSeconds,
    restSeconds,
    keys,
    expiring,
  } = (value ?? {}) as Written;
  return (
    format === FORMAT &&
    typeof basis === 'string' &&
    [ttlSeenSeconds, beganSeconds, lookedSeconds, restSeconds, keys, expiring].every(isWhole) &&
    (ttlSeconds === null || isWhole(ttlSeconds)) &&
    Array.isArray(listed) &&
    listed.every((one) => Array.isArray(one) && typeof one[0] === 'string' && isWhole(one[1]))
  );
}

async function decode(sealed: Buffer): Promise<Horizon | null> {
  const text = String(await decompress(unseal(sealed), MOST_BYTES));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DamagedBlock('a horizon is no JSON', { cause: error });
  }
  if (!isWritten(value)) return null;
  const { format: _, listed, ...horizon } = value;
  return {
    ...horizon,
    listed: listed.map(([key, sinceSeconds]) => ({ key: Buffer.from(key, 'latin1'), sinceSeconds })),
  };
}

/** What stands of a target, as it is written; empty where nothing does. Rejects as `Blocks` do. */
async function readSealed(blocks: Blocks, target: NamedTarget): Promise<Buffer> {
  for await (const sealed of blocks.read([horizonName(target)])) return sealed ?? NOTHING;
  return NOTHING;
}

/**
 * What a run of this target needs of it; for one run, or for whoever only ends it. Where the ledger can't be read, runs make full passes;
 * where it can't be written, the horizon that stands goes on to hold: nothing that happens later makes anybody stale sooner. But for what
 * is ended, as by whoever brings back heartbeats: where that was done since the run asked what stands, it keeps none, having passed them.
 */
export function horizonsOf(blocks: Blocks, target: NamedTarget): Horizons {
  let stood: Buffer | undefined;
  const write = async (horizon: Horizon | null): Promise<void> => {
    const replaces = horizon === null || stood === undefined ? {} : { replaces: stood };
    const written = await encode(horizon);
    const writing = { atMs: await blocks.nowMs(), ends: sharedName('horizon', target), ...replaces };
    if (await blocks.write(horizonName(target), written, writing)) stood = written;
  };
  return {
    standing: async () => {
      try {
        stood = await readSealed(blocks, target);
        return stood.length === 0 ? null : await decode(stood);
      } catch {
        return null;
      }
    },
    outageSince: async (ms) => {
      return await outagesSince(blocks, target, ms).then(
        (spans) => spans.length > 0,
        () => true,
      );
    },
    keep: async (horizon) => await write(horizon).catch(() => {}),
  };
}
