import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { Bulk, giveBuffer, takeBuffer } from '../../src/redis/call/bulk.ts';
import { ServerCalls } from '../../src/redis/call/calls.ts';
import { useRedis } from '../support/leaks.ts';

const server = useRedis();
const ending: (() => void)[] = [];
afterEach(() => {
  for (const end of ending.splice(0)) end();
});

describe('a buffer that was given back', () => {
  test.each([1, 1_000, 4_096, 5_000, 65_537, 262_144, 262_145, 3_000_000])(
    'of %i bytes has one owner at a time',
    (bytes) => {
      const taken = Array.from({ length: 20 }, () => takeBuffer(bytes));
      for (const buffer of taken) giveBuffer(buffer);
      const again = Array.from({ length: 40 }, () => takeBuffer(bytes));
      for (const [i, buffer] of again.entries()) buffer.fill(i);
      for (const [i, buffer] of again.entries()) {
        expect(buffer.length).toBeGreaterThanOrEqual(bytes);
        expect(buffer.equals(Buffer.alloc(buffer.length, i))).toBe(true);
      }
      expect(takeBuffer(0)).toHaveLength(0);
    },
  );

  test("is nobody else's when a list that was let go is let go once more, or filled again", () => {
    const first = new Bulk(5_000);
    first.addText('first');
    first.clear();
    first.clear();
    const [second, third] = [new Bulk(5_000), new Bulk(5_000)];
    first.addText('a'.repeat(6_000));
    second.addText('b'.repeat(20_000));
    third.addText('c'.repeat(6_000));
    expect([first, second, third].map((bulk) => bulk.texts())).toEqual([
      ['a'.repeat(6_000)],
      ['b'.repeat(20_000)],
      ['c'.repeat(6_000)],
    ]);
    expect(first.count).toBe(1);
  });
});

/** A way to the server that can be blocked: then nothing sent is read, as when a network stands still. */
async function openWay() {
  const pairs: [Socket, Socket][] = [];
  const proxy = createServer((socket) => {
    const beyond = connect(server.current.port, '127.0.0.1');
    socket.pipe(beyond).pipe(socket);
    pairs.push([socket, beyond]);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  ending.push(() => {
    for (const socket of pairs.flat()) socket.destroy();
    proxy.close();
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    block: () => {
      for (const [socket, beyond] of pairs) socket.unpipe(beyond).pause();
    },
    clear: () => {
      for (const [socket, beyond] of pairs) socket.pipe(beyond);
    },
  };
}

const BYTES = 100_000;
const COMMANDS = 16;
function textOf(i: number): string {
  return String.fromCharCode(33 + (i % 90)).repeat(BYTES);
}
/** More than lies on a blocked way, in pieces too large to be used again. */
const FILLERS = 40;
const FILLER = 'x'.repeat(1_000_000);

test('a command that was given up before it was sent still arrives as it was, whatever is sent after it', async () => {
  const way = await openWay();
  const redis = new Redis({
    port: way.port,
    lazyConnect: true,
    commandTimeout: 2_000,
    retryStrategy: () => null,
    autoResendUnfulfilledCommands: false,
  });
  ending.push(() => redis.disconnect());
  redis.on('error', () => {});
  await redis.connect();
  const calls = new ServerCalls(redis);
  const setAll = async (from: number, to: number, text: (i: number) => string) =>
    await Promise.allSettled(
      Array.from({ length: to - from }, async (_, i) => await calls.send('set', [`k${from + i}`, text(from + i)])),
    );

  // Answered ones first, so that there are buffers to be used again.
  expect((await setAll(0, COMMANDS, textOf)).every(({ status }) => status === 'fulfilled')).toBe(true);
  way.block();
  const [, late] = await Promise.all([
    setAll(1_000, 1_000 + FILLERS, () => FILLER),
    setAll(COMMANDS, 2 * COMMANDS, textOf),
  ]);
  expect(late.every(({ status }) => status === 'rejected')).toBe(true);
  const later = setAll(2 * COMMANDS, 4 * COMMANDS, textOf);
  way.clear();
  await later;

  const { redis: direct } = server.current;
  await expect.poll(async () => await direct.dbsize(), { timeout: 30_000 }).toBe(4 * COMMANDS + FILLERS);
  for (let i = 0; i < 4 * COMMANDS; i++) expect((await direct.get(`k${i}`)) === textOf(i), `k${i}`).toBe(true);
});
