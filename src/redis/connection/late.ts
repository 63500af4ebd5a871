/** late: attempts to reach a Redis that take longer than people wait without asking why. */
import { channel } from 'node:diagnostics_channel';

/** After so long it is told, in ms. */
const LATE_MS = 1_500;

/** Whoever has a person to tell subscribes to it; each message is the address, without secrets, that has not answered yet. */
export const lateAnswers = channel('stalesweep.connection.late');

/** What `attempt` comes to; told where that takes longer than a second and a half. */
export async function tellingOfLate<T>(where: string, attempt: Promise<T>): Promise<T> {
  if (!lateAnswers.hasSubscribers) return await attempt;
  const timer = setTimeout(() => lateAnswers.publish(where), LATE_MS);
  try {
    return await attempt;
  } finally {
    clearTimeout(timer);
  }
}
