/** openContact: the way to a target, whatever answers there: one server, or a cluster. */
import { deploymentOf } from '../../config/values/deployment.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import { Failure } from '../../domain/failure.ts';
import { Stopwatch } from '../call/stopwatch.ts';
import { isClusterNode } from '../connection/cluster.ts';
import { infoAtOpening } from '../connection/connectForRun.ts';
import { type Contact, ServerContact } from './contact.ts';
import { Link } from './link.ts';
import type { NodeWishes } from './node.ts';
import type { Target } from './target.ts';

/**
 * Connects; what is not ready to serve is waited for, for seconds. Fails with `UNREACHABLE` or `DENIED`, or, once `signal` is
 * aborted, with its reason.
 * @param stopwatch shared with whoever wants to know of the run's calls while it goes
 */
export async function openContact(
  settings: TargetConfig,
  signal?: AbortSignal,
  stopwatch = new Stopwatch(),
): Promise<Contact> {
  const link = await Link.open(settings, signal);
  if (isClusterNode(infoAtOpening(link.redis))) {
    // Loaded when it is needed, which for most is never.
    const { ClusterContact } = await import('../cluster/contact.ts');
    return await ClusterContact.open(link, { settings, stopwatch, signal });
  }
  if (deploymentOf(settings.url)?.kind !== 'cluster') return new ServerContact(settings, link, stopwatch);
  link.close();
  const sentence = `Redis at ${redactUrl(settings.url)} is no node of a cluster; use redis:// or rediss://`;
  throw new Failure('DENIED', sentence);
}

/**
 * Opens a target for a run that looks at it. Fails with `UNREACHABLE` or `DENIED`, with the error of Redis, or, once `signal` is
 * aborted, with its reason.
 */
export async function openTarget(
  settings: TargetConfig,
  wishes: NodeWishes,
  stopwatch = new Stopwatch(),
): Promise<Target> {
  const contact = await openContact(settings, wishes.signal, stopwatch);
  try {
    return await contact.examine(wishes);
  } catch (error) {
    contact.close();
    throw error;
  }
}
