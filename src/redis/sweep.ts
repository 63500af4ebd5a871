/** sweep: the door to `lua/sweep.lua`. */
import type { Calls } from './calls.ts';
import { callScript, loadScript } from './script.ts';

const SCRIPT = loadScript('sweep');

/** A heartbeat and the value it was judged by: the proof that travels with every removal (P1). */
export interface JudgedHeartbeat {
  readonly key: string;
  readonly value: string;
}

export interface SweepChunk {
  readonly judged: readonly JudgedHeartbeat[];
  /** Heartbeats that must not exist. */
  readonly absent: readonly string[];
  /** Keys to remove, family by family. */
  readonly families: readonly (readonly string[])[];
  /** Whether the judged heartbeats go too, after everything else (P3). */
  readonly withHeartbeats: boolean;
}

export type SweepResult =
  | { readonly swept: true; readonly removed: readonly number[]; readonly heartbeats: number; readonly ms: number }
  | {
      readonly swept: false;
      /** Positions in `judged` of heartbeats that hold another value now. */
      readonly revived: readonly number[];
      /** Positions in `judged` of heartbeats that are gone. */
      readonly vanished: readonly number[];
      /** Positions in `absent` of heartbeats that exist. */
      readonly born: readonly number[];
      readonly ms: number;
    };

/** How many keys and values a chunk sends; it must stay below `MOST_KEYS`. */
export const keysIn = (chunk: SweepChunk): number =>
  chunk.judged.length + chunk.absent.length + chunk.families.reduce((sum, keys) => sum + keys.length, 0);

/** Lua's unpack takes fewer than 8,000 values. */
export const MOST_KEYS = 7_900;

/** Removes a chunk's keys if each heartbeat is as it was judged; otherwise removes nothing and says which are not. */
export const sweep = async (calls: Calls, chunk: SweepChunk): Promise<SweepResult> => {
  const { judged, absent, families } = chunk;
  const keys = [...judged.map(({ key }) => key), ...absent, ...families.flat()];
  const args = [
    judged.length,
    absent.length,
    chunk.withHeartbeats ? '1' : '0',
    families.length,
    ...families.map((family) => family.length),
    ...judged.map(({ value }) => value),
  ];
  const { reply, ms } = await callScript(calls, SCRIPT, keys, args);
  const [changed = 0, ...rest] = reply as number[];
  if (changed === 0) return { swept: true, removed: rest.slice(0, -1), heartbeats: rest.at(-1) ?? 0, ms };
  return {
    swept: false,
    revived: rest.filter((at) => at > 0 && at <= judged.length).map((at) => at - 1),
    vanished: rest.filter((at) => at < 0).map((at) => -at - 1),
    born: rest.filter((at) => at > judged.length).map((at) => at - judged.length - 1),
    ms,
  };
};
