/** original: what is copied, as far as it is asked, and what it is called when it does not answer. */
import type { Address } from '../../config/values/tls.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { ConnectionLost, isLate } from '../call/lost.ts';
import { explain } from '../connection/explain.ts';
import type { Kind } from '../pace/paces.ts';
import type { Reader } from '../target/reader.ts';
import { unreadyIn } from '../connection/unready.ts';

/** As much of the primary as there is to ask. */
export type Original = Pick<Reader, 'calls' | 'steadily'>;

/** What stands in the way to a server, in a sentence that names it, and worth no further attempt; every other error as it is. */
export function toldOfWay(error: unknown, settings: TargetConfig, { url }: Address): unknown {
  const isOfWay = error instanceof ConnectionLost || isLate(error) || unreadyIn(error) !== null;
  return isOfWay ? explain(error, { ...settings, url }) : error;
}

/** The primary by this way to it, on which everything was tried that is worth it. */
export function originalBy(way: Original, settings: TargetConfig): Original {
  return {
    calls: way.calls,
    steadily: async <T>(kind: Kind, attempt: () => Promise<T>): Promise<T> => {
      try {
        return await way.steadily(kind, attempt);
      } catch (error) {
        throw toldOfWay(error, settings, settings);
      }
    },
  };
}
