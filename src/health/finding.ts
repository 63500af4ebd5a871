/** finding: one thing that was looked at, how it is, and what to do about it. */

export interface Finding {
  /** `null`: about the queue. */
  readonly target: string | null;
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do; `null` when nothing needs to be done. */
  readonly advice: string | null;
}
