/** words: durations, and who somebody is, as sentences have them. */
import { WHY_SAYS } from '../domain/heartbeat.ts';
import type { Owner } from './entry.ts';
import { textOf } from '../domain/nameText.ts';

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** Whole seconds in the two largest units that they have: `11 minutes 3 seconds`. */
export function durationOf(seconds: number): string {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0 seconds';
  let rest = seconds;
  const parts = UNITS.slice(first, first + 2).flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest %= size;
    return count === 0 ? [] : [`${count} ${unit}${count === 1 ? '' : 's'}`];
  });
  return parts.join(' ');
}

/** An id, and its swarm where there is one. */
export function whoIs({ coordinator, swarm }: Pick<Owner, 'coordinator' | 'swarm'>): string {
  return swarm === null ? textOf(coordinator) : `${textOf(coordinator)} in ${textOf(swarm)}`;
}

/** How somebody is, to follow its name. */
export function howIs({ state, silenceSeconds, unreadable, lives, isGivenBack = false }: Owner): string {
  const silent = silenceSeconds === null ? '' : durationOf(silenceSeconds);
  switch (state) {
    case 'active':
      return `is active: it beat ${silent} ago`;
    case 'atRisk':
      return `is at risk: it beat ${silent} ago, and lives`;
    case 'stale':
      return `is stale: it has been silent for ${silent}`;
    case 'unreadable':
      return `can't be judged: its heartbeat ${WHY_SAYS[unreadable ?? 'no-time']}`;
    case 'held':
      return `is held, silent for ${silent}: too many fell silent at once`;
    case 'protected':
      return `is protected by the configuration, ${silent === '' ? 'and does not beat' : `silent for ${silent}`}`;
    case 'lapsed':
      if (isGivenBack) return `was given back, and has not been seen to beat since; before that ${silent} ago`;
      return `has no heartbeat any more, and was last seen to beat ${silent} ago${lives ? '' : ': it is stale'}`;
    case 'none':
      return 'does not beat';
  }
}
