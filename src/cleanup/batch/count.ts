/** count: what a dry run does instead of removing a batch: tells what of it exists, and what that takes. */
import { Bulk } from '../../redis/call/bulk.ts';
import { countExisting, existing } from '../../redis/keyspace/keyspace.ts';
import type { Batch } from './batch.ts';
import type { RunContext } from '../context.ts';
import type { Swept } from './removals.ts';

/** So many names are asked for one by one together: they take Redis about half a millisecond. */
const ASKED_AT_ONCE = 500;

/** Counts what exists of a batch, into the tally too; as if it had been removed. */
export async function countBatch(run: RunContext, batch: Batch): Promise<Swept> {
  const { node, schema, tally, memory } = run;
  const removed: number[] = [];
  const missing: number[] = [];
  let position = 0;
  let ms = 0;
  for (const [family, keys] of batch.families.entries()) {
    const texts = keys.texts();
    // SCAN may have returned a key twice, and EXISTS would count it twice.
    const names = [...new Set(texts)];
    const bulk = Bulk.of(names);
    const counted = await node.steadily('read', () => countExisting(node.calls, bulk));
    bulk.clear();
    node.paces.tell('read', texts.length, counted.ms);
    ms += counted.ms;
    tally.add(family, counted.count);
    removed.push(counted.count);
    if (counted.count > 0) await memory?.take(run.node, family, names);
    // Whose they are matters only where somebody is told, and some are there and some are not.
    const isMixed = batch.told[family] && counted.count > 0 && counted.count < texts.length;
    if (isMixed) for (const at of await absentAmong(run, texts)) missing.push(position + at);
    position += texts.length;
  }
  const heartbeats = batch.judged.keys.texts().slice(0, batch.heartbeats);
  tally.add(schema.heartbeatFamily, heartbeats.length);
  await memory?.take(run.node, schema.heartbeatFamily, heartbeats);
  return { swept: true, removed, heartbeats: heartbeats.length, missing, ms };
}

/** Where names stand that do not exist, or stood before. */
async function absentAmong(run: RunContext, names: readonly string[]): Promise<readonly number[]> {
  const { node } = run;
  const absent: number[] = [];
  const seen = new Set<string>();
  for (let from = 0; from < names.length; from += ASKED_AT_ONCE) {
    const some = names.slice(from, from + ASKED_AT_ONCE);
    const keys = some.map((name) => Buffer.from(name, 'latin1'));
    const found = await node.steadily('read', () => existing(node.calls, keys));
    for (const [at, name] of some.entries()) {
      if (!found[at] || seen.has(name)) absent.push(from + at);
      seen.add(name);
    }
  }
  return absent;
}
