/** settings: every setting once, with its default, its environment variable and what it does. The documentation, the
 * validation and the command line all read this table. */
import { CronExpressionParser } from 'cron-parser';
import ms, { type StringValue } from 'ms';
import { z } from 'zod';
import { urlComplaint } from './redisUrl.ts';

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** Milliseconds from a text such as `10m`, at least `leastMs`. A bare number is refused: it could mean anything. */
export const duration = (leastMs: number) =>
  z.unknown().transform((value, context) => {
    const bare = typeof value === 'number' || (typeof value === 'string' && /^\s*[\d.]+\s*$/.test(value));
    const parsed =
      typeof value === 'string' && value !== '' && !bare && value.length <= 100 ? ms(value as StringValue) : undefined;
    if (parsed !== undefined && Number.isFinite(parsed) && parsed >= leastMs && parsed <= ms('1000d')) return parsed;
    const complaint = bare
      ? `${shown(value)} has no unit; write ${value}s, ${value}m or ${value}ms`
      : parsed === undefined || Number.isNaN(parsed)
        ? `${shown(value)} is not a duration; write one such as 10m, 90s or 2ms`
        : `${shown(value)} must lie between ${ms(leastMs)} and 1000d`;
    context.addIssue({ code: 'custom', message: complaint });
    return z.NEVER;
  });

const numberFrom = (text: unknown): unknown =>
  typeof text === 'string' && /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;

const number = (least: number, most: number, whole: boolean) =>
  z.preprocess(
    numberFrom,
    z.custom<number>(
      (value) =>
        typeof value === 'number' && value >= least && value <= most && (!whole || Number.isSafeInteger(value)),
      { error: ({ input }) => `${shown(input)} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}` },
    ),
  );

const oneOf = <T extends string>(...values: readonly T[]) =>
  z.custom<T>((value) => values.includes(value as T), {
    error: ({ input }) => `${shown(input)} is not allowed; use ${values.join(', ')}`,
  });

const truth = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean({ error: ({ input }) => `${shown(input)} must be true or false` }),
);

const text = (what: string) =>
  z.string({ error: ({ input }) => `${shown(input)} must be ${what}` }).min(1, { error: `must be ${what}, not empty` });

/** A text that no sentence repeats. */
const secret = (what: string) => {
  const error = `must be ${what} in quotes, and not empty`;
  return z.string({ error }).min(1, { error });
};

const redisUrl = text('a Redis URL').check((context) => {
  const complaint = urlComplaint(context.value);
  if (complaint) context.issues.push({ code: 'custom', input: '', message: complaint });
});

