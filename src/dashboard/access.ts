/** access: who may use the dashboard. One user with a password (Basic authentication), needed wherever others could
 * reach it; guessing is slowed down. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Config } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';

/** Room for typing errors, none for guessing: at most 1,920 guesses a day from one address. */
const MOST_FAILURES = 20;
const FAILURES_WINDOW_MS = 15 * 60_000;

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Whether only this machine can be meant by a host name or address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** The credentials to ask for; `null` when none are set. Fails (`CONFIG`) when only one of the two is. */
export const credentialsOf = ({ dashboardUser, dashboardPassword }: Config['process']): Credentials | null => {
  if (dashboardUser !== undefined && dashboardPassword !== undefined) {
    return { user: dashboardUser, password: dashboardPassword };
  }
  if (dashboardUser === undefined && dashboardPassword === undefined) return null;
  const [set, missing] = dashboardUser === undefined ? ['PASSWORD', 'USER'] : ['USER', 'PASSWORD'];
  const sentence = `STALESWEEP_DASHBOARD_${set} is set without STALESWEEP_DASHBOARD_${missing}; set both or neither`;
  throw new Failure('CONFIG', sentence);
};

/** Fails (`CONFIG`) when others could reach a dashboard that asks for no credentials. */
export const requireCredentials = (host: string, credentials: Credentials | null): void => {
  if (credentials !== null || isLoopback(host)) return;
  const sentence = `STALESWEEP_HOST: on "${host}" the dashboard can be reached from other machines; set STALESWEEP_DASHBOARD_USER and STALESWEEP_DASHBOARD_PASSWORD, or listen on 127.0.0.1`;
  throw new Failure('CONFIG', sentence);
};

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

const givenBy = (request: Request): Credentials | null => {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.get('authorization')?.trim() ?? '')?.[1];
  const [user, ...password] = Buffer.from(encoded ?? '', 'base64')
    .toString('utf8')
    .split(':');
  return encoded === undefined || user === undefined ? null : { user, password: password.join(':') };
};

/** Both are always compared, as hashes, so that the time it takes tells nothing about either. */
const matches = (given: Credentials, wanted: Credentials): boolean => {
  const user = timingSafeEqual(hash(given.user), hash(wanted.user));
  const password = timingSafeEqual(hash(given.password), hash(wanted.password));
  return user && password;
};

/** Asks for the credentials: 401 without them, 429 to an address that has failed too often. */
export const askForCredentials = (wanted: Credentials): RequestHandler => {
  const keyOf = (request: Request): string => ipKeyGenerator(request.ip ?? '');
  const limit = rateLimit({
    limit: MOST_FAILURES,
    windowMs: FAILURES_WINDOW_MS,
    keyGenerator: keyOf,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Behind a proxy all share its address: whom a header names is anyone's claim.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_request, response) => {
      response.status(429).json({ error: 'too many wrong passwords; try again in 15 minutes' });
    },
  });
  return async (request, response, next) => {
    const given = givenBy(request);
    const failures = await limit.getKey(keyOf(request));
    const locked = (failures?.totalHits ?? 0) >= MOST_FAILURES;
    if (given !== null && !locked && matches(given, wanted)) {
      next();
      return;
    }
    const refuse = () => {
      response.set('WWW-Authenticate', 'Basic realm="stalesweep", charset="UTF-8"');
      response.status(401).json({ error: 'this needs the user and the password of the dashboard' });
    };
    // A browser first asks without: that is no guess.
    if (request.get('authorization') === undefined) refuse();
    else await limit(request, response, refuse);
  };
};
