/** doctor: one finding per thing that can be wrong, each with what to do about it. */
import { redactUrl } from '../config/redisUrl.ts';
import type { Config, TargetConfig } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import { compileSchema, SHIPPED_SCHEMAS } from '../schema/keySchema.ts';
import { Calls } from '../redis/calls.ts';
import { type Info, readInfo } from '../redis/clock.ts';
import { connect } from '../redis/connect.ts';
import { aclLine, askPermissions, missingIn, type Permissions, refusedPatterns, WAYS } from '../redis/permissions.ts';
import { type KeyspaceSample, sampleKeyspace } from '../redis/probe.ts';

export interface Finding {
  /** `null`: about the queue. */
  readonly target: string | null;
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do; `null` when nothing needs to be done. */
  readonly advice: string | null;
}

type Report = (check: string, status: Finding['status'], message: string, advice?: string) => void;

/** UNLINK came with 4.0; everything was tried on 7.0. */
const OLDEST_VERSION = 4;
/** BullMQ's own minimum. */
const OLDEST_QUEUE_VERSION = 5;
const SAMPLED_KEYS = 20_000;
const WAY_NAMES = { script: 'runs by script', transaction: 'runs by transaction', 'dry run': 'dry runs' } as const;

const checkVersion = (report: Report, info: Info, oldest: number): void => {
  const version = info.get('redis_version') ?? 'unknown';
  const tooOld = Number.parseInt(version, 10) < oldest;
  report('version', tooOld ? 'failed' : 'ok', `Redis ${version}`, tooOld ? `use Redis ${oldest} or newer` : undefined);
};

const checkRole = (report: Report, info: Info): void => {
  if (info.get('role') !== 'slave') return;
  report('role', 'failed', 'it is a replica, which refuses writes', 'point the URL at the primary');
};

const checkEviction = (report: Report, info: Info, ofQueue: boolean, sweepsOrphans: boolean): void => {
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (ofQueue && policy !== 'noeviction') {
    report(
      'eviction',
      'warning',
      `policy ${policy} may evict jobs`,
      'set maxmemory-policy noeviction, or give the queue a Redis of its own with QUEUE_REDIS_URL',
    );
  } else if (!ofQueue && sweepsOrphans && policy.includes('lfu')) {
    report(
      'eviction',
      'warning',
      `under ${policy} idle times are not kept`,
      'orphans stay; use an LRU policy to have them swept',
    );
  } else report('eviction', 'ok', `policy ${policy}`);
};

const checkSaving = (report: Report, info: Info): void => {
  if (info.get('rdb_last_bgsave_status') !== 'err') return;
  report(
    'saving',
    'failed',
    'the last background save failed, so Redis may refuse writes',
    "see Redis' log; free disk space or memory",
  );
};

const checkSchema = async (
  report: Report,
  calls: Calls,
  target: TargetConfig,
  sample: KeyspaceSample,
): Promise<void> => {
  const { schema } = target;
  const looked = sample.complete ? `all ${sample.keys} keys` : `the first ${sample.keys} keys`;
  const heartbeats = sample.byFamily[schema.heartbeatFamily] ?? 0;
  if (heartbeats > 0) {
    const families = schema.families.map((family, i) => `${family} ${sample.byFamily[i]}`);
    report('schema', 'ok', `"${schema.name}" in ${looked}: ${families.join(', ')}`);
    return;
  }
  const message = `${looked} hold no heartbeat of schema "${schema.name}" (${schema.heartbeat.text})`;
  if (sample.keys === 0) {
    report('schema', 'ok', 'the database is empty');
    return;
  }
  for (const [name, families] of Object.entries(SHIPPED_SCHEMAS)) {
    const other = compileSchema(name, families);
    const found = await sampleKeyspace(calls, other, SAMPLED_KEYS);
    if (name === schema.name || (found.byFamily[other.heartbeatFamily] ?? 0) === 0) continue;
    report('schema', 'warning', message, `there are heartbeats of schema "${name}": set STALESWEEP_SCHEMA=${name}`);
    return;
  }
  report(
    'schema',
    'warning',
    message,
    'check the database number in the URL, or write the schema of your keys in the configuration file',
  );
};

