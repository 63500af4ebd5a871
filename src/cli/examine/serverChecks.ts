/** serverChecks: what doctor says of any server, whether it is a target or has the queue. */
import type { Finding } from '../../health/finding.ts';
import { type Info, isEvicting } from '../../redis/target/clock.ts';

/** Notes a finding. */
export type Report = (check: string, status: Finding['status'], message: string, advice?: string) => void;

/** Valkey calls itself the Redis 7.2 that it began as; from this version on it has fields of hashes that expire, as Redis from 7.4 on. */
const VALKEY_AHEAD = 9;

/** The version that says which commands there are; `undefined` where it is not told. */
export function commandsOf(info: Info): string | undefined {
  const valkey = info.get('valkey_version');
  return valkey !== undefined && Number.parseInt(valkey, 10) >= VALKEY_AHEAD ? valkey : info.get('redis_version');
}

/** Whether it is new enough. */
export function checkVersion(report: Report, info: Info, oldest: number): void {
  const version = info.get('redis_version') ?? 'unknown';
  const tooOld = Number.parseInt(version, 10) < oldest;
  const valkey = info.get('valkey_version');
  const named = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`;
  report('version', tooOld ? 'failed' : 'ok', named, tooOld ? `use Redis ${oldest} or newer` : undefined);
}

/** Whether it takes writes by its role. */
export function checkRole(report: Report, info: Info): void {
  if (info.get('role') !== 'slave') return;
  report('role', 'failed', 'it is a replica, which refuses writes', 'point the URL at the primary');
}

/** What it does when memory is full. */
export function checkEviction(report: Report, info: Info, ofQueue: boolean, sweepsOrphans: boolean): void {
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (ofQueue && policy !== 'noeviction') {
    report(
      'eviction',
      'warning',
      `policy ${policy} may evict jobs`,
      'set maxmemory-policy noeviction, or give the queue a Redis of its own with QUEUE_REDIS_URL',
    );
  } else if (!ofQueue && isEvicting(info)) {
    report(
      'eviction',
      'warning',
      `policy ${policy} has dropped ${info.get('evicted_keys')} keys, and memory is full: heartbeats may be among them, so who has none is kept`,
      'give it more memory, or coordinators a Redis of their own, with maxmemory-policy noeviction',
    );
  } else if (!ofQueue && sweepsOrphans && policy.includes('lfu')) {
    report(
      'eviction',
      'warning',
      `under ${policy} idle times are not kept`,
      'orphans stay; use an LRU policy to have them swept',
    );
  } else report('eviction', 'ok', `policy ${policy}`);
}

/** Whether it could save, without which it may refuse writes. */
export function checkSaving(report: Report, info: Info): void {
  if (info.get('rdb_last_bgsave_status') !== 'err') return;
  report(
    'saving',
    'failed',
    'the last background save failed, so Redis may refuse writes',
    "see Redis' log; free disk space or memory",
  );
}

/** Notes findings of a target; `null`: of the queue. */
export function reporter(findings: Finding[], target: string | null): Report {
  return (check, status, message, advice) => findings.push({ target, check, status, message, advice: advice ?? null });
}
