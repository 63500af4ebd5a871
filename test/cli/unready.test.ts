import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Report } from '../../src/domain/report.ts';
import type { TargetConfig } from '../../src/config/resolve.ts';
import { openLedger } from '../../src/ledger/openLedger.ts';
import { eventually } from '../chaos/eventually.ts';
import { failToSave, saveAgain, Server } from '../chaos/server.ts';
import { clean } from '../support/cleanup.ts';
import { cli, environment } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { heartbeatOf, nowOf, STALE, settle } from '../support/world.ts';
import { work } from '../support/worker.ts';

/** Snapshots are on, though none is ever due: only then do writes stop when one fails. */
const SAVING = ['--save', '3600 1000000'];
/** Redis answers BUSY from then on. */
const BUSY_AFTER_MS = 50;
const SWEPT = { outcome: 'completed', coordinators: { stale: 1, swept: 1 } };

async function serverWith(args: readonly string[]): Promise<Server> {
  const server = await Server.start(args);
  onTestFinished(async () => await server.stop());
  await settle(server.redis, 'c', STALE);
  return server;
}

/** Resolves once Redis answers BUSY to everybody; for so many seconds it goes on by itself, if nobody ends it. */
async function keepBusy(server: Server, seconds: number): Promise<void> {
  const script = `local function now() return tonumber(redis.call('TIME')[1]) end
    local started = now()
    while now() - started <= ${seconds} do end`;
  const other = new Redis(server.url);
  onTestFinished(() => other.disconnect());
  other.on('error', () => {});
  await other.ping();
  other.eval(script, 0).catch(() => {});
  const answer = async () => await server.redis.ping().catch((error: Error) => error.message.split(' ')[0]);
  await eventually(answer, 'BUSY');
}

async function busyServer(seconds: number) {
  const server = await serverWith(['--busy-reply-threshold', `${BUSY_AFTER_MS}`]);
  await keepBusy(server, seconds);
  return server;
}

test("a run that begins while somebody else's script runs waits for its end", async () => {
  const { url } = await busyServer(2);
  expect(await clean(url)).toMatchObject(SWEPT);
});

test('a job that begins while a script runs waits for its end, within its first attempt', async () => {
  const queue = await Server.start();
  onTestFinished(async () => await queue.stop());
  const target = await serverWith(['--busy-reply-threshold', `${BUSY_AFTER_MS}`]);
  const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: queue.url, STALESWEEP_CRON: '0 0 1 1 *' };
  await work(env);
  await keepBusy(target, 2);
  const { stdout } = await command(['enqueue', '--wait', '--json'], env);
  expect(JSON.parse(stdout)).toMatchObject({ ...SWEPT, attempts: 1 });
});

test('a run that begins while writes are refused after a failed save waits until they are not', async () => {
  const server = await serverWith(SAVING);
  await failToSave(server);
  const running = clean(server.url);
  const refused = async () => /cmdstat_unlink:.*rejected_calls=([1-9])/.test(await server.redis.info('commandstats'));
  await eventually(refused, true);
  await saveAgain(server);
  expect(await running).toMatchObject(SWEPT);
});

test('a run that begins while Redis loads its data waits until it has', async () => {
  const server = await Server.start([
    '--enable-debug-command',
    'yes',
    '--loading-process-events-interval-bytes',
    '1024',
  ]);
  onTestFinished(async () => await server.stop());
  for (let i = 0; i < 1_000; i++) await server.redis.set(`other:${i}`, 'x'.repeat(100));
  await settle(server.redis, 'c', STALE);
  // For each key, in microseconds: more than a second in all.
  await server.redis.config('SET', 'key-load-delay', '1000');
  const other = new Redis(server.url, { enableReadyCheck: false, commandTimeout: 30_000 });
  onTestFinished(() => other.disconnect());
  other.on('error', () => {});
  await other.ping();
  const reloading = other.call('DEBUG', 'RELOAD').catch(() => {});
  const answer = async () => await server.redis.ping().catch((error: Error) => error.message.split(' ')[0]);
  await eventually(answer, 'LOADING');
  const report: Report = await clean(server.url, { settings: { restartGrace: false } });
  expect(report).toMatchObject(SWEPT);
  await reloading;
});

