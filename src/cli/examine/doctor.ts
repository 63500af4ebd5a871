/** doctor: one finding per thing that can be wrong, each with what to do about it. */
import type { Socket } from 'node:net';
import { deploymentOf } from '../../config/values/deployment.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import type { Config, QueueConfig, TargetConfig } from '../../config/resolve.ts';
import { Failure, sentenceOf } from '../../domain/failure.ts';
import type { Finding } from '../../health/finding.ts';
import { checkAddresses, checkGuards, checkHold, checkOutages } from '../../health/guards.ts';
import { Ledger } from '../../ledger/ledger.ts';
import { readMembers } from '../../queue/members.ts';
import { whyNoQueue } from '../../redis/rights/needs.ts';
import { explainRefusal } from '../../queue/refusal.ts';
import { checkSentinels } from '../../health/sentinels.ts';
import { findingsOf, readQueueState } from '../../health/queueState.ts';
import { openQueues, type Queues } from '../../queue/queues.ts';
import { examineTarget } from './examineTarget.ts';
import { QUIET } from '../queue.ts';
import { ServerCalls } from '../../redis/call/calls.ts';
import { type Info, readInfo } from '../../redis/target/clock.ts';
import { isClusterNode } from '../../redis/connection/cluster.ts';
import type { Redis } from '../../redis/connection/ioredis.ts';
import { connect } from '../../redis/connection/connect.ts';
import { explain } from '../../redis/connection/explain.ts';
import { isRefusal, wordsOf } from '../../redis/rights/refusals.ts';
import { unreadyIn } from '../../redis/connection/unready.ts';
import { checkEviction, checkRole, checkSaving, checkVersion, type Report, reporter } from './serverChecks.ts';

/** BullMQ's own minimum. */
const OLDEST_QUEUE_VERSION = 5;

/** Which server of several has the queue, and who would take its place. */
function checkQueuePlace(report: Report, info: Info, redis: Redis, { url }: QueueConfig): void {
  const isOfCluster = isClusterNode(info);
  const isOfSeveral = isOfCluster || deploymentOf(url)?.kind === 'sentinel';
  if (!isOfSeveral) return;
  const replicas = Number(info.get('connected_slaves') ?? 0);
  const { remoteAddress, remotePort } = redis.stream as Socket;
  const where = `${remoteAddress}:${remotePort}`;
  if (isOfCluster) report('server', 'ok', `a cluster, of which ${where} serves the slot of the queue's keys`);
  if (replicas === 0) {
    report('replicas', 'warning', `${where} has no replica: were it lost, so were runs and ledger`, 'give it one');
  } else report('replicas', 'ok', `${where} has ${replicas === 1 ? 'one' : replicas}, which is waited for`);
  if (isOfCluster && deploymentOf(url)?.kind === 'single') {
    const advice = 'write redis+cluster:// with several nodes, as in redis+cluster://node-1:6379,node-2:6379';
    report('address', 'warning', 'the URL names one node of the cluster, without which nobody finds the queue', advice);
  }
}

/** What those who work on the queue have noted of a target. */
async function examinePast(
  findings: Finding[],
  queues: Queues,
  { process }: Config,
  targets: readonly TargetConfig[],
): Promise<void> {
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
}

async function examineQueue(findings: Finding[], config: Config, targets: readonly TargetConfig[]): Promise<void> {
  const report = reporter(findings, null);
  const redis = await connect(config.queue, { toRead: true, prefix: config.queue.prefix });
  try {
    report('connection', 'ok', `${redactUrl(config.queue.url)} answers`);
    for (const finding of await checkSentinels(config.queue)) findings.push({ target: null, ...finding });
    const info = await readInfo(new ServerCalls(redis)).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      report(
        'info',
        'warning',
        `INFO is refused (${wordsOf(error)})`,
        'its version, role and eviction policy are not known',
      );
      return null;
    });
    if (info !== null) {
      checkQueuePlace(report, info, redis, config.queue);
      checkVersion(report, info, OLDEST_QUEUE_VERSION);
      checkRole(report, info);
      checkEviction(report, info, true, false);
      checkSaving(report, info);
    }
    const lacks = await whyNoQueue(redis, config.queue.prefix);
    if (lacks !== null) report('commands', 'failed', lacks);
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
    // Its role, or a save that failed, says more.
    const isKnown = findings.some(({ target, status }) => target === null && status === 'failed');
    const told = findingsOf(await readQueueState(queues, config.targets));
    findings.push(...told.filter(({ check }) => check !== 'writes' || !isKnown));
    await examinePast(findings, queues, config, targets);
  } finally {
    await queues.close();
  }
}

/**
 * Says why Redis can't be examined: it is not ready, or not fit for this, which is no matter of the address; or it is not reached.
 */
function tellUnreached(report: Report, error: unknown, advice: string): void {
  const unready = unreadyIn(error instanceof Failure ? error.cause : error);
  if (unready !== null) report('connection', 'failed', `Redis ${unready.what}`, unready.advice);
  else if (error instanceof Failure && error.code !== 'UNREACHABLE') report('server', 'failed', error.message);
  else report('connection', 'failed', sentenceOf(error), advice);
}

/** Examines the targets and the queue. What can't be reached is a finding, too. */
export async function examine(config: Config, targets: readonly TargetConfig[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const advice = config.targetGiven
    ? 'check the URL, the network and the password'
    : 'set REDIS_URL: none is given, so the usual address is asked';
  for (const target of targets) {
    for (const finding of checkGuards(target)) findings.push({ target: target.name, ...finding });
    await examineTarget(findings, target).catch((error: unknown) => {
      const told = explain(error, target);
      tellUnreached(reporter(findings, target.name), told, advice);
    });
  }
  await examineQueue(findings, config, targets).catch((error: unknown) => {
    tellUnreached(
      reporter(findings, null),
      explainRefusal(error),
      'check QUEUE_REDIS_URL, the network and the password',
    );
  });
  return findings;
}
