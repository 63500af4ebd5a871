/** replicas: where copies of a target may be read, which is the same database by the same user, where nothing else is said. */
import { Failure } from '../../domain/failure.ts';
import { deploymentOf } from '../values/deployment.ts';
import { entryOf, redactUrl, unixSocketIn } from '../values/redisUrl.ts';
import { listInText, listOf, Misfit } from '../values/shape.ts';
import { redisUrl } from '../values/values.ts';

/** An address of one server. */
function oneServer(value: unknown): string {
  const url = redisUrl(value);
  if (deploymentOf(url)?.kind === 'single') return url;
  throw new Misfit(`${JSON.stringify(redactUrl(url))} names several servers; write the redis:// of one replica`);
}

const list = listOf(oneServer, () => 'must be a list such as ["redis://replica:6379"]');

/** Addresses of replicas; in one text as in `listInText`. */
export function replicaUrls(value: unknown): string[] {
  return list(listInText(value));
}

/**
 * The addresses by which replicas of a target are read. Fails (`CONFIG`) where one names another database: who lives there is nobody
 * of this target; or where a cluster is to have some, which says itself who they are.
 */
export function replicasOf(name: string, url: string, replicas: readonly string[]): readonly string[] {
  const deployment = deploymentOf(url);
  if (deployment?.kind === 'cluster' && replicas.length > 0) {
    throw new Failure('CONFIG', `target "${name}": a cluster says itself who its replicas are; leave out replicas`);
  }
  const db = databaseOf(url);
  return replicas.map((replica) => {
    const own = namedDatabase(replica);
    if (own !== null && own !== db) {
      const sentence = `replicas: ${redactUrl(replica)} names database ${own}, and the target is database ${db}`;
      throw new Failure('CONFIG', `target "${name}": ${sentence}; leave it out of the replica's URL`);
    }
    if (unixSocketIn(replica) !== null) return own === null && db > 0 ? `${replica}?db=${db}` : replica;
    return withEntry(replica, url, db);
  });
}

function databaseOf(url: string): number {
  const deployment = deploymentOf(url);
  return deployment?.kind === 'sentinel' ? deployment.db : (namedDatabase(url) ?? 0);
}

/** The database that an address of one server names; `null` where it names none. */
function namedDatabase(url: string): number | null {
  if (unixSocketIn(url) !== null) return /\?db=/.test(url) ? (unixSocketIn(url)?.db ?? 0) : null;
  if (deploymentOf(url)?.kind !== 'single') return null;
  const path = new URL(url).pathname.slice(1);
  return path === '' ? null : Number(path);
}

/** An address of a replica with that database, and the user of the target where it names none. */
function withEntry(replica: string, target: string, db: number): string {
  const url = new URL(replica);
  if (db > 0) url.pathname = `/${db}`;
  if (url.username === '' && url.password === '') {
    const { username, password } = entryOf(target);
    url.username = encodeURIComponent(username);
    url.password = encodeURIComponent(password);
  }
  return url.href;
}
