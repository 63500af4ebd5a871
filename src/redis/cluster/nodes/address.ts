/** address: how servers are reached that others name: by the scheme, the user and the certificates of the address that led there. */
import { deploymentOf, type HostPort } from '../../../config/values/deployment.ts';
import { entryOf } from '../../../config/values/redisUrl.ts';
import type { Address } from '../../../config/values/tls.ts';

const USUAL_PORT = 6379;

/** The address of one server of the deployment to which `of` leads. */
export function addressOf(of: Address, { host, port }: HostPort, db = 0): Address {
  const { encrypted, username, password } = entryOf(of.url);
  const enter = username || password ? `${encodeURIComponent(username)}:${encodeURIComponent(password)}@` : '';
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const database = db > 0 ? `/${db}` : '';
  return { url: `redis${encrypted ? 's' : ''}://${enter}${where}${database}`, ...(of.tls ? { tls: of.tls } : {}) };
}

/** The nodes of a cluster that an address names, in their order: at least one. */
export function hostsOf({ url }: Address): readonly HostPort[] {
  const several = deploymentOf(url);
  if (several !== null && several.kind !== 'single') return several.hosts;
  const { hostname, port } = new URL(url);
  return [{ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? USUAL_PORT : Number(port) }];
}

/** The same of a replica in a cluster, which is to be read. */
export function copyAddress(of: Address, at: HostPort): Address {
  return { ...addressOf(of, at), isCopy: true };
}

/** The addresses of the nodes that an address of a cluster names, in their order; of every other, that itself. */
export function seedsOf(of: Address): readonly Address[] {
  if (deploymentOf(of.url)?.kind !== 'cluster') return [of];
  return hostsOf(of).map((host) => addressOf(of, host));
}
