/** gather: which of the keys that only a scan can find may go, and which are nobody's.
 *      mark ──▶ [gather] ──▶ sweep ──▶ report
 *  Owns      matching found keys to the census; the second pass when the first could not hold them all.
 *  Leaves    the removal to sweep.
 *  Promises  reads only; holds no more than the memory budget: when it is full, what is held is handed on to be swept.
 */
import { identify } from '../domain/keySchema.ts';
import { sharedGlob } from '../domain/template.ts';
import type { Census } from './census.ts';
import type { RunContext } from './context.ts';
import { Holdings, namesIn, type SharedKey } from './holdings.ts';
import type { Marked } from './mark.ts';
import { walk } from './walk.ts';

export interface Gathered {
  /** Keys by owner, among them those of stale coordinators. */
  readonly holdings: Holdings;
  /** Keys of several owners, of whom at least one is stale and none lives. */
  readonly shared: readonly SharedKey[];
  /** Orphans of the families that are swept as such. */
  readonly orphans: readonly SharedKey[];
}

/** A key that needs the proof of more heartbeats than this is swept by itself. */
const MOST_PROOF = 100;

/** @param complete whether these are all the keys there are, so that a coordinator's can go with its heartbeat */
const sort = (run: RunContext, census: Census, holdings: Holdings, complete: boolean): Gathered => {
  const { schema, tally } = run;
  const orphans: SharedKey[] = [];
  const orphan = (key: SharedKey) => {
    tally.orphans = (tally.orphans ?? 0) + 1;
    if (schema.orphanFamilies.has(key.family)) orphans.push(key);
  };
  for (const byFamily of [holdings.owned, holdings.derivable]) {
    for (const [family, byOwner] of byFamily.entries()) {
      for (const [id, names] of byOwner) {
        if (census.stale.has(id) || census.lives(id)) continue;
        const owners = [{ coordinator: id, swarm: null }];
        for (const key of new Set(namesIn(names))) orphan({ family, key, owners, derivable: false });
        byOwner.delete(id);
      }
    }
  }
  const distinct = new Map(holdings.shared.map((shared) => [shared.key, shared]));
  const shared = [...distinct.values()].filter((key) => {
    const verdict = census.verdict(key.owners);
    if (!verdict.go && verdict.orphan) orphan(key);
    if (!verdict.go || key.derivable) return false;
    const [id, ...others] = new Set(verdict.judged.map(({ owner }) => owner.coordinator));
    const fits = verdict.judged.length + verdict.absent.length <= MOST_PROOF;
    if (!complete || id === undefined || others.length > 0 || !fits) return true;
    const joint = holdings.joint.get(id);
    if (joint) joint.push(key);
    else holdings.joint.set(id, [key]);
    return false;
  });
  return { holdings, shared, orphans };
};

/** Yields what may be swept: once when everything fits the memory budget, else as often as it is full. */
export async function* gather(run: RunContext, { census, holdings }: Marked): AsyncGenerator<Gathered> {
  const { schema, tally } = run;
  if (schema.scanned.length === 0) return;
  if (holdings !== null) {
    tally.orphans ??= 0;
    yield sort(run, census, holdings, true);
    return;
  }
  if (census.stale.size === 0 && schema.orphanFamilies.size === 0) return;
  tally.orphans ??= 0;
  const found = new Holdings(schema);
  const pattern = sharedGlob(schema.scanned);
  for await (const keys of walk(run, () => pattern)) {
    for (const key of keys) {
      const identity = identify(schema, key);
      if (identity === null || identity.heartbeat || !schema.scannedFamilies.has(identity.family)) continue;
      const verdict = census.verdict(identity.owners);
      if (verdict.go || verdict.orphan) found.hold(identity.family, key, identity.owners, identity.derivable);
    }
    if (found.bytes > run.memoryBudgetBytes) {
      yield sort(run, census, found, false);
      found.clear();
    }
  }
  yield sort(run, census, found, false);
}
