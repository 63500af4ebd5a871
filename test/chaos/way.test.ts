/** What a way that lags delivers: everything, in its order, also as the lag ends and whoever delivers is busy. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Way } from './way.ts';

const LAG_MS = 150;
const MESSAGES = 300;

function workFor(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('a way that lags delivers in order, also as the lag ends', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const speaking = once(server, 'connection') as Promise<[Socket]>;
  const way = await Way.to((server.address() as AddressInfo).port);
  const listener = connect(Number(new URL(way.url).port), '127.0.0.1');
  const [speaker] = await speaking;
  speaker.setNoDelay(true);
  let heard = '';
  listener.on('data', (bytes) => {
    heard += bytes;
  });
  way.lag(LAG_MS);
  const said = Array.from({ length: MESSAGES }, (_, n) => `${n} `);
  for (const [n, word] of said.entries()) {
    if (n === MESSAGES / 3) way.lag(0);
    speaker.write(word);
    if (n % 10 === 0) workFor(3);
    await pause(1);
  }
  await expect.poll(() => heard.length).toBe(said.join('').length);
  expect(heard).toBe(said.join(''));
  for (const end of [listener, speaker]) end.on('error', () => {}).destroy();
  await way.close();
  server.close();
});
