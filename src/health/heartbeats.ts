/** heartbeats: what a sample of a target's heartbeats says: whether they can be judged, and whether runs see them in time. */
import { WHY_SAYS, type Why } from '../domain/heartbeat.ts';
import type { HeartbeatSample } from '../redis/keyspace/probe.ts';
import type { Finding } from './finding.ts';
import { longestGapMs, niceAtMost, settingOf, type Timing } from './interval.ts';

type Told = Omit<Finding, 'target'>;

const WAY_OUT: Readonly<Record<Why, string>> = {
  'id-shape': 'write ids and swarms of as many segments as the schema says, or a schema whose ids have more',
  'not-json': 'write a JSON object, such as {"timestamp": 1760000000000}',
  'no-time': 'write the last beat into "timestamp" or "lastHeartbeat", at the top level of the JSON',
  'wrong-unit': 'write milliseconds since the epoch, not seconds, and make dates of milliseconds, not of seconds',
  future: 'check the clocks of those who write them, and that they write milliseconds, not microseconds',
  'wrong-type': 'write each heartbeat as a string, or see who else uses these names',
  'no-zone': 'write ISO 8601 with its zone, such as 2026-01-01T00:00:00Z',
  incomplete: 'write every field that the schema names',
};

/**
 * Heartbeats that expire before they can be stale: their coordinators are known only from having been seen, so runs must
 * look at least once in their time (P11). Nothing when they live longer.
 */
function checkTtl(ttlSeconds: number | null, target: Timing & { readonly staleAfterSeconds: number }): readonly Told[] {
  if (ttlSeconds === null || ttlSeconds > target.staleAfterSeconds) return [];
  const check = 'interval';
  const gapMs = longestGapMs(target, Date.now());
  const looks = target.cron === undefined ? `every ${settingOf(gapMs)}` : `up to ${settingOf(gapMs)} apart`;
  const lives = `heartbeats expire after ${settingOf(ttlSeconds * 1000)}, before they can be stale (${settingOf(target.staleAfterSeconds * 1000)})`;
  if (gapMs <= ttlSeconds * 1000) {
    return [{ check, status: 'ok', message: `${lives}; runs are ${looks}, so whoever beats is seen`, advice: null }];
  }
  const nice = niceAtMost(ttlSeconds);
  const instead = target.cron === undefined ? '' : ' instead of cron';
  const advice =
    nice === null
      ? 'let heartbeats live for longer than a second'
      : `set every: ${settingOf(nice * 1000)}${instead}, or let heartbeats live longer`;
  const message = `${lives}; runs are ${looks}, so who is born and dies in between is never seen`;
  return [{ check, status: 'warning', message, advice }];
}

/** One finding for each reason why sampled heartbeats can't be judged, and one about how long they live, if that matters. */
export function checkHeartbeats(
  { read, unreadable, shortestTtlSeconds }: HeartbeatSample,
  target: Timing & { readonly staleAfterSeconds: number },
): readonly Told[] {
  if (read === 0) return [];
  const check = 'heartbeats';
  const groups = unreadable.map(({ why, count, sample }): Told => {
    const rest = count > sample.length ? ', …' : '';
    const message = `${count} of ${read} sampled can't be judged and are kept: each ${WHY_SAYS[why]} (${why}): ${sample.join(', ')}${rest}`;
    return { check, status: 'warning', message, advice: WAY_OUT[why] };
  });
  const fine: Told = { check, status: 'ok', message: `${read} sampled, all can be judged`, advice: null };
  return [...(groups.length > 0 ? groups : [fine]), ...checkTtl(shortestTtlSeconds, target)];
}
