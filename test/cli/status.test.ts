import { expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { cli, start } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { ledgerIn, noteRun } from '../support/pastRuns.ts';
import { startRedis } from '../support/redis.ts';

it('says what no run has told yet and how to be told, then what one did, in 80 columns and as JSON', async () => {
  const server = await startRedis();
  const env = { REDIS_URL: server.url };
  try {
    const before = await cli(['status'], env);
    expect({ code: before.code, stderr: before.stderr }).toEqual({ code: 0, stderr: '' });
    expect(before.stdout).toContain('no run has counted them yet');
    expect(before.stdout).toContain('stalesweep enqueue --target default --dry-run --wait');
    expect(before.stdout).toContain('No worker');

    const target = resolveConfig({}, env).targets.get('default');
    if (target === undefined) throw new Error('there is always one');
    const ledger = ledgerIn(server.redis);
    const silence = [1_200, 0, 0, 0, 0, 0, 37, 0, 0, 0, 2];
    const coordinators = { checked: 1_240, active: 1_237, stale: 2, unreadable: 1 };
    const run = await noteRun(ledger, target, { coordinators, silence, swept: ['gone-1', 'gone-2'] });
    await ledger.noteLook(target, {
      complete: false,
      families: target.schema.families.map((family) => ({ family, keys: 1_234_567, bytes: 7_654_321 })),
    });
    const text = await command(['status'], env);
    const json = await command(['status', '--json', '--target', 'default'], env);
    expect(text.stdout).toContain('1,237 active, 37 of them at risk; 0 stale, 1 unreadable');
    expect(text.stdout).toMatch(/heartbeat +1,234,567 +7\.7 MB/);
    expect(text.stdout.replace(/\s+/g, ' ')).toContain('2 coordinators swept, 12 things removed');
    expect(Math.max(...text.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);

    const { targets } = JSON.parse(json.stdout);
    expect(targets).toHaveLength(1);
    expect(targets[0]).toMatchObject({
      target: 'default',
      coordinators: { active: 1_237, atRisk: 37, stale: 0, unreadable: 1, held: 0, protected: 0 },
      // Who was swept is gone.
      silence: [...silence.slice(0, -1), 0],
      lastRun: { run, outcome: 'completed', report: { run } },
      nextRunAt: null,
    });
    expect(targets[0].families[0]).toEqual({ family: 'heartbeat', keys: 1_234_567, bytes: 7_654_321 });

    const unknown = await command(['status', '--target', 'nope'], env);
    expect([unknown.code, unknown.stderr]).toEqual([2, 'stalesweep: unknown target "nope"; there are: default\n']);

    const watching = start(['status', '--watch', '--json'], env);
    await expect.poll(() => watching.stdout().trim().split('\n').length).toBeGreaterThanOrEqual(2);
    const ended = await watching.kill('SIGINT');
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect(
      ended.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).targets[0].target),
    ).toContain('default');
  } finally {
    await server.stop();
  }
});
