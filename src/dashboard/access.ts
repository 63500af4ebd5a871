/** access: who may use the dashboard. One user with a password (Basic authentication), needed wherever others could
 * reach it; guessing is slowed down. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import type { Config } from '../config/resolve.ts';
import { Failure } from '../domain/failure.ts';
import { Guesses } from './guesses.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Whether only this machine can be meant by a host name or address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The credentials to ask for; `null` when none are set. Fails (`CONFIG`) when only one of the two is. */
export function credentialsOf({ dashboardUser, dashboardPassword }: Config['process']): Credentials | null {
  if (dashboardUser !== undefined && dashboardPassword !== undefined) {
    return { user: dashboardUser, password: dashboardPassword };
  }
  if (dashboardUser === undefined && dashboardPassword === undefined) return null;
  const [set, missing] = dashboardUser === undefined ? ['PASSWORD', 'USER'] : ['USER', 'PASSWORD'];
  const sentence = `STALESWEEP_DASHBOARD_${set} is set without STALESWEEP_DASHBOARD_${missing}; set both or neither`;
  throw new Failure('CONFIG', sentence);
}

/** Fails (`CONFIG`) when others could reach a dashboard that asks for no credentials. */
export function requireCredentials(host: string, credentials: Credentials | null): void {
  if (credentials !== null || isLoopback(host)) return;
  const sentence = `STALESWEEP_HOST: on "${host}" the dashboard can be reached from other machines; set STALESWEEP_DASHBOARD_USER and STALESWEEP_DASHBOARD_PASSWORD, or listen on 127.0.0.1`;
  throw new Failure('CONFIG', sentence);
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function givenBy(request: Request): Credentials | null {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.get('authorization')?.trim() ?? '')?.[1];
  const [user, ...password] = Buffer.from(encoded ?? '', 'base64')
    .toString('utf8')
    .split(':');
  return encoded === undefined || user === undefined ? null : { user, password: password.join(':') };
}

/** Both are always compared, as hashes, so that the time it takes tells nothing about either. */
function matches(given: Credentials, wanted: Credentials): boolean {
  const user = timingSafeEqual(hash(given.user), hash(wanted.user));
  const password = timingSafeEqual(hash(given.password), hash(wanted.password));
  return user && password;
}

/** What became of the credentials that came with a request. */
export type Verdict = 'right' | 'wrong' | 'missing' | 'late';

/** Looks at a request's credentials. Wrong ones are counted: after 20 in a quarter of an hour the next ones, `late`, wait for their turn. */
export type Judge = (request: Request, response: Response) => Promise<Verdict>;

/** Judges by these credentials; `path` is where the dashboard begins, for the cookie of those who know them. */
export function createJudge(wanted: Credentials, path: string): Judge {
  const guesses = new Guesses(path);
  return async (request, response) => {
    // A browser first asks without: that is no guess.
    if (request.get('authorization') === undefined) return 'missing';
    const given = givenBy(request) ?? { user: '', password: '' };
    const { isLate, isLookedAt } = await guesses.begin(request, given.user);
    if (!isLookedAt || !matches(given, wanted)) return isLate ? 'late' : 'wrong';
    await guesses.right(request, response, given.user);
    return 'right';
  };
}

/** Asks for the credentials: 401 without them, 429 to whoever goes on failing. */
export function askForCredentials(judge: Judge): RequestHandler {
  return async (request, response, next) => {
    const verdict = await judge(request, response);
    if (verdict === 'right') {
      next();
    } else if (verdict === 'late') {
      const sentence = 'too many wrong passwords from here: for 15 minutes they are looked at one by one, with pauses';
      response.status(429).set('Retry-After', '2').json({ error: sentence });
    } else {
      response.set('WWW-Authenticate', 'Basic realm="stalesweep", charset="UTF-8"');
      response.status(401).json({ error: 'this needs the user and the password of the dashboard' });
    }
  };
}
