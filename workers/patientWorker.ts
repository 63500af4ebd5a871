/** patientWorker: a BullMQ worker that does not ask a queue again at once that has just refused, and leaves the terminal alone. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, Processor, RedisQueueBackend, WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { Worker } from '../src/queue/bullmq.ts';
import { infoIn } from '../src/redis/target/clock.ts';

const PAUSE_MS = 1_000;
/** From here on Redis waits for parts of a second. */
const PRECISE_SINCE = 6;

/**
 * While a queue takes no writes (its memory is full, its snapshots fail), it can't hand out a run that is due. BullMQ asks
 * again at once, ten thousand times a second.
 */
export class PatientWorker<Data, Result = unknown> extends Worker<Data, Result> {
  constructor(
    name: string,
    processor: Processor<Data, Result>,
    options: WorkerOptions & { readonly connection: Redis },
  ) {
    // BullMQ would tell the terminal what it thinks of the server's version and eviction policy: that is for doctor to say.
    super(name, processor, { ...options, skipVersionCheck: true });
    this.#waitPrecisely(options.connection).catch(() => {});
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job<Data, Result>> {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      if (!this.closing) await pause(PAUSE_MS);
      throw error;
    }
  }

  /** BullMQ takes a server that it did not ask for one so old that it waits for whole seconds only: what is due would be late. */
  async #waitPrecisely(redis: Redis): Promise<void> {
    await this.waitUntilReady();
    const version = Number.parseInt(infoIn(await redis.info()).get('redis_version') ?? '', 10);
    const { blockingConnection } = this.backend as RedisQueueBackend;
    if (version >= PRECISE_SINCE && blockingConnection) blockingConnection.capabilities.canDoubleTimeout = true;
  }
}
