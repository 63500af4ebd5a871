/** replicas: which of them runs read, how far behind it is, and what stands in the way of the others. */
import type { TargetConfig } from '../config/resolve.ts';
import type { Address } from '../config/values/tls.ts';
import { sentenceOf } from '../domain/failure.ts';
import { Stopwatch } from '../redis/call/stopwatch.ts';
import { type Calls, ServerCalls } from '../redis/call/calls.ts';
import { readInfo } from '../redis/target/clock.ts';
import type { Redis } from '../redis/connection/ioredis.ts';
import { Copy } from '../redis/replica/copy.ts';
import type { Original } from '../redis/replica/original.ts';
import { offsetIn } from '../redis/replica/standing.ts';
import type { Finding } from './finding.ts';

type Told = Omit<Finding, 'target'>;

const check = 'replicas';
/** A replica that takes longer to catch up is behind. */
const MOST_WAIT_MS = 2_000;

/**
 * Opens each of these as a run would; no finding for a target of which none is read.
 * @param primary a connection to what they copy
 * @param part of a node of a cluster: a tag that puts names where it serves them
 */
export async function checkReplicas(
  settings: TargetConfig,
  primary: Redis,
  replicas: readonly Address[],
  part?: string,
): Promise<readonly Told[]> {
  if (settings.readFrom !== 'replica') return [];
  const original: Original = { calls: new ServerCalls(primary), steadily: async (_, attempt) => await attempt() };
  const wishes = { signal: new AbortController().signal, warn: () => {}, ...(part === undefined ? {} : { part }) };
  const findings: Told[] = [];
  // A cluster says itself which there are, and Sentinel does where none is named.
  const isNamed = part === undefined && settings.replicas.length > 0;
  let isRead = false;
  for (const address of replicas) {
    try {
      const copy = await Copy.open(address, original, { settings, wishes, stopwatch: new Stopwatch() }, MOST_WAIT_MS);
      const bytes = await bytesBehind(original.calls, copy).finally(() => copy.close());
      const what = isRead ? 'could be read' : 'is read';
      const message = `the replica at ${copy.at} ${what}, and is ${bytes} bytes behind its primary`;
      findings.push({ check, status: 'ok', message, advice: null });
      isRead = true;
    } catch (error) {
      // It names the replica.
      const message = sentenceOf(error);
      const advice = `see to it, ${isNamed ? 'or take it out of replicas, ' : ''}or set readFrom: primary`;
      findings.push({ check, status: 'warning', message, advice });
    }
  }
  if (isRead) return findings;
  const what = replicas.length === 0 ? 'no replica is found' : 'no replica can be read';
  const where =
    primary.options.host === undefined ? '' : ` of the primary at ${primary.options.host}:${primary.options.port}`;
  const message = `${what}${where}, so no run begins`;
  const another = part === undefined ? 'name some as replicas: ["redis://host:6379"]' : 'start one';
  const advice = `${another}, or set readFrom: primary`;
  return [...findings, { check, status: 'warning', message, advice }];
}

async function bytesBehind(primary: Calls, copy: Copy): Promise<number> {
  const offset = offsetIn(await readInfo(primary), 'master_repl_offset', 'the primary');
  const shown = offsetIn(await readInfo(copy.calls), 'slave_repl_offset', copy.at);
  return Math.max(0, offset - shown);
}
