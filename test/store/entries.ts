/** entries: heartbeats as the store takes them, from texts of which each character is one byte. */
import type { Slice } from '../../src/store/arena.ts';
import type { Found, Proof } from '../../src/store/records.ts';

/** These bytes in the middle of others. */
export function sliceOf(text: string): Slice {
  const bytes = Buffer.from(`<${text}>`, 'latin1');
  return { bytes, from: 1, to: bytes.length - 1 };
}

/** The bytes of a slice, or all of them. */
export function textOf(slice: Slice | Uint8Array): string {
  const bytes = slice instanceof Uint8Array ? slice : slice.bytes.subarray(slice.from, slice.to);
  return Buffer.from(bytes).toString('latin1');
}

/** A heartbeat; `null` where those name no swarm. */
export function foundOf(id: string, swarm: string | null): Found {
  return {
    id: sliceOf(id),
    idSegments: id.split(':').length,
    swarm: swarm === null ? null : sliceOf(swarm),
  };
}

/** A value of so many bytes, which no other one has. */
export function proofFor(bytes: number, id: string): Proof {
  return {
    bytes: Buffer.from(`${id}${'.'.repeat(bytes)}`.slice(0, bytes), 'latin1'),
    valueBytes: bytes,
  };
}
