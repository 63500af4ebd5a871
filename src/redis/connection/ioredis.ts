/** ioredis: the library, loaded as the CommonJS that it is: `import` would first search its 60 files for names to export,
 * which takes a short command as long as Node.js itself takes to start. */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

type Ioredis = typeof import('ioredis');
export const { AbstractConnector, Command, Redis } = createRequire(import.meta.url)('ioredis') as Ioredis;
export type Redis = import('ioredis').Redis;

/** What a client reads and writes; another one after each time that its connection was lost. The library keeps it to itself. */
export function streamOf(redis: Redis): Socket | undefined {
  return (redis as unknown as { readonly stream?: Socket }).stream;
}