const cron = text('a cron pattern such as "*/5 * * * *"').check((context) => {
  try {
    CronExpressionParser.parse(context.value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${shown(context.value)} is not a cron pattern (${why}); write one such as "*/5 * * * *"`;
    context.issues.push({ code: 'custom', input: '', message });
  }
});

const timeZone = text('a time zone such as Europe/Vienna').refine(
  (zone) => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
    } catch {
      return false;
    }
  },
  { error: ({ input }) => `${shown(input)} is not a time zone; use one such as Europe/Vienna or UTC` },
);

const kept = (age: string, count: number) =>
  z
    .strictObject({ age: duration(1000), count: number(1, 1_000_000, true) })
    .partial()
    .transform((given) => ({ ageMs: given.age ?? ms(age as StringValue), count: given.count ?? count }));

const history = z
  .strictObject({ completed: kept('7d', 1000), failed: kept('30d', 5000) })
  .partial()
  .transform((given) => ({
    completed: given.completed ?? kept('7d', 1000).parse({}),
    failed: given.failed ?? kept('30d', 5000).parse({}),
  }));

const names = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value),
  z.array(text('a family name'), { error: ({ input }) => `${shown(input)} must be a list such as [ack, signal]` }),
);

interface Setting {
  readonly schema: z.ZodType;
  readonly env?: string;
  /** As a user would write it; absent: unset. */
  readonly default?: unknown;
  readonly about: string;
}

/** What each target may set for itself; at the top of the file it is everyone's default. */
export const TARGET_SETTINGS = {
  staleAfter: {
    schema: duration(1000),
    env: 'STALESWEEP_STALE_AFTER',
    default: '10m',
    about:
      'A coordinator is stale after this silence. Below three heartbeat intervals, a slow coordinator is taken for a stale one.',
  },
  minStaleAfter: {
    schema: duration(1000),
    default: '60s',
    about: 'The least `staleAfter` a run may ask for; a run asking for less fails.',
  },
  maxStaleFraction: {
    schema: number(0, 1, false),
    default: 1,
    about: 'When a larger share of the coordinators looks stale, the run is refused and removes nothing. 1 is off.',
  },
  every: {
    schema: duration(1000),
    env: 'STALESWEEP_EVERY',
    default: '5m',
    about: 'The interval between scheduled runs.',
  },
  cron: {
    schema: cron,
    env: 'STALESWEEP_CRON',
    about: 'A cron pattern, instead of `every`.',
  },
  tz: { schema: timeZone, about: "The time zone of `cron`. Without one, the worker's own." },
  schema: {
    schema: text('the name of a schema'),
    env: 'STALESWEEP_SCHEMA',
    default: 'swarm',
    about: 'The key schema: `swarm`, `flat`, or one defined under `schemas`.',
  },
  orphans: {
    schema: names,
    default: [],
    about: 'Families whose keys are swept even without any heartbeat, once idle for longer than `staleAfter`.',
  },
  restartGrace: {
    schema: truth,
    default: true,
    about: 'Whether silence counts from the return of a Redis that came back with old data.',
  },
  callBudget: {
    schema: duration(0.1),
    env: 'STALESWEEP_CALL_BUDGET',
    default: '2ms',
    about: 'How long one call may keep Redis busy; chunks and pages adapt to it.',
  },
  nice: {
    schema: number(0, 100, false),
    env: 'STALESWEEP_NICE',
    default: 0,
    about: 'How long to rest after each call, in lengths of that call: 1 gives half the time away.',
  },
  history: {
    schema: history,
    default: {},
    about: 'How long finished runs stay in the history, by `age` and `count`, for `completed` and `failed` ones.',
  },
} as const satisfies Record<string, Setting>;

/** What a process sets for itself. */
export const PROCESS_SETTINGS = {
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
    schema: text('a user name'),
    env: 'STALESWEEP_DASHBOARD_USER',
    about: 'Who may use the dashboard.',
  },
  dashboardPassword: {
    schema: secret('a password'),
    env: 'STALESWEEP_DASHBOARD_PASSWORD',
    about: 'Their password.',
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

/** Addresses, and the file itself. */
export const ADDRESS_SETTINGS = {
  url: { schema: redisUrl, env: 'REDIS_URL', about: 'The Redis that is cleaned: the target named `default`.' },
  queueUrl: {
    schema: redisUrl,
    env: 'QUEUE_REDIS_URL',
    about: 'The Redis that holds the queue and its history. Default: the target `default`, else the first one.',
  },
  config: { schema: text('a file name'), env: 'STALESWEEP_CONFIG', about: 'A YAML file with settings.' },
} as const satisfies Record<string, Setting>;

type Values<Table extends Record<string, Setting>> = { [Name in keyof Table]: z.output<Table[Name]['schema']> };
export type TargetValues = Values<typeof TARGET_SETTINGS>;
export type ProcessValues = Values<typeof PROCESS_SETTINGS>;

export const ALL_SETTINGS: Readonly<Record<string, Setting>> = {
  ...ADDRESS_SETTINGS,
  ...TARGET_SETTINGS,
  ...PROCESS_SETTINGS,
};

/** The environment variables that are understood. */
export const SETTINGS_ENV: readonly string[] = Object.values(ALL_SETTINGS).flatMap(({ env }) => env ?? []);

const shapeOf = <Table extends Record<string, Setting>>(table: Table) =>
  Object.fromEntries(Object.entries(table).map(([name, { schema }]) => [name, schema.optional()])) as {
    [Name in keyof Table]: z.ZodOptional<Table[Name]['schema']>;
  };

/** Names become part of job ids, metric labels and key names, so they are plain. */
const plainName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, { error: 'a name is made of letters, digits, ".", "_" and "-"' });

/** The YAML file. Unknown keys are refused. */
export const FILE = z.strictObject({
  ...shapeOf(TARGET_SETTINGS),
  ...shapeOf(PROCESS_SETTINGS),
  queue: z.strictObject({ url: redisUrl }).optional(),
  targets: z.record(plainName, z.strictObject({ ...shapeOf(TARGET_SETTINGS), url: redisUrl.optional() })).optional(),
  schemas: z
    .record(
      plainName,
      z.record(
        plainName,
        z.union([z.string(), z.array(z.string()).min(1)], { error: 'a family is a key template or a list of them' }),
      ),
    )
    .optional(),
});
export type FileValues = z.output<typeof FILE>;
