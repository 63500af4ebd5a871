/** address: how the nodes of a cluster are reached: by the scheme, the user and the certificates of the address that led there. */
import { deploymentOf, type HostPort } from '../../config/deployment.ts';
import type { Address } from '../../config/tls.ts';

interface Entry {
  readonly encrypted: boolean;
  /** Empty where there is none. */
  readonly username: string;
  readonly password: string;
}

const USUAL_PORT = 6379;

/** As whom to enter at each of the nodes, and whether by TLS. */
export function entryOf({ url }: Address): Entry {
  const several = deploymentOf(url);
  if (several !== null && several.kind !== 'single') {
    return { encrypted: several.encrypted, username: several.username ?? '', password: several.password ?? '' };
  }
  const { protocol, username, password } = new URL(url);
  const encrypted = protocol.toLowerCase() === 'rediss:';
  return { encrypted, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** The address of one node of the cluster to which `of` leads. */
export function addressOf(of: Address, { host, port }: HostPort): Address {
  const { encrypted, username, password } = entryOf(of);
  const enter = username || password ? `${encodeURIComponent(username)}:${encodeURIComponent(password)}@` : '';
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { url: `redis${encrypted ? 's' : ''}://${enter}${where}`, ...(of.tls ? { tls: of.tls } : {}) };
}

/** The nodes of a cluster that an address names, in their order: at least one. */
export function hostsOf({ url }: Address): readonly HostPort[] {
  const several = deploymentOf(url);
  if (several !== null && several.kind !== 'single') return several.hosts;
  const { hostname, port } = new URL(url);
  return [{ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? USUAL_PORT : Number(port) }];
}

/** The addresses of the nodes that an address of a cluster names, in their order; of every other, that itself. */
export function seedsOf(of: Address): readonly Address[] {
  if (deploymentOf(of.url)?.kind !== 'cluster') return [of];
  return hostsOf(of).map((host) => addressOf(of, host));
}
