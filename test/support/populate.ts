/** populate: sample coordinators, written as the command of that name writes them, without a process for it. */
import { loadConfig } from '../../src/config/load.ts';
import type { Report } from '../../src/domain/report.ts';
import { connect } from '../../src/redis/connection/connect.ts';
import { populate as write } from '../../src/redis/sample/populate.ts';

/** What a report says of so many of them, where all who were stale are gone. */
export function allSwept(coordinators: number, stale: number): Report['coordinators'] {
  return {
    checked: coordinators,
    active: coordinators - stale,
    stale,
    unreadable: 0,
    held: 0,
    protected: 0,
    lapsed: 0,
    swept: stale,
    revived: 0,
  };
}

/** Writes them where a process with this environment would, beside whatever is there. */
export async function populate(env: Record<string, string>, coordinators: number, stale: number): Promise<void> {
  const target = loadConfig({}, env).targets.get('default');
  if (target === undefined) throw new Error('there is always a target "default"');
  const redis = await connect(target);
  try {
    const { schema, staleAfterSeconds } = target;
    await write(redis, schema, { coordinators, stale, acks: 2, idempotency: 1, staleAfterSeconds });
  } finally {
    redis.disconnect();
  }
}
