/** examineTarget: what doctor says of a target: one server, or each primary of a cluster. */
import { deploymentOf } from '../../config/values/deployment.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { TargetConfig } from '../../config/resolve.ts';
import type { Finding } from '../../health/finding.ts';
import { checkHeartbeats } from '../../health/heartbeats.ts';
import { checkReplicas } from '../../health/replicas.ts';
import { checkSentinels } from '../../health/sentinels.ts';
import { trashFinding } from '../../health/trash.ts';
import { type Calls, ServerCalls } from '../../redis/call/calls.ts';
import { type Info, readInfo, UPTIME } from '../../redis/target/clock.ts';
import { PartCalls } from '../../redis/cluster/calls/partCalls.ts';
import { type Primary, primariesOf } from '../../redis/cluster/nodes/primaries.ts';
import { connect } from '../../redis/connection/connect.ts';
import type { Redis } from '../../redis/connection/ioredis.ts';
import { makingDoWithoutInfo, missingIn } from '../../redis/rights/missing.ts';
import { aclLine, askPermissions, type Permissions, refusedPatterns, WAYS } from '../../redis/rights/permissions.ts';
import { replicasToRead } from '../../redis/replica/find.ts';
import { adviseSchema, type KeyspaceSample, SAMPLED_KEYS, sampleKeyspace } from '../../redis/keyspace/probe.ts';
import { readTrash, type TrashContents } from '../../redis/trash/read.ts';
import {
  checkEviction,
  checkRole,
  checkSaving,
  checkVersion,
  commandsOf,
  type Report,
  reporter,
} from './serverChecks.ts';

/** UNLINK came with 4.0; what was tried since stands in docs/compatibility.md. */
const OLDEST_VERSION = 4;
const WAY_NAMES = { script: 'runs by script', transaction: 'runs by transaction', 'dry run': 'dry runs' } as const;

function checkRestarts(report: Report, info: Info, { restartGrace }: TargetConfig): void {
  if (!restartGrace || info.has(UPTIME)) return;
  const what = `INFO does not tell ${UPTIME}, so nobody can tell whether Redis came back with old data`;
  report('restarts', 'failed', what, 'set restartGrace: false, or use a server that tells it');
}

async function checkSchema(report: Report, calls: Calls, target: TargetConfig, sample: KeyspaceSample): Promise<void> {
  const { schema } = target;
  const looked = sample.complete ? `all ${sample.keys} keys` : `the first ${sample.keys} keys`;
  const heartbeats = sample.byFamily[schema.heartbeatFamily] ?? 0;
  if (heartbeats > 0) {
    const families = schema.families.map((family, i) => `${family} ${sample.byFamily[i]}`);
    report('schema', 'ok', `"${schema.name}" in ${looked}: ${families.join(', ')}`);
    for (const { message, advice } of sample.strangers) report('schema', 'warning', message, advice);
    return;
  }
  const unfit = await adviseSchema(calls, schema);
  if (unfit !== null) report('schema', 'warning', unfit.message, unfit.advice);
  else report('schema', 'ok', sample.keys === 0 ? 'the database is empty' : `${looked} are stalesweep's own`);
}

function checkPermissions(
  report: Report,
  target: TargetConfig,
  permissions: Permissions,
  patterns: readonly string[],
  version: string | undefined,
): void {
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
  for (const way of WAYS) report('acl', 'ok', `${WAY_NAMES[way]}: ${aclLine(target, way, version)}`);
}

/** Examines a target; of a cluster each primary. Rejects as `connect` does, and with the error of Redis. */
export async function examineTarget(findings: Finding[], target: TargetConfig): Promise<void> {
  const report = reporter(findings, target.name);
  const redis = await connect(target, { toRead: true, toPart: true });
  try {
    report('connection', 'ok', `${redactUrl(target.url)} answers`);
    for (const finding of await checkSentinels(target)) findings.push({ target: target.name, ...finding });
    const primaries = await primariesOf(redis, target);
    if (primaries !== null) {
      await examineCluster(findings, target, primaries);
      return;
    }
    sayTrash(findings, target, [await examineServer(findings, target, redis)]);
    const replicas = target.readFrom === 'replica' ? await replicasToRead(target) : [];
    for (const finding of await checkReplicas(target, redis, replicas))
      findings.push({ target: target.name, ...finding });
  } finally {
    redis.disconnect();
  }
}

