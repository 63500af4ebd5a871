/** ids: what an id looks like: how many `:`-separated segments it has, and which words it never begins with. */

export interface IdShape {
  /** How many segments an id has; `null`: one or more. */
  readonly segments: number | null;
  /** Words that no id is or begins with, as byte strings. */
  readonly never: readonly string[];
}

/** The ids of a schema that says nothing of them: one segment, any word. */
export const ONE_SEGMENT: IdShape = { segments: 1, never: [] };

/** Whether an id with so many segments has the shape; never one with an empty segment, whose number is negative. */
export function fitsShape({ segments }: IdShape, count: number): boolean {
  return segments === null ? count > 0 : segments === count;
}

const COLON = 58;

/** Whether these bytes, from the first position up to the second, can be a swarm: one segment. */
export function isSwarm(bytes: Uint8Array, from: number, to: number): boolean {
  const colon = bytes.indexOf(COLON, from);
  return from !== to && (colon === -1 || colon >= to);
}
