/** origin: what a browser may do with an answer, and which pages may make it change something. Bull Board has no
 * defence of its own: any page could otherwise put jobs in with the credentials the browser has for us. */
import type { Request, RequestHandler } from 'express';
import helmet from 'helmet';
import { isLoopback } from './access.ts';

const SELF = ["'self'"];

/** Nothing comes from elsewhere, and no form goes anywhere: Bull Board's are sent by its script. It makes style elements at
 * run time, which 'unsafe-inline' is for. HSTS and upgrade-insecure-requests would break plain http, which is what we serve;
 * COOP and Origin-Agent-Cluster are ignored there, with a complaint in the browser's console. */
export const protectPages: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: SELF,
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: SELF,
      connectSrc: SELF,
      baseUri: SELF,
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
});

/** The same for our own pages, which are stricter with themselves, and have forms. Told by no referrer at all, a browser would
 * not say either which page a form comes from. */
export const protectOwnPages: RequestHandler = (_request, response, next) => {
  response.set('Content-Security-Policy', OWN_POLICY);
  response.set('Referrer-Policy', 'same-origin');
  next();
};

const OWN_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'img-src', 'connect-src', 'form-action'].map((what) => `${what} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join(';');

/** The name in a Host header: lower case, without port and brackets. */
function nameIn(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** Refuses (421) whoever calls us by a name that isn't this machine's. A page elsewhere can have its own name lead here
 * (DNS rebinding): to the browser it is then of our origin, and without a password nothing else would stop it. */
export const refuseOtherNames: RequestHandler = (request, response, next) => {
  // A browser always says whom it means; what doesn't is no browser.
  const host = request.get('host');
  if (host === undefined || isLoopback(nameIn(host))) {
    next();
    return;
  }
  const sentence =
    'without a password the dashboard answers only as localhost or 127.0.0.1; set STALESWEEP_DASHBOARD_USER and STALESWEEP_DASHBOARD_PASSWORD to call it by another name';
  response.status(421).json({ error: sentence });
};

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

function isFromElsewhere(request: Request): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const origin = request.get('origin');
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== hostOf(request);
}

/** The host as a browser writes it in an origin: lower case, without the protocol's own port. Of a trusted proxy's requests, the
 * host that the proxy was asked for. */
function hostOf(request: Request): string | undefined {
  const url = `${request.get('origin')?.split(':')[0]}://${request.host}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A POST adds something, even when it is empty. A form can send neither JSON nor a PUT. */
function needsJson(request: Request): boolean {
  return request.method === 'POST' || hasBody(request);
}

/** A form that a page of ours sent: the browser says so, which is more than that nobody says otherwise. */
function isOwnForm(request: Request): boolean {
  return (
    /^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.get('content-type') ?? '') &&
    (request.get('sec-fetch-site') === 'same-origin' || request.get('origin') !== undefined)
  );
}

/** Refuses a state-changing request from another origin (403), and one that is neither JSON nor a form of ours (415). */
export const refuseOthers: RequestHandler = (request, response, next) => {
  if (READING.has(request.method)) {
    next();
  } else if (isFromElsewhere(request)) {
    response.status(403).json({ error: 'requests from another origin may not change anything here' });
  } else if (
    needsJson(request) &&
    !isOwnForm(request) &&
    !/^application\/json\s*(;|$)/i.test(request.get('content-type') ?? '')
  ) {
    response.status(415).json({ error: 'send JSON, with the header "Content-Type: application/json"' });
  } else {
    next();
  }
};

/** Refuses (405) every request that could change something. */
export const refuseChanges: RequestHandler = (request, response, next) => {
  if (READING.has(request.method)) {
    next();
    return;
  }
  response.set('Allow', [...READING].join(', '));
  response.status(405).json({ error: 'this dashboard is read-only (STALESWEEP_READ_ONLY): it changes nothing' });
};
