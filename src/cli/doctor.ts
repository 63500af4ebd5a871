/** doctor: one finding per thing that can be wrong, each with what to do about it. */
import { redactUrl } from '../config/redisUrl.ts';
import type { Config, TargetConfig } from '../config/resolve.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import type { Finding } from '../health/finding.ts';
import { checkAddresses, checkGuards, checkHold, checkOutages } from '../health/guards.ts';
import { checkHeartbeats } from '../health/heartbeats.ts';
import { Ledger } from '../ledger/ledger.ts';
import { readMembers } from '../queue/members.ts';
import { checkSentinels } from '../health/sentinels.ts';
import { checkTrash } from '../health/trash.ts';
import { findingsOf, readQueueState } from '../health/queueState.ts';
import { openQueues, type Queues } from '../queue/queues.ts';
import { QUIET } from './queue.ts';
import { type Calls, ServerCalls } from '../redis/calls.ts';
import { type Info, readInfo, UPTIME } from '../redis/clock.ts';
import { connect } from '../redis/connect.ts';
import { explain } from '../redis/explain.ts';
import { makingDoWithoutInfo, missingIn } from '../redis/missing.ts';
import { aclLine, askPermissions, type Permissions, refusedPatterns, WAYS } from '../redis/permissions.ts';
import { adviseSchema, type KeyspaceSample, SAMPLED_KEYS, sampleKeyspace } from '../redis/probe.ts';
import { isRefusal } from '../redis/refusals.ts';
import { unreadyIn } from '../redis/unready.ts';

type Report = (check: string, status: Finding['status'], message: string, advice?: string) => void;

/** UNLINK came with 4.0; everything was tried on 7.0. */
const OLDEST_VERSION = 4;
/** BullMQ's own minimum. */
const OLDEST_QUEUE_VERSION = 5;
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

const checkRestarts = (report: Report, info: Info, { restartGrace }: TargetConfig): void => {
  if (!restartGrace || info.has(UPTIME)) return;
  const what = `INFO does not tell ${UPTIME}, so nobody can tell whether Redis came back with old data`;
  report('restarts', 'failed', what, 'set restartGrace: false, or use a server that tells it');
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
  const unfit = await adviseSchema(calls, schema);
  if (unfit !== null) report('schema', 'warning', unfit.message, unfit.advice);
  else report('schema', 'ok', sample.keys === 0 ? 'the database is empty' : `${looked} are stalesweep's own`);
};

const checkPermissions = (
  report: Report,
  target: TargetConfig,
  permissions: Permissions,
  patterns: readonly string[],
): void => {
  const missing = missingIn(target.restartGrace ? permissions : makingDoWithoutInfo(permissions));
  if (missing !== null) report('permissions', 'failed', `the ${missing.whose} ${missing.what}`, missing.advice);
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
  const redis = await connect(target, { toRead: true });
  try {
    const calls = new ServerCalls(redis);
    report('connection', 'ok', `${redactUrl(target.url)} answers`);
    for (const finding of await checkSentinels(target)) findings.push({ target: target.name, ...finding });
    const permissions = await askPermissions(calls, target, false);
    const refused = [...permissions.refused, ...permissions.untaken.map(({ command }) => command)];
    checkPermissions(report, target, permissions, await refusedPatterns(calls, target));
    if (!refused.includes('info')) {
      const info = await readInfo(calls);
      checkVersion(report, info, OLDEST_VERSION);
      checkRole(report, info);
      checkEviction(report, info, false, target.orphans.length > 0);
      checkSaving(report, info);
      checkRestarts(report, info, target);
    }
    if (['scan', 'mget', 'exists', 'time'].some((command) => refused.includes(command))) return;
    const sample = await sampleKeyspace(calls, target.schema, SAMPLED_KEYS);
    await checkSchema(report, calls, target, sample);
    for (const finding of checkHeartbeats(sample.heartbeats, target))
      findings.push({ target: target.name, ...finding });
    if (target.trash > 0) findings.push({ target: target.name, ...(await checkTrash(calls)) });
  } finally {
    redis.disconnect();
  }
};

/** What those who work on the queue have noted of a target. */
const examinePast = async (
  findings: Finding[],
  queues: Queues,
  { process }: Config,
  targets: readonly TargetConfig[],
): Promise<void> => {
  const ledger = new Ledger(queues.connection, queues.prefix, process.ledger);
  const members = await readMembers(queues);
  const nowMs = Number((await queues.connection.time())[0]) * 1000;
  for (const target of targets) {
    const told = [
      ...(await checkHold(ledger, target)),
      ...(await checkOutages(ledger, target, nowMs)),
      ...checkAddresses(members, target),
    ];
    for (const finding of told) findings.push({ target: target.name, ...finding });
  }
};

const examineQueue = async (findings: Finding[], config: Config, targets: readonly TargetConfig[]): Promise<void> => {
  const report = reporter(findings, null);
  const redis = await connect(config.queue, { toRead: true });
  try {
    report('connection', 'ok', `${redactUrl(config.queue.url)} answers`);
    for (const finding of await checkSentinels(config.queue)) findings.push({ target: null, ...finding });
    const info = await readInfo(new ServerCalls(redis)).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      report(
        'info',
        'warning',
        `INFO is refused (${sentenceOf(error)})`,
        'its version, role and eviction policy are not known',
      );
      return null;
    });
    if (info !== null) {
      checkVersion(report, info, OLDEST_QUEUE_VERSION);
      checkRole(report, info);
      checkEviction(report, info, true, false);
      checkSaving(report, info);
    }
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
  const queues = await openQueues(config.queue, QUIET);
  try {
    findings.push(...findingsOf(await readQueueState(queues, config.targets)));
    await examinePast(findings, queues, config, targets);
  } finally {
    await queues.close();
  }
};

/**
 * Says why Redis can't be examined: it is not ready, or not fit for this, which is no matter of the address; or it is not reached.
 */
const tellUnreached = (report: Report, error: unknown, advice: string): void => {
  const unready = unreadyIn(error instanceof Failure ? error.cause : error);
  if (unready !== null) report('connection', 'failed', `Redis ${unready.what}`, unready.advice);
  else if (error instanceof Failure && error.code !== 'UNREACHABLE') report('server', 'failed', error.message);
  else report('connection', 'failed', sentenceOf(error), advice);
};

/** Examines the targets and the queue. What can't be reached is a finding, too. */
export const examine = async (config: Config, targets: readonly TargetConfig[]): Promise<readonly Finding[]> => {
  const findings: Finding[] = [];
  for (const target of targets) {
    for (const finding of checkGuards(target)) findings.push({ target: target.name, ...finding });
    await examineTarget(findings, target).catch((error: unknown) => {
      const told = explain(error, target);
      tellUnreached(reporter(findings, target.name), told, 'check the URL, the network and the password');
    });
  }
  await examineQueue(findings, config, targets).catch((error: unknown) => {
    tellUnreached(reporter(findings, null), error, 'check QUEUE_REDIS_URL, the network and the password');
  });
  return findings;
};
