import { describe, expect, test } from 'vitest';
import { Burst } from '../../src/redis/call/burst.ts';
import { ConnectionLost } from '../../src/redis/call/lost.ts';
import { ServerCalls } from '../../src/redis/call/calls.ts';
import { createClient } from '../../src/redis/connection/client.ts';
import { Link } from '../../src/redis/target/link.ts';
import { targetOf } from '../support/cleanup.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();

async function callsOf(): Promise<{ calls: ServerCalls; link: Link }> {
  const link = await Link.open(targetOf(server.current.url));
  return { calls: new ServerCalls(link.redis), link };
}

function burstOf(name: string, commands: readonly (readonly string[])[]): Burst {
  const burst = new Burst(name);
  for (const args of commands) {
    burst.open(args.length);
    for (const arg of args) burst.commands.addText(arg);
  }
  return burst;
}

describe('a burst', () => {
  test('brings the reply of each command in its place, errors of Redis too, however many there are', async () => {
    const { calls, link } = await callsOf();
    const { redis } = server.current;
    const count = 1 + Math.floor(Math.random() * 3_000);
    const missing = new Set(Array.from({ length: 20 }, () => Math.floor(Math.random() * count)));
    const keys = Array.from({ length: count }, (_, i) => `key:${i}${'x'.repeat(Math.random() * 100)}`);
    for (const [i, key] of keys.entries()) if (!missing.has(i)) void redis.set(key, `${i}`);
    await redis.ping();
    const rename = burstOf(
      'renamenx',
      keys.map((key) => [key, `aside:${key}`]),
    );
    const read = burstOf(
      'mget',
      keys.map((key) => [key, `aside:${key}`]),
    );
    // Others' replies come between, each to whoever asked.
    const [renamed, time, values] = await Promise.all([
      calls.sendBurst(rename),
      calls.send('time', []),
      calls.sendBurst(read),
    ]);
    expect((time.reply as string[]).map(Number).every((part) => part >= 0)).toBe(true);
    for (const i of keys.keys()) {
      if (missing.has(i)) expect(String(renamed[i])).toContain('no such key');
      else expect(renamed[i]).toBe(1);
      expect(values[i]).toEqual([null, missing.has(i) ? null : Buffer.from(`${i}`)]);
    }
    expect(await redis.dbsize()).toBe(count - missing.size);
    link.close();
  });

  test('fails as a whole where the connection is cut before all were answered, and the next one does at once', async () => {
    const { calls, link } = await callsOf();
    const { redis } = server.current;
    await redis.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
    const sent = calls.sendBurst(burstOf('incr', [['a'], ['a'], ['a']])).catch((error: unknown) => error);
    const ended = new Promise((resolve) => link.redis.once('end', resolve));
    await redis.call('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'YES');
    expect(await sent).toBeInstanceOf(ConnectionLost);
    await ended;
    await redis.call('CLIENT', 'UNPAUSE');
    const next = await calls.sendBurst(burstOf('incr', [['a'], ['a']])).catch((error: unknown) => error);
    expect(next).toBeInstanceOf(ConnectionLost);
    expect(await redis.exists('a')).toBe(0);
  });

  test('that was late is done as it was sent, whatever the next one holds', async () => {
    const { redis, url } = server.current;
    const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    const client = createClient(url, { commandTimeout: 500, retryStrategy: () => null, enableReadyCheck: false });
    const calls = new ServerCalls(client);
    await client.ping();
    const names = (what: string) => Array.from({ length: 400 }, (_, i) => [`${what}:${i}`, 'x'.repeat(100)]);
    process.kill(pid, 'SIGSTOP');
    try {
      // The way is full, so that what follows stays here for a while.
      client.set('first', 'x'.repeat(16 * 1024 * 1024)).catch(() => {});
      const late = await calls.sendBurst(burstOf('set', names('sent'))).catch((error: unknown) => error);
      expect(String(late)).toContain('timed out');
      burstOf('set', names('kept'));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await expect.poll(async () => await redis.dbsize()).toBe(401);
    expect((await redis.keys('sent:*')).length).toBe(400);
    client.disconnect();
  });
});