const checkHeartbeats = (report: Report, target: TargetConfig, { heartbeats }: KeyspaceSample): void => {
  const { read, unreadable, inSeconds, shortestTtlSeconds } = heartbeats;
  if (read === 0) return;
  if (inSeconds > 0) {
    report(
      'heartbeats',
      'failed',
      `${inSeconds} of ${read} sampled timestamps look like seconds; read as milliseconds they are decades old`,
      'write timestamps in milliseconds; until then every such coordinator looks stale',
    );
  }
  if (unreadable > 0) {
    report(
      'heartbeats',
      'warning',
      `${unreadable} of ${read} sampled heartbeats can not be judged; they are kept`,
      'a heartbeat is a string holding JSON with a "timestamp"',
    );
  }
  if (shortestTtlSeconds !== null && shortestTtlSeconds <= target.staleAfterSeconds) {
    report(
      'heartbeats',
      'warning',
      `heartbeats expire (within ${shortestTtlSeconds}s) before they can be stale (${target.staleAfterSeconds}s), and leave orphans`,
      'lower staleAfter, let heartbeats live longer, or list the families in "orphans"',
    );
  }
  if (inSeconds === 0 && unreadable === 0) report('heartbeats', 'ok', `${read} sampled, all can be judged`);
};

const checkPermissions = (
  report: Report,
  target: TargetConfig,
  permissions: Permissions,
  patterns: readonly string[],
): void => {
  const missing = missingIn(permissions);
  if (missing !== null) report('permissions', 'failed', `the user ${missing.what}`, missing.advice);
  else report('permissions', 'ok', 'all that a run needs');
  if (patterns.length > 0) {
    const listed = patterns.map((pattern) => `~${pattern}`).join(' ');
    report(
      'permissions',
      'warning',
      'the user may not touch every key that the schema allows',
      `grant it ${listed}, unless it is meant to clean less`,
    );
  }
  if (missing === null) {
    const { withoutScripts } = permissions;
    const message = withoutScripts === null ? 'script' : `transaction, since ${withoutScripts}`;
    report('strategy', 'ok', `a run removes by ${message}`);
  }
  for (const way of WAYS) report('acl', 'ok', `${WAY_NAMES[way]}: ${aclLine(target, way)}`);
};

const reporter = (findings: Finding[], target: string | null): Report => {
  return (check, status, message, advice) => findings.push({ target, check, status, message, advice: advice ?? null });
};

const examineTarget = async (findings: Finding[], target: TargetConfig): Promise<void> => {
  const report = reporter(findings, target.name);
  const redis = await connect(target);
  try {
    const calls = new Calls(redis);
    report('connection', 'ok', `${redactUrl(target.url)} answers`);
    const permissions = await askPermissions(calls, target.schema, false);
    const { refused } = permissions;
    checkPermissions(report, target, permissions, await refusedPatterns(calls, target.schema));
    if (!refused.includes('info')) {
      const info = await readInfo(calls);
      checkVersion(report, info, OLDEST_VERSION);
      checkRole(report, info);
      checkEviction(report, info, false, target.orphans.length > 0);
      checkSaving(report, info);
    }
    if (refused.includes('scan') || refused.includes('mget') || refused.includes('exists')) return;
    const sample = await sampleKeyspace(calls, target.schema, SAMPLED_KEYS);
    await checkSchema(report, calls, target, sample);
    checkHeartbeats(report, target, sample);
  } finally {
    redis.disconnect();
  }
};

const examineQueue = async (findings: Finding[], config: Config): Promise<void> => {
  const report = reporter(findings, null);
  const redis = await connect(config.queue);
  try {
    report('connection', 'ok', `${redactUrl(config.queue.url)} answers`);
    const info = await readInfo(new Calls(redis));
    checkVersion(report, info, OLDEST_QUEUE_VERSION);
    checkRole(report, info);
    checkEviction(report, info, true, false);
    checkSaving(report, info);
    if ([...config.targets.values()].some(({ url }) => url === config.queue.url)) {
      report(
        'separation',
        'ok',
        'shares its Redis with a target; when that one is full, no run can be recorded: a Redis of its own is safer',
      );
    }
  } finally {
    redis.disconnect();
  }
};

/** Examines the targets and the queue. What can't be reached is a finding, too. */
export const examine = async (config: Config, targets: readonly TargetConfig[]): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (const target of targets) {
    await examineTarget(findings, target).catch((error: unknown) => {
      reporter(findings, target.name)(
        'connection',
        'failed',
        sentenceOf(error),
        'check the URL, the network and the password',
      );
    });
  }
  await examineQueue(findings, config).catch((error: unknown) => {
    reporter(findings, null)(
      'connection',
      'failed',
      sentenceOf(error),
      'check QUEUE_REDIS_URL, the network and the password',
    );
  });
  return findings;
};
