/** writing: where sample coordinators are written: one server, or a whole cluster, by the same door. Never part of a run. */
import type { Redis } from '../connection/ioredis.ts';

/** A string key. */
export interface Written {
  readonly key: Buffer;
  readonly value: string;
  /** How long it lives, in ms; `null`: for ever. */
  readonly ttlMs: number | null;
}

export interface Writing {
  /** Its clock, in whole seconds. */
  seconds(): Promise<number>;
  /** How many keys there are. */
  size(): Promise<number>;
  /** Writes all of these, over whatever has one of their names. */
  write(things: readonly Written[]): Promise<void>;
  /** Ends all connections. */
  close(): void;
}

/** Over a connection that is open. */
export class ServerWriting implements Writing {
  constructor(private readonly redis: Redis) {}

  async seconds(): Promise<number> {
    return Number((await this.redis.time())[0]);
  }

  async size(): Promise<number> {
    return await this.redis.dbsize();
  }

  async write(things: readonly Written[]): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (const { key, value, ttlMs } of things) {
      if (ttlMs === null) pipeline.set(key, value);
      else pipeline.set(key, value, 'PX', ttlMs);
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }

  close(): void {
    this.redis.disconnect();
  }
}
