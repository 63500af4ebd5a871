/** openWriting: the way to where sample coordinators are written, whatever answers there. Never part of a run. */
import type { TargetConfig } from '../../config/resolve.ts';
import { primariesOf } from '../cluster/nodes/primaries.ts';
import { connect } from '../connection/connect.ts';
import { ServerWriting, type Writing } from './writing.ts';

/** Connects to whatever answers there. Fails as `connect` does, and for a cluster as opening all of its primaries does. */
export async function openWriting(target: TargetConfig): Promise<Writing> {
  const redis = await connect(target, { toPart: true });
  try {
    if ((await primariesOf(redis, target)) === null) return new ServerWriting(redis);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  redis.disconnect();
  const { ClusterWriting } = await import('../cluster/writing.ts');
  return await ClusterWriting.open(target);
}
