/** processSettings: what a process sets for itself, in the same form as the settings of targets. */
import { proxies, urlPath } from '../values/networkValues.ts';
import { ledger, number, oneOf, secret, text, truth, userName } from '../values/values.ts';
import type { Setting, Values } from './setting.ts';

/** Each has its flag, its variable and its place at the top of the file. */
export const PROCESS_SETTINGS = {
  tlsCa: {
    schema: text('a file name'),
    env: 'STALESWEEP_TLS_CA',
    about:
      'A PEM file with the authorities whose certificates are accepted from `rediss://` addresses, instead of the usual ones.',
  },
  tlsCert: {
    schema: text('a file name'),
    env: 'STALESWEEP_TLS_CERT',
    about: 'A PEM file with the certificate shown to `rediss://` addresses that ask for one.',
  },
  tlsKey: {
    schema: text('a file name'),
    env: 'STALESWEEP_TLS_KEY',
    about: 'A PEM file with the private key of `tlsCert`.',
  },
  ledger: {
    schema: ledger,
    default: { age: '90d', size: '64MB' },
    about:
      "How long the record of runs and of all that was swept is kept, and how much room it may take in the queue's Redis; the oldest goes first. `detail: keys` keeps the names of what went, too, which takes several times the room.",
  },
  concurrency: {
    schema: number(1, 64, true),
    env: 'STALESWEEP_CONCURRENCY',
    default: 2,
    about: 'How many targets one worker cleans at the same time.',
  },
  host: {
    schema: text('a host name or address'),
    env: 'STALESWEEP_HOST',
    default: '127.0.0.1',
    about: 'The address the dashboard listens on. Off loopback it needs a user and a password.',
  },
  port: {
    schema: number(0, 65535, true),
    env: 'STALESWEEP_PORT',
    default: 3000,
    about: "The dashboard's port; 0 takes a free one.",
  },
  dashboardUser: {
    schema: userName,
    env: 'STALESWEEP_DASHBOARD_USER',
    about: 'Who may use the dashboard.',
  },
  dashboardPassword: {
    schema: secret('a password'),
    env: 'STALESWEEP_DASHBOARD_PASSWORD',
    about: 'Their password.',
  },
  basePath: {
    schema: urlPath,
    env: 'STALESWEEP_BASE_PATH',
    about:
      'The path under which a proxy shows the dashboard, such as `/stalesweep`, whether or not the proxy takes it off.',
  },
  trustProxy: {
    schema: proxies,
    env: 'STALESWEEP_TRUST_PROXY',
    default: [],
    about:
      'The proxies in front of the dashboard, whose `X-Forwarded-For` says who asks: addresses, networks such as `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`.',
  },
  readOnly: {
    schema: truth,
    env: 'STALESWEEP_READ_ONLY',
    default: false,
    about: 'Whether the dashboard only shows, and refuses every request that would change something.',
  },
  dangerousActions: {
    schema: truth,
    env: 'STALESWEEP_DANGEROUS_ACTIONS',
    default: false,
    about:
      'Whether the dashboard may empty or obliterate a queue, or remove all of its waiting or delayed jobs at once.',
  },
  metricsPort: {
    schema: number(0, 65535, true),
    env: 'STALESWEEP_METRICS_PORT',
    about:
      "Where a worker serves its own `/metrics`, `/healthz` and `/readyz`, on the dashboard's address; unset: nowhere.",
  },
  logLevel: {
    schema: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    env: 'LOG_LEVEL',
    default: 'info',
    about: 'How much is logged. `debug` adds stack traces.',
  },
} as const satisfies Record<string, Setting>;

export type ProcessValues = Values<typeof PROCESS_SETTINGS>;
