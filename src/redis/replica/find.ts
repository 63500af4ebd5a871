/** find: which replica of a server is read: one that its settings name, or that its sentinels know, the first that has caught up. */
import { deploymentOf } from '../../config/values/deployment.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import type { Address } from '../../config/values/tls.ts';
import { Failure } from '../../domain/failure.ts';
import { replicasKnown } from '../connection/sentinel.ts';
import { Copy, type CopyParts } from './copy.ts';
import { type Original, originalBy } from './original.ts';

/** Whoever is not behind has caught up by then; only where all are, one is waited for. */
const SHORT_WAIT_MS = 500;

/** The replicas that may be read, the likeliest to have caught up first. Fails (`UNREACHABLE`) where no sentinel tells. */
export async function replicasToRead(settings: TargetConfig): Promise<readonly Address[]> {
  const { url, replicas, tls } = settings;
  const isWatched = deploymentOf(url)?.kind === 'sentinel';
  if (replicas.length === 0 && isWatched) return await replicasKnown(settings);
  return replicas.map((replica) => ({ url: replica, tls }));
}

/** Opens the first of these that has caught up, or else does within seconds. Fails as the first of them did, or where there is none. */
export async function openOneOf(addresses: readonly Address[], original: Original, parts: CopyParts): Promise<Copy> {
  const { settings, wishes } = parts;
  const failures: unknown[] = [];
  const primary = originalBy(original, settings);
  for (const waitMs of [SHORT_WAIT_MS, undefined]) {
    for (const address of addresses) {
      try {
        return await Copy.open(address, primary, parts, waitMs);
      } catch (error) {
        wishes.signal.throwIfAborted();
        failures.push(error);
      }
    }
  }
  if (failures.length > 0) throw failures[addresses.length];
  const where = `target "${settings.name}"`;
  throw new Failure('UNREACHABLE', `${where}: readFrom: replica, but ${redactUrl(settings.url)} has none; ${ADVICE}`);
}

const ADVICE = 'name some as replicas: ["redis://host:6379"], or set readFrom: primary';

/** Opens a replica of the server that a target is. Fails as `openOneOf` does. */
export async function openCopy(original: Original, parts: CopyParts): Promise<Copy> {
  return await openOneOf(await replicasToRead(parts.settings), original, parts);
}
