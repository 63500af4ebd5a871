/** names: what the queue is called in Redis. Other programs address it by these. */

/** One job in this queue is one run. */
export const RUN_QUEUE = 'cleanup';
/** One job in this queue asks for a scheduled run. It exists because scheduled jobs bypass deduplication. */
export const SCHEDULE_QUEUE = 'schedule';
export { QUEUE_PREFIX as PREFIX } from '../domain/ownKeys.ts';
export const JOB_NAME = 'cleanup';

export const schedulerIdOf = (target: string): string => `cleanup:${target}`;
