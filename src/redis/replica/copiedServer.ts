/** copiedServer: a target that is one server, looked at by a replica of it. */
import type { TargetConfig } from '../../config/resolve.ts';
import type { Stopwatch } from '../call/stopwatch.ts';
import type { Moves } from '../target/moves.ts';
import type { Node } from '../target/node.ts';
import { Target } from '../target/target.ts';
import type { Copy } from './copy.ts';
import { ReadPlace } from './readPlace.ts';

/** Nothing goes anywhere; but each walk has to meet who was born before it. */
function catchingUp(copy: Copy): Moves {
  return {
    begin: async () => await copy.catchUp(),
    look: () => {},
    shown: () => {},
    unowned: async () => ({ count: 0, sample: [] }),
    missed: async function* () {},
  };
}

/** @param dryRun whether nothing is removed: then everything is asked of the copy */
export function copiedServer(
  settings: TargetConfig,
  { node, copy, dryRun, stopwatch }: { node: Node; copy: Copy; dryRun: boolean; stopwatch: Stopwatch },
): Target {
  const shown = new ReadPlace(copy, node);
  const parts = {
    nodes: (): readonly [ReadPlace] => [shown],
    primaries: () => [node],
    whole: dryRun ? shown : node,
    reads: shown,
    copy: `the replica at ${copy.at}`,
    lapsedClock: node.lapsedClock,
    moves: catchingUp(copy),
    births: null,
    close: () => {
      copy.close();
      node.close();
    },
  };
  return new Target(settings, parts, stopwatch);
}
