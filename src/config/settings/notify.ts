/** notify: whom to tell of runs that went wrong: in the file under `notify`, or a variable each. */
import { Failure } from '../../domain/failure.ts';
import { NOTICE_EVENTS, type NoticeEvent } from '../../domain/notice.ts';
import { fields, listInText, listOf, Misfit } from '../values/shape.ts';
import { oneOf, secret, shown } from '../values/values.ts';
import type { Level, Setting } from './setting.ts';

/** Where notices go, which, and what they are signed with; `secret` missing: they are not signed. */
export interface Notify {
  readonly url: string;
  readonly on: readonly NoticeEvent[];
  readonly secret?: string | undefined;
}

/** What the Standard Webhooks specification lets secrets that are Base64 begin with, and how long their keys are. */
const PREFIX = 'whsec_';
const LEAST_KEY_BYTES = 24;
const MOST_KEY_BYTES = 64;

/** An address often holds a token, so no sentence repeats it. */
function webAddress(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '') return value as string;
  throw new Misfit('must be the address of a web server, such as https://example.com/hooks/stalesweep');
}

const eventList = listOf(
  oneOf(...NOTICE_EVENTS),
  (value) => `${shown(value)} must be a list such as [${NOTICE_EVENTS.join(', ')}]`,
);

/** A list of events; in one text as in `listInText`. */
function events(value: unknown): NoticeEvent[] {
  return eventList(listInText(value));
}

const plainSecret = secret('a secret');

function signingSecret(value: unknown): string {
  const text = plainSecret(value);
  const key = keyOf(text);
  if (key.length >= (text.startsWith(PREFIX) ? LEAST_KEY_BYTES : 1) && key.length <= MOST_KEY_BYTES) return text;
  throw new Misfit(
    text.startsWith(PREFIX)
      ? `must be ${LEAST_KEY_BYTES} to ${MOST_KEY_BYTES} bytes as Base64 after "${PREFIX}"`
      : `must be a secret of at most ${MOST_KEY_BYTES} bytes`,
  );
}

/** The key that a secret stands for: the Base64 after `whsec_`, else the text itself as UTF-8. */
export function keyOf(text: string): Buffer {
  if (!text.startsWith(PREFIX)) return Buffer.from(text, 'utf8');
  const encoded = text.slice(PREFIX.length);
  return /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
}

/** The variables; in the file the same stands under `notify`. */
export const NOTIFY_SETTINGS = {
  notifyUrl: {
    schema: webAddress,
    env: 'STALESWEEP_NOTIFY_URL',
    about: 'Where workers post a notice when runs of a target begin to fail, are refused, hold somebody, or recover.',
  },
  notifyOn: {
    schema: events,
    env: 'STALESWEEP_NOTIFY_ON',
    default: NOTICE_EVENTS,
    about: 'Which notices are sent.',
  },
  notifySecret: {
    schema: signingSecret,
    env: 'STALESWEEP_NOTIFY_SECRET',
    about:
      'What notices are signed with (HMAC-SHA-256): any text, or Base64 after `whsec_`. Unset: they are not signed.',
  },
} as const satisfies Record<string, Setting>;

/** What stands under `notify` in the file. */
export const notifyFields = fields(
  { url: webAddress, on: events, secret: signingSecret },
  'url: "https://example.com/hooks/stalesweep"',
);

/**
 * What the variables say, laid over what the file says; `undefined` when neither says anything. Fails (`CONFIG`) when there is
 * something to send, and no address.
 */
export function notifyOf(env: Level, file: ReturnType<typeof notifyFields> | undefined): Notify | undefined {
  const { notifyUrl, notifyOn, notifySecret } = env as Partial<{
    [Name in keyof typeof NOTIFY_SETTINGS]: ReturnType<(typeof NOTIFY_SETTINGS)[Name]['schema']>;
  }>;
  const url = notifyUrl ?? file?.url;
  const secret = notifySecret ?? file?.secret;
  const on = notifyOn ?? file?.on;
  if (url !== undefined) return { url, on: on ?? NOTICE_EVENTS, ...(secret === undefined ? {} : { secret }) };
  if (file === undefined && on === undefined && secret === undefined) return undefined;
  throw new Failure(
    'CONFIG',
    'STALESWEEP_NOTIFY_URL, or notify.url in the file, is missing: there is no address to send notices to',
  );
}

/** As it may be logged: of the address only the server, since what comes behind is often the secret of a receiver. */
export function showNotify({ url, on, secret }: Notify): Record<string, unknown> {
  return { url: `${new URL(url).origin}/***`, on, ...(secret === undefined ? {} : { secret: '***' }) };
}
