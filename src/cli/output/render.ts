/** render: reports for people, in 80 columns. */
import { WHY_SAYS } from '../../domain/heartbeat.ts';
import { knowsFreed, type Report, type UnreadableGroup } from '../../domain/report.ts';
import { bytesOf } from '../../pages/parts/amounts.ts';
import { plain } from './plain.ts';
import { fit } from './wrap.ts';

/** Under what stands behind a name. */
const FURTHER = ' '.repeat(16);

/** With a comma between thousands. `toLocaleString` would first load the customs of every country. */
function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A span as people say it: `1.4 s`, `320 ms`. */
function span(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How many of the stale had no heartbeat any more; nothing where that was nobody. Reports of older runs do not say. */
function lapsedOf({ lapsed = 0 }: Partial<Report['coordinators']>): string {
  return lapsed === 0 ? '' : `; ${number(lapsed)} had no heartbeat any more`;
}

/** Who stays although silent for too long; nothing where that is nobody. Reports of older runs do not say. */
function keptOf({ held = 0, protected: spared = 0 }: Partial<Report['coordinators']>): string {
  return [held > 0 ? [`${number(held)} held`] : [], spared > 0 ? [`${number(spared)} protected`] : []]
    .flat()
    .map((what) => `; ${what}`)
    .join('');
}

/** What stays since somebody who lives could own it, too; nothing where that is nothing. Reports of older runs do not say. */
function sharedOf({ kept = 0 }: Partial<Report['keys']>): string {
  return kept > 0 ? `; kept: ${number(kept)}` : '';
}

/** How many of the deleted can be restored; nothing where none can. */
function trashedOf({ trashed }: Report['keys']): string {
  return trashed === undefined ? '' : `, ${number(trashed)} of them to the trash`;
}

/** What became of Redis' memory, where that is known. */
function freedBy({ redis, ...report }: Report): string {
  if (redis.memoryEstimateBytes !== undefined) return `; about ${bytesOf(redis.memoryEstimateBytes)} would be freed`;
  // What lies in the trash takes its memory still.
  if ((report.keys.trashed ?? 0) > 0) return '';
  return knowsFreed(report) ? `; ${bytesOf(redis.memoryFreedBytes)} freed` : '';
}

/** A report as a few lines of text. */
export function renderReport(report: Report): string {
  const { coordinators, keys, redis, dryRun } = report;
  const title = `run ${report.run} of target "${report.target}"${dryRun ? ' (dry run)' : ''}: ${report.outcome}`;
  if (report.outcome === 'skipped') return `${title}\n${fit(`  ${report.reason}`, '  ')}`;
  if (report.pass === 'none') {
    const why = report.reason ?? 'nobody can be stale yet, so nobody was looked at';
    return `${title} in ${span(report.durationMs)}\n${fit(`  ${why}`, '  ')}`;
  }
  const families = Object.entries(keys.byFamily)
    .filter(([, count]) => count > 0)
    .map(([family, count]) => `${family} ${number(count)}`);
  const orphans = keys.orphans === null ? 'not looked for' : number(keys.orphans);
  const lines = [
    `${title} in ${span(report.durationMs)}`,
    ...(report.reason ? [`  ${report.reason}`] : []),
    ...(report.pass === 'due' ? ['  only those were looked at who could be stale by now'] : []),
    `  coordinators  ${number(coordinators.checked)} checked: ${number(coordinators.active)} active, ${number(coordinators.stale)} stale, ${number(coordinators.unreadable)} unreadable`,
    `                ${number(coordinators.swept)} swept, ${number(coordinators.revived)} revived${lapsedOf(coordinators)}${keptOf(coordinators)}`,
    ...(report.held === undefined ? [] : [renderHeld(report.held, coordinators.held)]),
    `  keys          ${number(keys.found)} found, ${number(keys.deleted)} deleted${trashedOf(keys)}; orphans: ${orphans}${sharedOf(keys)}`,

    ...(families.length > 0 ? [`                ${families.join(', ')}`] : []),
    ...(report.unowned === undefined
      ? []
      : [`                ${number(report.unowned.count)} at nodes that no longer own them: redis-cli --cluster fix`]),
    `  redis         ${number(redis.calls)} calls, the slowest ${span(redis.slowestCallMs)}${freedBy(report)}`,
  ];
  const unreadable = report.unreadable.flatMap((group, i) => renderUnreadable(group, i === 0));
  // What stands behind a name goes on under it.
  const further = (line: string) => (/^ {2}\w+ {2,}| {16}/.test(line) ? FURTHER : '  ');
  return [...lines.map((line) => fit(line, further(line))), ...unreadable].join('\n');
}

function renderHeld({ since, until }: NonNullable<Report['held']>, count: number): string {
  if (count === 0) return `                since ${since} the threshold counts double, until a run leaves nobody stale`;
  const goes = until === null ? '' : `; unless they beat, the first go at ${until}`;
  return `                held since ${since}${goes}`;
}

/** A name a line, so that it can be copied whole. */
function renderUnreadable({ why, count, sample }: UnreadableGroup, first: boolean): readonly string[] {
  // A later version may know more reasons.
  const says = WHY_SAYS[why] as string | undefined;
  const head = `${number(count)} ${plain(why)}${says === undefined ? '' : `: ${says}`}`;
  const rest = count > sample.length ? [`and ${number(count - sample.length)} more`] : [];
  return [
    `  ${(first ? 'unreadable' : '').padEnd(14)}${head}`,
    ...[...sample.map(plain), ...rest].map((line) => `                  ${line}`),
  ];
}
