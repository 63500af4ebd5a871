import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Report } from '../../src/domain/report.ts';
import { connect } from '../../src/redis/connection/connect.ts';
import { streamOf } from '../../src/redis/connection/ioredis.ts';
import { cli, environment as environmentOf, startWorker } from '../support/cli.ts';
import { command } from '../support/command.ts';
import { startDashboard } from '../support/dashboard.ts';
import { configFile, folder } from '../support/files.ts';
import { populate } from '../support/populate.ts';
import { startTlsRedis, type TlsRedis } from '../support/tls.ts';
import { work } from '../support/worker.ts';

let open: TlsRedis;
let strict: TlsRedis;
beforeAll(async () => {
  [open, strict] = await Promise.all([startTlsRedis('no'), startTlsRedis('yes')]);
});
afterAll(async () => {
  await Promise.all([open?.stop(), strict?.stop()]);
});
beforeEach(async () => {
  await Promise.all([open.server.redis.flushall(), strict.server.redis.flushall()]);
});

const NEW_YEAR = '0 0 1 1 *';
function trusting({ url, ca }: TlsRedis): Record<string, string> {
  return { REDIS_URL: url, STALESWEEP_TLS_CA: ca };
}
function identified(redis: TlsRedis): Record<string, string> {
  return {
    ...trusting(redis),
    STALESWEEP_TLS_CERT: redis.clientCert,
    STALESWEEP_TLS_KEY: redis.clientKey,
  };
}

/** The plain ports of both servers serve the fixtures alone. */
async function strangersOn({ server }: TlsRedis): Promise<string[]> {
  return String(await server.redis.call('CLIENT', 'LIST'))
    .split('\n')
    .filter((line) => line.includes(`laddr=127.0.0.1:${server.port} `) && !line.includes(' name=fixture '));
}

describe('over rediss://, with an authority of its own', () => {
  test.each([
    ['named by STALESWEEP_TLS_CA', command, () => trusting(open)],
    // Node.js itself reads it, as it starts.
    ['named by NODE_EXTRA_CA_CERTS', cli, () => ({ REDIS_URL: open.url, NODE_EXTRA_CA_CERTS: open.ca })],
    ['and a certificate of ours', command, () => identified(strict)],
    [
      'and a scheme in capitals',
      command,
      () => ({ ...trusting(open), REDIS_URL: open.url.replace('rediss', 'REDISS') }),
    ],
  ])('%s, a run cleans', async (_, ask, env) => {
    // Over their plain ports, whatever the run itself will say.
    for (const { server } of [open, strict]) await populate({ REDIS_URL: server.url }, 100, 90);
    const { code, stdout, stderr } = await ask(['run', '--json'], env());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((JSON.parse(stdout) as Report).coordinators.swept).toBe(90);
    expect((await ask(['doctor'], env())).code).toBe(0);
  });

  test.each([
    ['to a server that asks for no certificate', work, () => trusting(open), () => open],
    ['to one that asks for ours', startWorker, () => identified(strict), () => strict],
  ])('worker, queue and dashboard connect %s, and never in the clear', async (_, begin, environment, server) => {
    const env = { ...environment(), STALESWEEP_CRON: NEW_YEAR, STALESWEEP_PORT: '0' };
    await populate(env, 100, 90);
    await begin(env);
    const dashboard = await startDashboard({}, { config: loadConfig({}, environmentOf(env)) });
    onTestFinished(async () => await dashboard.close());
    const { code, stdout } = await command(['enqueue', '--wait', '--json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'completed', coordinators: { swept: 90 } });
    const ready = await dashboard.ask('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok' }]);
    expect(JSON.parse((await command(['history', '--json'], env)).stdout)).toHaveLength(1);
    expect(await strangersOn(server())).toEqual([]);
  });

  test('the file may say it for a target and a queue of different servers', async () => {
    const file = await configFile(
      `targets: { default: { url: "${open.url}" } }\nqueue: { url: "redis://127.0.0.1:${strict.server.port}" }\ntlsCa: ${open.ca}\n`,
    );
    const env = { STALESWEEP_CONFIG: file };
    await populate(env, 10, 9);
    expect((await command(['run'], env)).code).toBe(0);
    expect((await command(['history'], env)).stdout).toMatch(/ completed +9 +9 /);
  });
});

