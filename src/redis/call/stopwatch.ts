/** stopwatch: how many commands went to a target, and how long Redis was busy with each, as far as the worker can see. */

/** Told of every command that was answered: its name, and how long Redis was busy with it. Must not throw. */
export type CallObserver = (call: string, ms: number) => void;

/** Counts and times the commands of all connections that share it: those of a run, say. */
export class Stopwatch {
  /** Commands sent. */
  count = 0;
  /** What the slowest of them took. */
  slowestMs = 0;

  constructor(private readonly observe: CallObserver = () => {}) {}

  /** Notes a command that was answered. */
  note(call: string, ms: number): void {
    this.slowestMs = Math.max(this.slowestMs, ms);
    this.observe(call, ms);
  }
}
