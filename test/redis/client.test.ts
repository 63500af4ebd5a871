import type { Redis } from 'ioredis';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/redis/connection/connect.ts';
import { Server } from '../chaos/server.ts';
import { useRedis } from '../support/leaks.ts';
import { RentedRedis, type Rule } from '../support/rented/proxy.ts';
import { all, RESP2 } from '../support/rented/rules.ts';
import { addUser } from '../support/users.ts';

const server = useRedis();
const LATE_MS = 200;

async function rent(rule: Rule): Promise<RentedRedis> {
  const rented = await RentedRedis.open(server.current.port, all(RESP2, rule));
  onTestFinished(async () => await rented.close());
  return rented;
}

/** A connection that comes back, and gives a command little time. */
async function connectTo(url: string) {
  const redis = await connect(url, {
    redis: { commandTimeout: LATE_MS, maxRetriesPerRequest: null, retryStrategy: () => 20 },
  });
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** Resolves once it happens; errors meanwhile are part of it. */
async function happens(redis: Redis, event: 'ready' | 'close' | 'reconnecting'): Promise<void> {
  await new Promise<void>((resolve) => redis.once(event, () => resolve()));
}

afterEach(() => vi.restoreAllMocks());

test.each(['the connection', 'one made from it'])(
  'a command whose time ran out while Redis was away is not sent once it is back, by %s',
  async (which) => {
    const away = await Server.start();
    onTestFinished(async () => await away.stop());
    const first = await connectTo(away.url);
    const redis = which === 'the connection' ? first : first.duplicate();
    onTestFinished(() => redis.disconnect());
    await redis.ping();
    const lost = happens(redis, 'close');
    await away.shutDown();
    await lost;
    const forced = redis.set('forced', '1');
    await expect(forced).rejects.toThrow('Command timed out');
    const back = happens(redis, 'ready');
    await away.comeBack();
    await back;
    // What was queued would have been sent before this.
    expect(await redis.exists('forced')).toBe(0);
    expect(await redis.set('later', '1')).toBe('OK');
    expect(await away.redis.keys('*')).toEqual(['later']);
  },
);

test('a pipeline whose time ran out does not shift the replies of what follows', async () => {
  const away = await Server.start();
  onTestFinished(async () => await away.stop());
  const redis = await connectTo(away.url);
  const lost = happens(redis, 'close');
  await away.shutDown();
  await lost;
  const results = redis.pipeline().set('a', '1').get('a').exec();
  expect((await results)?.map(([error]) => error?.message)).toEqual(['Command timed out', 'Command timed out']);
  const back = happens(redis, 'ready');
  await away.comeBack();
  await back;
  expect(await Promise.all([redis.echo('x'), redis.echo('y'), redis.echo('z')])).toEqual(['x', 'y', 'z']);
});

/** Nothing is printed by the library while this goes on. */
async function silently(act: () => Promise<void>): Promise<void> {
  const printed = (['warn', 'error', 'log'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => {}),
  );
  await act();
  for (const spy of printed) expect(spy).not.toHaveBeenCalled();
}

test.each<[string, Rule]>([
  ['HELLO', () => 'pass'],
  ['AUTH', RESP2],
])('a password that nobody asked for is passed over without a word, by %s', async (_, rule) => {
  const rented = await RentedRedis.open(server.current.port, rule);
  onTestFinished(async () => await rented.close());
  await silently(async () => {
    const redis = await connectTo(rented.url.replace('//', '//:hush@'));
    expect(await redis.echo('x')).toBe('x');
    await redis.hset('hash', 'field', 'value');
    expect(await redis.hgetall('hash')).toEqual({ field: 'value' });
    redis.disconnect();
  });
});

test('a server that knows no users is told so in a sentence', async () => {
  const { url } = await rent(([name, ...args]) =>
    name === 'AUTH' && args.length > 1 ? { answer: "-ERR wrong number of arguments for 'auth' command\r\n" } : 'pass',
  );
  await silently(async () => {
    await expect(connect(url.replace('//', '//user:hush@'))).rejects.toThrow(
      'could not be reached: it knows no users; leave the name out of the URL',
    );
  });
});

test('a wrong password is refused as ever', async () => {
  const url = await addUser(server.current, ['~*', '+@all']);
  await silently(async () => {
    await expect(connect(url.replace('secret', 'wrong'))).rejects.toThrow('it refused the user name or password');
  });
});

test('a connection that can not be opened, or is lost, prints nothing', async () => {
  const away = await Server.start();
  onTestFinished(async () => await away.stop());
  await silently(async () => {
    await expect(connect('redis://127.0.0.1:1')).rejects.toThrow('connection refused');
    const redis = await connectTo(away.url);
    const second = redis.duplicate();
    onTestFinished(() => second.disconnect());
    await second.ping();
    const lost = [happens(redis, 'reconnecting'), happens(second, 'reconnecting')];
    await away.kill();
    await Promise.all(lost);
    await away.comeBack();
  });
});
