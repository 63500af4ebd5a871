/** bullmq: the library, loaded as the CommonJS that it is too: its 150 modules for `import` take a process half as long again
 * to load, and beside Bull Board, which asks for CommonJS, they would be loaded twice. */
import { createRequire } from 'node:module';

type Bullmq = typeof import('bullmq');
export const { DelayedError, Queue, QueueEvents, UnrecoverableError, WaitingError, Worker } = createRequire(
  import.meta.url,
)('bullmq') as Bullmq;
export type Queue<Data> = import('bullmq').Queue<Data>;
