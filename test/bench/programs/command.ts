/** command: `stalesweep run` as people start it, a process of its own from start to end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { tellingPeak, toldPeakBytes } from '../../support/peakMemory.ts';
import { configText } from '../configText.ts';
import { contend } from './contend.ts';

const MAIN = createRequire(import.meta.url).resolve('#root/dist/src/cli/main.js');

contend(
  async (task) => {
    const folder = mkdtempSync(join(tmpdir(), 'stalesweep-bench-command-'));
    const [config, peak] = [join(folder, 'bench.yaml'), join(folder, 'peak')];
    writeFileSync(config, configText(task));
    const env = { PATH: process.env.PATH, REDIS_URL: task.url, STALESWEEP_CONFIG: config, ...tellingPeak(peak) };
    return {
      go: async () => {
        const child = spawn(process.execPath, [...process.execArgv, MAIN, 'run', '--json'], {
          env,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
        if (code !== 0) throw new Error(`stalesweep run ended with exit code ${code}`);
        const { redis } = JSON.parse(said) as { redis: { calls: number } };
        return { calls: redis.calls, rssBytes: toldPeakBytes(peak) };
      },
      close: () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  { inThisProcess: false },
);
