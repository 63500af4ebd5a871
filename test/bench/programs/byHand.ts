/** by hand: what people type: every key that looks like it, to UNLINK. It checks nothing, and takes active coordinators' keys
 * as well, since a pattern can't tell. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { NAMES } from '../keys.ts';
import { contend } from './contend.ts';

contend(
  async ({ url, sample: { schema } }) => {
    const pipe = `redis-cli -u "$0" --scan --pattern "$1" | xargs -n 1000 redis-cli -u "$0" unlink`;
    return {
      go: async () => {
        for (const pattern of NAMES[schema].everything) {
          const shell = spawn('sh', ['-c', pipe, url, pattern], { stdio: ['ignore', 'ignore', 'inherit'] });
          const [code] = await once(shell, 'close');
          if (code !== 0) throw new Error(`redis-cli --scan | xargs redis-cli unlink ended with exit code ${code}`);
        }
        return {};
      },
      close: () => {},
    };
  },
  { inThisProcess: false },
);
