/** names: what the queues are called in Redis, under their prefix. Other programs address them by these. */

/** One job in this queue is one run. */
export const RUN_QUEUE = 'cleanup';
/** One job in this queue asks for a scheduled run. It exists because scheduled jobs bypass deduplication. */
export const SCHEDULE_QUEUE = 'schedule';
export const JOB_NAME = 'cleanup';

/** Whoever asks for a run of this target joins the one under its name, or, where another deployment has that, this id. */
export function deduplicationIdOf(target: string, fingerprint: string): string {
  return `${target}@${fingerprint}`;
}

/** The id of a target's schedule. */
export function schedulerIdOf(target: string): string {
  return `cleanup:${target}`;
}