describe('a certificate that does not fit', () => {
  const UNKNOWN =
    'its certificate comes from an authority that is not trusted here; name a file with it in STALESWEEP_TLS_CA';
  test.each([
    ['of no known authority', () => ({ REDIS_URL: open.url }), UNKNOWN, 'enqueue', command],
    [
      'of another authority',
      () => ({ REDIS_URL: open.url, STALESWEEP_TLS_CA: open.otherCa }),
      UNKNOWN,
      'worker',
      command,
    ],
    [
      'for another name',
      () => ({ ...trusting(open), REDIS_URL: open.url.replace('127.0.0.1', 'localhost') }),
      'its certificate is for another name',
      'dashboard',
      command,
    ],
    [
      'that is not shown',
      () => trusting(strict),
      'it closed the connection; if it asks for a certificate, set STALESWEEP_TLS_CERT',
      'schedule',
      command,
    ],
    [
      'that it does not take',
      () => ({ ...trusting(strict), STALESWEEP_TLS_CERT: strict.otherCa, STALESWEEP_TLS_KEY: strict.otherKey }),
      'it does not take the certificate it is shown; renew what STALESWEEP_TLS_CERT names',
      'history',
      command,
    ],
    [
      'on neither side, since it does not speak TLS',
      () => ({ REDIS_URL: `rediss://127.0.0.1:${open.server.port}` }),
      'no answer in time; if it does not speak TLS, use redis://',
      'history',
      command,
    ],
    [
      'since we do not speak TLS',
      () => ({ REDIS_URL: open.url.replace('rediss', 'redis') }),
      'it closed the connection; if it speaks TLS, use rediss://',
      'enqueue',
      command,
    ],
  ] as const)('%s, is said in one sentence, with exit code 1', async (_, env, reason, other, ask) => {
    const own = { ...env(), LOG_LEVEL: 'silent', STALESWEEP_PORT: '0' };
    for (const { code, stdout, stderr } of [await command(['run'], own), await ask([other], own)]) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^stalesweep: Redis at rediss?:\/\/[a-z0-9.]+:\d+ could not be reached: [^\n]*\n$/);
      expect(stderr).toContain(reason);
    }
  });

  test('to begin with stops the start with exit code 2 and a sentence that names the setting', async () => {
    const garbage = join(await folder(), 'garbage.pem');
    writeFileSync(garbage, 'no certificate');
    const { ca, clientCert, clientKey, otherKey } = open;
    for (const [env, sentence] of [
      [{ STALESWEEP_TLS_CA: '/nowhere.pem' }, 'STALESWEEP_TLS_CA: the file /nowhere.pem does not exist'],
      [{ STALESWEEP_TLS_CA: garbage }, `STALESWEEP_TLS_CA: the file ${garbage} does not hold a certificate as PEM`],
      [{ STALESWEEP_TLS_CA: ca, STALESWEEP_TLS_CERT: clientCert }, 'belong together; set both or neither'],
      [{ STALESWEEP_TLS_CERT: clientKey, STALESWEEP_TLS_KEY: clientKey }, 'STALESWEEP_TLS_CERT: the file'],
      [{ STALESWEEP_TLS_CERT: clientCert, STALESWEEP_TLS_KEY: clientCert }, 'STALESWEEP_TLS_KEY: the file'],
      [
        { STALESWEEP_TLS_CERT: clientCert, STALESWEEP_TLS_KEY: otherKey },
        `STALESWEEP_TLS_KEY: the file ${otherKey} does not hold the key of ${clientCert}`,
      ],
    ] as const) {
      const { code, stderr } = await command(['run'], { REDIS_URL: open.url, ...env });
      expect(code, sentence).toBe(2);
      expect(stderr).toContain(sentence);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});

describe('certificates that are replaced while connections last', () => {
  test('are shown at the next connection; half of a pair, or what is none, is not', async () => {
    const own = await startTlsRedis('yes');
    onTestFinished(async () => await own.stop());
    const at = await folder();
    const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => join(at, name)) as [string, string, string];
    copyFileSync(own.ca, ca);
    copyFileSync(own.clientCert, cert);
    copyFileSync(own.clientKey, key);
    const env = { STALESWEEP_TLS_CA: ca, STALESWEEP_TLS_CERT: cert, STALESWEEP_TLS_KEY: key };
    const { queue } = loadConfig({}, environmentOf({ REDIS_URL: own.url, ...env }));
    const redis = await connect(queue);
    onTestFinished(() => redis.disconnect());
    const shown = async () => {
      await own.server.redis.call('CLIENT', 'KILL', 'ID', await redis.client('ID'));
      await once(redis, 'ready');
      return ((streamOf(redis) as TLSSocket).getCertificate() as PeerCertificate).subject.CN;
    };
    expect(await shown()).toBe('client');
    copyFileSync(own.otherCa, cert);
    writeFileSync(ca, 'no certificate');
    expect(await shown()).toBe('client');
    copyFileSync(own.ca, ca);
    copyFileSync(own.otherKey, key);
    // From now on it takes the new one alone.
    await own.server.redis.config('SET', 'tls-ca-cert-file', own.otherCa);
    expect(await shown()).toBe('other');
  });
});
