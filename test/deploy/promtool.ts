/** promtool: the real checker of Prometheus, which the Debian package `prometheus` brings. */
import { execFile } from 'node:child_process';

export const MISSING = 'promtool was not found; install it with: apt-get install --no-install-recommends prometheus';

/** What promtool prints. Fails with what it complains of, or with how to install it. */
export function promtool(...args: string[]): Promise<string> {
  return promtoolOf('', ...args);
}

/** The same of what it reads from its standard input. */
export function promtoolOf(input: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('promtool', args, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(error.code === 'ENOENT' ? MISSING : `promtool ${args.join(' ')}\n${stdout}${stderr}`));
    });
    child.stdin?.end(input);
  });
}
