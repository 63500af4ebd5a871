/** paths: where things are, before the proxy's own path. */

/** The overview of one target. */
export function targetPath(target: string, more: Readonly<Record<string, string>> = {}): string {
  return `/?${new URLSearchParams({ target, ...more })}`;
}

/** A run, with its report. */
export function runPath(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}

/** Past runs of a target. */
export function runsPath(target: string, more: Readonly<Record<string, string>> = {}): string {
  return `/runs?${new URLSearchParams({ target, ...more })}`;
}
