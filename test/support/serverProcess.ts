/** serverProcess: a redis-server process that ends with this one, however this one ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

export interface ServerProcess {
  /** Resolves when the server has ended, whoever ended it, to what it had said: on its outputs, and last in its log. */
  readonly ended: Promise<string>;
  /** Kills it; resolves once it is gone, at once where it is. */
  kill(): Promise<void>;
}

/**
 * The pipe to its stdin closes when this process dies, even by SIGKILL; then what waits for that kills the server. When the server
 * ends by itself, so does the shell.
 */
const WATCHDOG =
  'exec 3<&0; redis-server "$@" & server=$!; { read -r _ <&3; kill -9 $server; } & wait $server; kill -9 $! 2> /dev/null';
/** A server that is killed for its memory's or its disk's sake has a long log; why it ended stands in its last lines. */
const LOG_CHARS = 2_000;

function logOf(logfile: string): string {
  return existsSync(logfile) ? readFileSync(logfile, 'utf8').slice(-LOG_CHARS).trim() : '';
}

/** Starts a redis-server with these arguments, of which `logfile` is where it logs. That it answers is not waited for. */
export function startServerProcess(args: readonly string[], logfile: string): ServerProcess {
  const shell = spawn('sh', ['-c', WATCHDOG, 'redis-server', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const output of [shell.stdout, shell.stderr]) output.on('data', (text) => (said += text));
  const gone = once(shell, 'exit');
  // What it said has all been read by the time its outputs are closed.
  const ended = once(shell, 'close').then(() => [said.trim(), logOf(logfile)].filter((text) => text !== '').join('\n'));
  return {
    ended,
    kill: async () => {
      shell.stdin.end();
      await gone;
    },
  };
}
