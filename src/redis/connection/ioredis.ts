/** ioredis: the library, loaded as the CommonJS that it is: `import` would first search its 60 files for names to export,
 * which takes a short command as long as Node.js itself takes to start. */
import { createRequire } from 'node:module';

type Ioredis = typeof import('ioredis');
export const { AbstractConnector, Command, Redis } = createRequire(import.meta.url)('ioredis') as Ioredis;
export type Redis = import('ioredis').Redis;
