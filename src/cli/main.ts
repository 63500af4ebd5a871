#!/usr/bin/env node
/** The command line. Standard output carries reports and lists, and nothing else; all other words go to stderr. */
import { answer } from './answer.ts';
import { fail, isStaying } from './command.ts';

/** How long the process waits for what is still open, in ms, where a collector of traces may be what is. */
const LINGER_MS = 100;

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  // A terminal that was closed: SIGHUP says so, too, and what listens for it ends in order.
  if (error.code === 'EIO') return;
  // A disk that is full costs what stays its words, and not its work.
  if (!isStaying()) process.exit(fail(new Error(`standard output can't be written: ${error.message}`)));
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EIO') throw error;
});
process.exitCode = await answer(process.argv.slice(2));
// All has been said; what a collector of traces that hangs keeps open keeps nobody from leaving.
if (Object.keys(process.env).some((name) => name.startsWith('OTEL_'))) {
  const { sendsTraces } = await import('../telemetry/wanted.ts');
  if (sendsTraces(process.env)) setTimeout(() => process.exit(), LINGER_MS).unref();
}