test('what stays so is said as what it is, with the way out, by `run` and by `doctor`', async () => {
  const saving = await serverWith(SAVING);
  await failToSave(saving);
  const busy = await busyServer(600);
  const replica = await serverWith([]);
  await replica.redis.call('REPLICAOF', '127.0.0.1', '1');
  const said = async (args: readonly string[], { url }: Server, ask = command) => {
    const { code, stdout, stderr } = await ask(args, { REDIS_URL: url });
    expect(code).toBe(1);
    expect(stdout + stderr).not.toMatch(/check the URL|speaks TLS/);
    return stdout + stderr;
  };
  const asProcess = said(['run'], busy, cli);
  const run = await said(['run'], saving);
  const ofReplica = await said(['run'], replica);
  const doctor = await said(['doctor'], saving);
  const doctorOfBusy = await said(['doctor'], busy);
  const ofBusy = await asProcess;
  expect(run).toMatch(/refuses writes since its last background save failed \(MISCONF\); see Redis' log/);
  expect(ofBusy).toMatch(/is busy with somebody else's script \(BUSY\); .*SCRIPT KILL/);
  expect(ofReplica).toMatch(/is a replica, which refuses writes \(READONLY\); point the URL at the primary/);
  expect(doctor).toMatch(/FAIL {2}default: saving: .*\n.*free disk space/);
  expect(doctorOfBusy).toMatch(/FAIL {2}default: connection: Redis is busy.*\n.*SCRIPT KILL/);
  // A dry run needs no writes.
  const dry = await command(['run', '--dry-run', '--json'], { REDIS_URL: saving.url });
  expect(JSON.parse(dry.stdout)).toMatchObject({ outcome: 'completed', coordinators: { stale: 1 } });
  expect(await saving.redis.exists(heartbeatOf('c'))).toBe(1);
  await busy.redis.script('KILL');
});

test('while the queue takes no writes after a failed save, its past is read, and a run goes by the outages noted in it', async () => {
  const queue = await Server.start(SAVING);
  const target = await Server.start();
  onTestFinished(async () => void (await Promise.all([queue.stop(), target.stop()])));
  const env = { REDIS_URL: target.url, QUEUE_REDIS_URL: queue.url, STALESWEEP_TRASH: '1h' };
  expect((await command(['run'], env)).code).toBe(0);
  const config = loadConfig({}, environment(env));
  const { ledger, close } = await openLedger(config.queue, config.process.ledger);
  const now = await nowOf(target.redis);
  await ledger.addOutage(config.targets.get('default') as TargetConfig, {
    fromMs: now - 300_000,
    toMs: now - 200_000,
  });
  close();
  const REFUSES = `refuses writes since its last background save failed (MISCONF); see Redis' log, and free disk space or memory`;
  await failToSave(queue);
  await settle(target.redis, 'c', STALE);
  await settle(target.redis, 'long-gone', STALE + 200);
  const run = await command(['run', '--json'], env);
  expect(JSON.parse(run.stdout)).toMatchObject({
    outcome: 'completed',
    coordinators: { active: 1, stale: 1, swept: 1 },
  });
  expect(run.stderr.trim().split('\n')).toEqual([expect.stringMatching(/not recorded.*MISCONF/)]);
  for (const words of [['history', '--json'], ['schedule'], ['explain', 'c'], ['status']]) {
    const { code, stdout, stderr } = await command(words, env);
    expect({ words, code }).toEqual({ words, code: 0 });
    expect(stderr).not.toContain('MISCONF Redis');
    // Of what is to come it says why nothing does.
    const isToCome = words[0] === 'schedule' || words[0] === 'status';
    const said = `${stdout}${stderr}`.replace(/\s+/g, ' ');
    expect(said.includes('refuses writes since its last background save failed')).toBe(isToCome);
    if (words[0] === 'history') expect(JSON.parse(stdout)).toHaveLength(1);
  }
  const back = await command(['restore', 'long-gone'], env);
  expect({ code: back.code, said: back.stderr.trim().split('\n') }).toEqual({
    code: 0,
    said: [
      expect.stringContaining(`: Redis ${REFUSES}`),
      expect.stringContaining(`could not be noted: Redis ${REFUSES}`),
    ],
  });
  const asked = await command(['enqueue'], env);
  expect(asked).toMatchObject({ code: 1, stdout: '', stderr: `stalesweep: the queue's Redis ${REFUSES}\n` });
  await saveAgain(queue);
});
