/** networkValues: what stands between the dashboard and who looks at it. */
import { isIP, isIPv6 } from 'node:net';
import { listInText, listOf, Misfit } from './shape.ts';
import { shown, text } from './values.ts';

/** A path as a URL has it before a page's own, without a slash at its end; `/` is none. */
export function urlPath(value: unknown): string {
  const path = text('a path such as /stalesweep')(value);
  if (path === '/') return '';
  if (/^(\/[\w.~-]+)+\/?$/.test(path) && !/\/\.\.?(\/|$)/.test(path)) return path.replace(/\/$/, '');
  throw new Misfit(`${shown(path)} is no path; write one such as /stalesweep`);
}

const NAMED_NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];

/** An address, a network, or the word for some. */
function proxy(value: unknown): string {
  const [address = '', bits, ...more] = text('an address')(value).split('/');
  // Those that read it know neither zones nor the end of an IPv6 address in the form of IPv4.
  const family = isIPv6(address) && /[.%]/.test(address) ? 0 : isIP(address);
  const isNetwork =
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= (family === 4 ? 32 : 128));
  if (more.length === 0 && family > 0 && isNetwork) return value as string;
  if (NAMED_NETWORKS.includes(value as string)) return value as string;
  throw new Misfit(
    `${shown(value)} is neither an address nor a network; use such as 10.0.0.7, 10.0.0.0/8 or ${NAMED_NETWORKS.join(', ')}`,
  );
}

const proxyList = listOf(proxy, (value) => `${shown(value)} must be a list such as [loopback, 10.0.0.0/8]`);

/** Proxies that are trusted; in one text as in `listInText`. */
export function proxies(value: unknown): string[] {
  return proxyList(listInText(value));
}
