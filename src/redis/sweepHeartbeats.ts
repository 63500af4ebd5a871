/** sweepHeartbeats: the door to `lua/sweepHeartbeats.lua`. */
import { Bulk } from './call/bulk.ts';
import { loadScript } from './call/script.ts';
import type { Known } from './removal/announcement.ts';
import type { Trash } from './trash/names.ts';

export const SWEEP_HEARTBEATS = loadScript('sweepHeartbeats');

/** What one call removes, all of one slot: at most 100. */
export interface SweptHeartbeats {
  readonly keys: Bulk;
  /** A value is compared as it stands here, or by its digest. */
  readonly proofs: Bulk;
  /** Where they are kept for a while; `null`: they go for good. */
  readonly trash: Trash | null;
  /** Nothing is done, and an error returned (`LATE`), after this second of the server's clock; `null`: it is done at any time. */
  readonly until: number | null;
  /** What is said in the same step, and the key in the same slot that says that it was; `null`: nothing. */
  readonly announced: {
    readonly channel: string;
    readonly message: string;
    readonly once: string;
    /** Where it stands of whom it was said, in the same slot, and what stands there for these. */
    readonly known: Known;
    readonly tokens: readonly string[];
  } | null;
}

/** What such a call says; it returns how many went. Both lists are let go of with the rest. */
export function spellSweepHeartbeats({ keys, proofs, trash, announced, until }: SweptHeartbeats): {
  readonly keys: Bulk;
  readonly args: Bulk;
} {
  const { channel = '', message = '', known, tokens = [] } = announced ?? {};
  const args = Bulk.of([
    ...[`${keys.count}`, `${trash?.keepMs ?? 0}`, message, channel],
    ...[`${known?.ms ?? 0}`, `${until ?? 0}`],
  ]);
  proofs.forEach((bytes, from, to) => {
    args.add(bytes, from, to);
  });
  proofs.clear();
  for (const token of tokens) args.addText(token);
  if (trash !== null) {
    const { names, ttls } = trash.send([keys]);
    names.forEach((bytes, from, to) => {
      keys.add(bytes, from, to);
    });
    names.clear();
    keys.addText(ttls);
  }
  if (announced !== null) {
    keys.addText(announced.known.sets[0]);
    keys.addText(announced.once);
  }
  return { keys, args };
}