/** Each primary; what several say is told once. */
async function examineCluster(findings: Finding[], target: TargetConfig, primaries: readonly Primary[]): Promise<void> {
  const report = reporter(findings, target.name);
  const named = primaries.map(({ member }) => `${member.host}:${member.port}`).join(', ');
  const isNamed = deploymentOf(target.url)?.kind === 'cluster';
  report(
    'server',
    'ok',
    `a cluster of ${primaries.length === 1 ? 'one primary' : `${primaries.length} primaries`} (${named}), of which each run cleans all`,
  );
  if (!isNamed) {
    const advice = `write redis+cluster:// with several nodes, as in redis+cluster://${named.replaceAll(', ', ',')}`;
    report('address', 'warning', 'the URL names one node of the cluster, without which no run begins', advice);
  }
  const told = new Set<string>();
  const trash: (TrashContents | null)[] = [];
  for (const { address, member, tag, replicas } of primaries) {
    const where = `${member.host}:${member.port}`;
    const own: Finding[] = [];
    const redis = await connect(address, { toRead: true, toPart: true });
    try {
      trash.push(await examineServer(own, target, redis, tag));
      for (const finding of await checkReplicas(target, redis, replicas, tag)) {
        own.push({ target: target.name, ...finding });
      }
    } finally {
      redis.disconnect();
    }
    for (const finding of own) {
      const isOfAll = finding.check !== 'schema' || finding.status !== 'ok';
      const said = isOfAll ? finding.message : `${where}: ${finding.message}`;
      const key = JSON.stringify([finding.check, finding.status, said]);
      if (!told.has(key)) findings.push({ ...finding, message: said });
      told.add(key);
    }
  }
  sayTrash(findings, target, trash);
}

/** Of all servers together; nothing where none was looked into. */
function sayTrash(findings: Finding[], { name }: TargetConfig, parts: readonly (TrashContents | null)[]): void {
  const known = parts.flatMap((part) => part ?? []);
  if (known.length > 0) findings.push({ target: name, ...trashFinding(known) });
}

/**
 * Resolves to what its trash holds; `null` where there is none, or it can't be read.
 * @param part of a node of a cluster: a tag that puts names where it serves them
 */
async function examineServer(
  findings: Finding[],
  settings: TargetConfig,
  redis: Redis,
  part?: string,
): Promise<TrashContents | null> {
  const target = part === undefined ? settings : { ...settings, part };
  const report = reporter(findings, target.name);
  const calls = part === undefined ? new ServerCalls(redis) : new PartCalls(redis);
  const permissions = await askPermissions(calls, target, false);
  const refused = [...permissions.refused, ...permissions.untaken.map(({ command }) => command)];
  const info = refused.includes('info') ? null : await readInfo(calls);
  const version = info === null ? undefined : commandsOf(info);
  checkPermissions(report, target, permissions, await refusedPatterns(calls, target), version);
  if (info !== null) {
    checkVersion(report, info, OLDEST_VERSION);
    checkRole(report, info);
    checkEviction(report, info, false, target.orphans.length > 0);
    checkSaving(report, info);
    checkRestarts(report, info, target);
  }
  if (['scan', 'mget', 'exists', 'time'].some((command) => refused.includes(command))) return null;
  const sample = await sampleKeyspace(calls, target.schema, SAMPLED_KEYS);
  await checkSchema(report, calls, target, sample);
  for (const finding of checkHeartbeats(sample.heartbeats, target)) findings.push({ target: target.name, ...finding });
  return target.trash > 0 ? await readTrash(calls) : null;
}
