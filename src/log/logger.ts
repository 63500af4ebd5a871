/** logger: JSON lines on stderr, readable ones on a terminal. Standard output belongs to reports. */
import { createRequire } from 'node:module';
import { type Logger, pino } from 'pino';

export type { Logger };

/** Fields that are never logged, whatever object they come in. */
const SECRETS = [
  'password',
  '*.password',
  'dashboardPassword',
  '*.dashboardPassword',
  'config.*.password',
  'secret',
  '*.secret',
  'config.*.secret',
];

/** What is kept of lines that can't be written, in bytes; what comes beyond is lost. */
const MOST_UNWRITTEN = 1024 * 1024;

/** A disk that is full costs lines, and ends no process. */
function openStderr() {
  const stderr = pino.destination({ dest: 2, sync: true, maxLength: MOST_UNWRITTEN });
  stderr.on('error', () => {});
  return stderr;
}

/** Synchronous, so that the last line before an exit is not lost; what can't be written is lost, and fails nothing. */
export function createLogger(level: string): Logger {
  const options = { level, base: { pid: process.pid }, redact: { paths: SECRETS, censor: '***' } };
  if (!process.stderr.isTTY) return pino(options, openStderr());
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const colorize = process.env.NO_COLOR ? { colorize: false } : {};
  return pino(
    options,
    pretty({
      ...colorize,
      destination: openStderr(),
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss',
      singleLine: true,
    }),
  );
}

/** How an error is logged: its sentence; its stack too when debugging. */
export function errorFields(logger: Logger, error: unknown): Record<string, unknown> {
  const sentence = error instanceof Error ? error.message : String(error);
  return logger.isLevelEnabled('debug') ? { error: sentence, stack: (error as Error).stack } : { error: sentence };
}
