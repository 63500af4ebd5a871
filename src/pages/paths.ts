/** paths: where things are, before the proxy's own path. */
import type { PastRun } from '../ledger/runs/pastRun.ts';

type Fields = Readonly<Record<string, string | number | undefined>>;

/** A path with those fields that are there. */
export function withFields(path: string, fields: Fields): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The overview of one target. */
export function targetPath(target: string, more: Fields = {}): string {
  return withFields('/', { target, ...more });
}

/** A run, with its report, and with what finds it at once. */
export function runPath({ run, target, state, atMs }: Pick<PastRun, 'run' | 'target' | 'state' | 'atMs'>): string {
  return pathToRun(run, { target, at: state === 'ended' ? atMs : undefined });
}

/**
 * A run, or what is beneath it, as far as one knows.
 * @param fields `at`: when it ended; `during`: some time in it; both in ms
 */
export function pathToRun(run: string, fields: Fields, beneath = ''): string {
  return withFields(`/runs/${encodeURIComponent(run)}${beneath}`, fields);
}

type Ended = Pick<PastRun, 'run' | 'target' | 'atMs'>;

/** The page that asks before it gives back what a run took, or, with an id, what it took of one coordinator. */
export function restorePath({ run, target, atMs }: Ended, id?: string, more: Fields = {}): string {
  return pathToRun(run, { target, at: atMs, id, ...more }, '/restore');
}

/** The numbers of that page, once they are counted. */
export function countPath({ run, target, atMs }: Ended, id?: string): string {
  return pathToRun(run, { target, at: atMs, id }, '/restore/count');
}

/** The runs that swept an id. */
export function runsFinding(id: string): string {
  return withFields('/runs', { find: id });
}

/** Past runs of a target. */
export function runsPath(target: string, more: Fields = {}): string {
  return withFields('/runs', { target, ...more });
}
