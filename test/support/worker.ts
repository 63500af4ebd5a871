/** worker: a queue worker in the test's own process, where nobody kills it or reads its exit code: a process of its own takes a
 * second of CPU to start.
 */
import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import pino from 'pino';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/resolve.ts';
import { Outage } from '../../src/log/outages.ts';
import { Metrics } from '../../src/metrics/registry.ts';
import { startWorker } from '../../workers/worker.ts';
import { environment } from './cli.ts';
import { finished as ofCurrent } from './finished.ts';

export interface Working {
  /** The lines it logged at info and above. */
  log(): string;
  /** Resolves once it has logged this text. */
  says(text: string): Promise<void>;
  /** As at SIGTERM. */
  close(): Promise<void>;
}

/**
 * Starts a worker of this configuration, or with this environment; resolves once it takes runs. It is closed at the end of the
 * test at the latest.
 * @param finished what a test's context offers, where several tests run at once
 */
export async function work(of: Config | Record<string, string>, finished = ofCurrent): Promise<Working> {
  const config = 'targets' in of ? (of as Config) : loadConfig({}, environment(of as Record<string, string>));
  let log = '';
  const grown = new EventEmitter().setMaxListeners(0);
  const stream = new Writable({
    write: (line, _, done) => {
      log += line;
      grown.emit('line');
      done();
    },
  });
  const says = async (text: string): Promise<void> => {
    while (!log.includes(text)) await once(grown, 'line');
  };
  const logger = pino({ level: 'info' }, stream);
  const worker = await startWorker({ config, logger, metrics: new Metrics(), outage: new Outage(logger, 'queue') });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closed ??= worker.close();
    await closed;
  };
  finished(close);
  return { log: () => log, says, close };
}
