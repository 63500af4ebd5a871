/** render: reports and lists for people, in 80 columns. */
import Table from 'cli-table3';
import ms from 'ms';
import { WHY_SAYS } from '../domain/heartbeat.ts';
import type { Report, UnreadableGroup } from '../domain/report.ts';

const number = (value: number): string => value.toLocaleString('en-US');

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

/** A text of others in one line, without what a terminal would obey. */
export const plain = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');

/** A span as people say it: `1.4 s`, `320 ms`. */
const span = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

/** An instant as ISO 8601 to the second, in UTC; `-` for none. */
export const instant = (iso: string | null): string => (iso === null ? '-' : iso.slice(0, 19).replace('T', ' '));

/** A duration in the form the settings take: `5m`. */
export const duration = (milliseconds: number): string => ms(milliseconds);

/** Columns without lines, as other command-line tools print them. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const none = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const lines = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const chars = Object.fromEntries([...none, ...lines].map((part) => [part, '']));
  const made = new Table({
    head: [...head],
    chars: { ...chars, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => row.map(plain)));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

/** A report as a few lines of text. */
export const renderReport = (report: Report): string => {
  const { coordinators, keys, redis, dryRun } = report;
  const title = `run ${report.run} of target "${report.target}"${dryRun ? ' (dry run)' : ''}: ${report.outcome}`;
  if (report.outcome === 'skipped') return `${title}\n  ${report.reason}`;
  const families = Object.entries(keys.byFamily)
    .filter(([, count]) => count > 0)
    .map(([family, count]) => `${family} ${number(count)}`);
  const orphans = keys.orphans === null ? 'not looked for' : number(keys.orphans);
  const lines = [
    `${title} in ${span(report.durationMs)}`,
    ...(report.reason ? [`  ${report.reason}`] : []),
    `  coordinators  ${number(coordinators.checked)} checked: ${number(coordinators.active)} active, ${number(coordinators.stale)} stale, ${number(coordinators.unreadable)} unreadable`,
    `                ${number(coordinators.swept)} swept, ${number(coordinators.revived)} revived`,
    `  keys          ${number(keys.found)} found, ${number(keys.deleted)} deleted; orphans: ${orphans}`,
    ...(families.length > 0 ? [`                ${families.join(', ')}`] : []),
    `  redis         ${number(redis.calls)} calls, the slowest ${span(redis.slowestCallMs)}; ${megabytes(redis.memoryFreedBytes)} freed`,
  ];
  for (const [i, group] of report.unreadable.entries()) lines.push(...renderUnreadable(group, i === 0));
  return lines.join('\n');
};

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
