/** render status: what an operator sees of each target, in 80 columns. */
import { endOf } from '../../domain/report.ts';
import { shortRunId } from '../../ledger/runs/runId.ts';
import { redactUrl } from '../../config/values/redisUrl.ts';
import { amount, amountOf, bytesOf, secondsOf, tookOf } from '../../pages/parts/amounts.ts';
import { clockOf, countdownOf, relative } from '../../pages/parts/instants.ts';
import type { Look } from '../../ledger/targets/looks.ts';
import type { Status, TargetStatus } from '../../status/status.ts';
import type { Trouble } from '../../status/troubles.ts';
import type { RunUnderWay } from '../../status/underWay.ts';
import { plain } from './plain.ts';

const COLUMNS = 80;
const NAME = 15;
const BARS = ' ▁▂▃▄▅▆▇█';

/** Everything, target by target, what is wrong at its end. */
export function renderStatus(status: Status): string {
  const targets = status.targets.map((target) => renderTarget(target, status.atMs).join('\n'));
  const troubles = status.troubles.flatMap(linesOf);
  return [...targets, ...(troubles.length > 0 ? [troubles.join('\n')] : [])].join('\n\n');
}

/** `text` behind a name, broken where it is too long. */
function line(name: string, text: string): string[] {
  const width = COLUMNS - NAME - 2;
  const lines: string[] = [];
  let rest = plain(text);
  while (rest.length > width) {
    const at = rest.lastIndexOf(' ', width);
    const to = at > 0 ? at : width;
    lines.push(rest.slice(0, to));
    rest = rest.slice(to).trimStart();
  }
  return [...lines, rest].map((part, i) => `  ${(i === 0 ? name : '').padEnd(NAME)}${part}`);
}

function linesOf({ word, sentence, advice, grave }: Trouble): string[] {
  return line(`${grave ? '!' : '·'} ${word}`, advice === null ? sentence : `${sentence} To do: ${advice}.`);
}

function renderTarget(status: TargetStatus, nowMs: number): string[] {
  const { target, settings, past, nextRunAtMs, underWay, look, troubles } = status;
  const mode = `stale after ${secondsOf(settings.staleAfterSeconds)}${settings.mode === 'observe' ? ', observed only' : ''}`;
  return [
    plain(`target "${target}"`),
    ...line('', `${redactUrl(settings.url)}, schema ${settings.schema.name}, ${mode}`),
    ...renderCoordinators(status, nowMs),
    ...(look === null ? [] : renderFamilies(look, nowMs)),
    ...(underWay === null ? [] : line('running', renderUnderWay(underWay))),
    ...(past.last === null ? [] : line('last run', renderLast(past.last, nowMs))),
    ...line('next run', nextRunAtMs === null ? 'none: no worker has declared the schedule' : next(nextRunAtMs, nowMs)),
    ...troubles.flatMap(linesOf),
  ];
}

function next(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? 'due' : `in ${countdownOf(atMs - nowMs)}, at ${clockOf(atMs)}`;
}

function renderCoordinators(status: TargetStatus, nowMs: number): string[] {
  const { coordinators, silence, asOfMs, staleAfterSeconds, target } = status;
  if (coordinators === null || asOfMs === null) {
    const how = `stalesweep enqueue --target ${target} --dry-run --wait`;
    return line('coordinators', `no run has counted them yet; this does, and removes nothing: ${how}`);
  }
  const { active, atRisk, stale, unreadable, held, protected: spared } = coordinators;
  const others = [
    [stale, 'stale'],
    [unreadable, 'unreadable'],
    [held, 'held'],
    [spared, 'protected'],
  ] as const;
  const told = others.filter(([count], i) => i < 2 || count > 0).map(([count, word]) => `${amount(count)} ${word}`);
  return [
    ...line('coordinators', `${amount(active)} active, ${amount(atRisk)} of them at risk; ${told.join(', ')}`),
    ...line('', `as of ${clockOf(asOfMs)} (${relative(asOfMs, nowMs)})`),
    ...(silence === null ? [] : line('silence', renderSilence(silence, staleAfterSeconds))),
  ];
}

/** A bar for each tenth of the threshold, and in numbers who is beyond it. */
function renderSilence(silence: readonly number[], staleAfterSeconds: number): string {
  const within = silence.slice(0, -1);
  const most = Math.max(1, ...within);
  const bars = within.map((count) => BARS[Math.ceil((count / most) * (BARS.length - 1))] ?? ' ').join('');
  return `0 |${bars}| ${secondsOf(staleAfterSeconds)}   beyond: ${amount(silence.at(-1) ?? 0)}`;
}

function renderFamilies({ families, complete, atMs }: Look, nowMs: number): string[] {
  const sampled = complete ? '' : ', from a sample';
  const rows = families.map(({ family, keys, bytes, idleSeconds }) => {
    const memory = bytes === null ? '-' : bytesOf(bytes);
    const untouched = idleSeconds === undefined ? '-' : secondsOf(idleSeconds);
    return `  ${plain(family).slice(0, 20).padEnd(22)}${amount(keys).padStart(12)}${memory.padStart(12)}${untouched.padStart(18)}`;
  });
  const head = `  ${'family'.padEnd(22)}${'keys'.padStart(12)}${'memory'.padStart(12)}${'untouched up to'.padStart(18)}`;
  return [head, ...rows, `  as of ${clockOf(atMs)} (${relative(atMs, nowMs)}${sampled})`];
}

function renderUnderWay({ run, state, dryRun, progress, swept, deleted, stopping }: RunUnderWay): string {
  const what = `${dryRun ? 'dry run' : 'run'} ${run}${stopping ? ', stopping' : ''}`;
  if (state !== 'active') return `${what}: ${state === 'delayed' ? 'waits for its next attempt' : 'waits'}`;
  if (progress === null) return `${what}: ${amount(swept)} swept, ${amount(deleted)} things removed so far`;
  const { phase, percent, checked, stale } = progress;
  return `${what}: ${phase}, ${percent} %; ${amount(checked)} checked, ${amount(swept)} of ${amount(stale)} swept`;
}

function renderLast(last: NonNullable<TargetStatus['past']['last']>, nowMs: number): string {
  const { run, outcome, report, dryRun, removed, atMs } = last;
  const took = report === null ? '' : ` in ${tookOf(report.durationMs)}`;
  const what = dryRun
    ? `would sweep ${amountOf(report?.coordinators.stale ?? 0, 'coordinator')}, ${amountOf(report?.keys.found ?? 0, 'thing')}`
    : `${amountOf(removed.swept, 'coordinator')} swept, ${amountOf(removed.deleted, 'thing')} removed${keptOf(last)}`;
  const ended = report === null || outcome !== 'completed' ? outcome : endOf(report);
  return `${shortRunId(run)}${dryRun ? ' (dry run)' : ''}: ${ended}${took}, ${relative(atMs, nowMs)}; ${what}`;
}

/** Why so many silent ones stayed. */
function keptOf({ outcome, report }: NonNullable<TargetStatus['past']['last']>): string {
  const { held = 0, stale = 0 } = report?.coordinators ?? {};
  if (held > 0) return `, ${amount(held)} held`;
  return outcome === 'refused' ? `, ${amount(stale)} look stale` : '';
}
