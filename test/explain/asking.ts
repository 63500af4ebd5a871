/** asking: explain, as a command would ask it, of a test's Redis. */
import type { TargetConfig } from '../../src/config/resolve.ts';
import type { Sightings } from '../../src/domain/sighting.ts';
import type { Past } from '../../src/domain/suddenSilence.ts';
import type { Entry } from '../../src/explain/entry.ts';
import { explainNames } from '../../src/explain/explain.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openTarget } from '../../src/redis/target/openContact.ts';

export interface Asking {
  readonly sightings?: Sightings;
  readonly past?: Past | null;
  readonly ledger?: Ledger;
}

function unexpected(sentence: string): never {
  throw new Error(`explain warned: ${sentence}`);
}

/** What is told of these names, in their order. */
export async function ask(
  target: TargetConfig,
  names: readonly (string | Buffer)[],
  { sightings, past = null, ledger }: Asking = {},
): Promise<Entry[]> {
  const { signal } = new AbortController();
  const opened = await openTarget(target, { dryRun: true, signal, warn: unexpected });
  try {
    const known = { target: opened, past, sightings: sightings ?? null, ledger: ledger ?? null, warn: unexpected };
    return await explainNames(
      known,
      names.map((name) => Buffer.from(name)),
    );
  } finally {
    opened.close();
  }
}
