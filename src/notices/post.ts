/** post: one try to deliver a notice, as the Standard Webhooks specification 1.0.0 has it
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 *
 *      webhook-id         the same for each try
 *      webhook-timestamp  of this try, in seconds
 *      webhook-signature  v1,<Base64 of HMAC-SHA-256 over "id.timestamp.body">
 *
 *  Promises  only 2xx is a success; no redirect is followed, since whoever is told there was not chosen by the operator; nothing
 *            of the answer but its status and `Retry-After` is read.
 */
import { createHmac } from 'node:crypto';
import { keyOf, type Notify } from '../config/settings/notify.ts';
import { AnySignal } from '../domain/anySignal.ts';
import type { Message } from './message.ts';

/** The specification advises 15 to 30 s. */
const ANSWER_MS = 15_000;
const GONE = 410;

/** The receiver answered, and not with a success. */
export class Unwanted extends Error {
  constructor(
    readonly status: number,
    /** How long it asks to be left alone, in ms; 0 when it does not say. */
    readonly againAfterMs: number,
  ) {
    super(`it answered ${status}`);
  }

  /** Whether it wants no more notices at all. */
  get forGood(): boolean {
    return this.status === GONE;
  }
}

/** Resolves once the receiver took it; rejects with `Unwanted`, or with why it could not be reached, which holds no secret. */
export async function post({ url, secret }: Notify, { id, body }: Message, signal: AbortSignal): Promise<void> {
  const timestamp = Math.floor(Date.now() / 1000);
  const { address, credentials } = withoutCredentials(url);
  const ends = new AnySignal(signal, AbortSignal.timeout(ANSWER_MS));
  const answer = await fetch(address, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'stalesweep',
      'webhook-id': id,
      'webhook-timestamp': `${timestamp}`,
      ...(secret === undefined ? {} : { 'webhook-signature': signatureOf(secret, id, timestamp, body) }),
      ...credentials,
    },
    body,
    redirect: 'manual',
    signal: ends.signal,
  })
    .catch((error: unknown) => {
      throw whyNot(error);
    })
    .finally(() => ends.release());
  await answer.body?.cancel().catch(() => {});
  if (!answer.ok) throw new Unwanted(answer.status, againAfter(answer.headers.get('retry-after')));
}

/** What `webhook-signature` says of these; the key is what the secret stands for. */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const digest = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return `v1,${digest}`;
}

/** `fetch` takes no user and password in an address. */
function withoutCredentials(text: string): { readonly address: URL; readonly credentials: Record<string, string> } {
  const address = new URL(text);
  const { username, password } = address;
  if (username === '' && password === '') return { address, credentials: {} };
  address.username = '';
  address.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address, credentials: { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` } };
}

/** What `fetch` says of a failure is "fetch failed"; the code of its cause says why. */
function whyNot(error: unknown): Error {
  if (error instanceof Error && error.name === 'TimeoutError') return new Error('it did not answer in time');
  const { cause } = error as { cause?: { readonly code?: unknown } };
  return new Error(`it could not be reached${typeof cause?.code === 'string' ? ` (${cause.code})` : ''}`);
}

/** Seconds or a date, in ms from now. */
function againAfter(written: string | null): number {
  if (written === null) return 0;
  const ms = /^\d{1,9}$/.test(written) ? Number(written) * 1000 : Date.parse(written) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
