/** replica: what stands beside a server of a trial, to be read instead of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { startRedis, type TestRedis } from '../support/redis.ts';

const POLL_MS = 20;

/** Starts a replica of the server on this port; resolves once it shows all that this one holds. */
export async function startReplica(port: number): Promise<TestRedis> {
  const replica = await startRedis(['--replicaof', '127.0.0.1', `${port}`]);
  while (!(await replica.redis.info('replication')).includes('master_link_status:up')) await pause(POLL_MS);
  return replica;
}

/** The settings of a contender that may read such a replica. */
export function withReplica(
  settings: Readonly<Record<string, unknown>>,
  replica: TestRedis | null,
): Readonly<Record<string, unknown>> {
  if (replica === null || settings.readFrom !== 'replica') return settings;
  return { ...settings, targets: { default: { replicas: [replica.url] } } };
}
