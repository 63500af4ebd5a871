/** address: how servers are reached that others name: by the scheme, the user and the certificates of the address that led there. */
import { deploymentOf, type HostPort } from '../../config/deployment.ts';
import { entryOf } from '../../config/redisUrl.ts';
import type { Address } from '../../config/tls.ts';

/** The address of one server of the deployment to which `of` leads. */
export function addressOf(of: Address, { host, port }: HostPort, db = 0): Address {
  const { encrypted, username, password } = entryOf(of.url);
  const enter = username || password ? `${encodeURIComponent(username)}:${encodeURIComponent(password)}@` : '';
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const database = db > 0 ? `/${db}` : '';
  return { url: `redis${encrypted ? 's' : ''}://${enter}${where}${database}`, ...(of.tls ? { tls: of.tls } : {}) };
}

/** The addresses of the nodes that an address of a cluster names, in their order; of every other, that itself. */
export function seedsOf(of: Address): readonly Address[] {
  const several = deploymentOf(of.url);
  if (several?.kind !== 'cluster') return [of];
  return several.hosts.map((host) => addressOf(of, host));
}
