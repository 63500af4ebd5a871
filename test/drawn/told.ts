/** told: one run, and all that it says of itself. */
import type { Removal } from '../../src/domain/removal.ts';
import type { Report } from '../../src/domain/report.ts';
import { type CleanOptions, clean } from '../support/cleanup.ts';

/** What one run said of itself. */
export interface Told {
  readonly report: Report;
  /** Names of what went, by what was told of each call. */
  readonly names: readonly string[];
  readonly removals: readonly (Pick<Removal, 'keys' | 'swept'> & { readonly id: string; readonly swarm: string })[];
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export async function run(url: string, options: CleanOptions): Promise<Told> {
  const names: string[] = [];
  const removals: Told['removals'][number][] = [];
  const note = (some: Iterable<Removal>): void => {
    for (const { coordinator, swarm, keys, swept } of some) {
      removals.push({ id: textOf(coordinator), swarm: textOf(swarm ?? new Uint8Array(0)), keys, swept });
    }
  };
  const observer: CleanOptions['observer'] = {
    removed: (removed) => names.push(...removed.names().flat().map(textOf)),
    list: async (some) => note(some),
    left: note,
  };
  return { report: await clean(url, { ...options, observer }), names, removals };
}
