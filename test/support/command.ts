/** command: a command line in the test's own process: all that a process of its own shows but its start and its end, which take
 * a second of CPU. That each command starts and ends as a process is shown once, in test/cli.
 */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { answer } from '../../src/cli/answer.ts';
import { END_SIGNALS } from '../../src/domain/endSignals.ts';
import { type Ended, environment } from './cli.ts';

class Collected extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

let underWay: readonly string[] | null = null;

/**
 * Runs a command to its end, as `cli` does, in this folder, or wherever the tests run. Throws while another one is under way: they
 * would share what they print.
 */
export async function command(
  args: readonly string[],
  env: Record<string, string>,
  cwd = process.cwd(),
): Promise<Ended> {
  if (underWay !== null) throw new Error(`one command at a time in a process: "${underWay.join(' ')}" has not ended`);
  underWay = args;
  const [out, err] = [new Collected(), new Collected()];
  const was = {
    console: globalThis.console,
    env: process.env,
    cwd: process.cwd(),
    out: process.stdout.write,
    err: process.stderr.write,
    listeners: END_SIGNALS.map((signal) => process.listeners(signal)),
  };
  process.chdir(cwd);
  globalThis.console = new Console(out, err);
  process.env = environment(env);
  process.stdout.write = out.write.bind(out) as typeof process.stdout.write;
  process.stderr.write = err.write.bind(err) as typeof process.stderr.write;
  try {
    return { code: await answer(args), stdout: out.text, stderr: err.text };
  } finally {
    globalThis.console = was.console;
    process.env = was.env;
    process.chdir(was.cwd);
    process.stdout.write = was.out;
    process.stderr.write = was.err;
    for (const [i, signal] of END_SIGNALS.entries()) {
      const own = process.listeners(signal).filter((listener) => !was.listeners[i]?.includes(listener));
      for (const listener of own) process.off(signal, listener);
    }
    underWay = null;
  }
}
