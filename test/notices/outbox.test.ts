import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyOf } from '../../src/config/settings/notify.ts';
import type { Message } from '../../src/notices/message.ts';
import { Outbox } from '../../src/notices/outbox.ts';
import { signatureOf } from '../../src/notices/post.ts';
import { type Received, Receiver, silence, status } from './receiver.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const AT_ONCE = { retries: 5, minTimeout: 0, maxTimeout: 0 };

function message(n: number, body = JSON.stringify({ data: { event: 'failed', n } })): Message {
  return {
    id: `msg_${n}`,
    event: 'failed',
    target: 'default',
    body,
  };
}

/** An outbox, what it logged, and what it gave up. */
function outboxTo(url: string, { secret = SECRET, retries = AT_ONCE } = {}) {
  const lines: string[] = [];
  const lost: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const outbox = new Outbox({ url, on: ['failed'], secret }, logger, ({ id }) => lost.push(id), retries);
  onTestFinished(() => outbox.close());
  return { outbox, lines, lost };
}

/** As the specification says how to verify, and without the code that signs. */
function isSigned({ headers, body }: Received, key: Buffer): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

describe('a notice', () => {
  test("is signed as the specification's own example", () => {
    const signed = signatureOf(SECRET, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}');
    expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('is posted as JSON, with headers that verify, whatever the secret and the body', async () => {
    const receiver = await Receiver.listen();
    const secrets = fc.oneof(
      fc.string({ minLength: 1, maxLength: 16, unit: 'grapheme' }).filter((text) => /\S/.test(text)),
      fc.uint8Array({ minLength: 24, maxLength: 64 }).map((key) => `whsec_${Buffer.from(key).toString('base64')}`),
    );
    await fc.assert(
      fc.asyncProperty(secrets, fc.string({ unit: 'grapheme' }), async (secret, text) => {
        const { outbox } = outboxTo(receiver.url, { secret });
        outbox.put(message(1, JSON.stringify({ text })));
        await outbox.close();
        const got = receiver.received.pop();
        expect(got).toMatchObject({ method: 'POST', path: '/hook/t0ken', body: JSON.stringify({ text }) });
        expect(got?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'msg_1' });
        expect(Math.abs(Number(got?.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(300);
        const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
        expect(got && isSigned(got, key)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('carries user and password of the address as a header', async () => {
    const receiver = await Receiver.listen();
    const { outbox } = outboxTo(receiver.url.replace('//', '//us%20er:p%40ss@'));
    outbox.put(message(1));
    await outbox.close();
    expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('us er:p@ss').toString('base64')}`);
  });
});

describe('a receiver', () => {
  test.each([
    ['answers 500', status(500)],
    ['answers 404', status(404)],
    ['asks to be left alone for no time', status(429, { 'retry-after': '0' })],
    ['asks to be left alone until a time that has passed', status(503, { 'retry-after': new Date(0).toUTCString() })],
    ['hangs up', (response) => response.destroy()],
  ] as [string, Receiver['usually']][])('that %s gets the same notice again, with the same id', async (_, answer) => {
    const receiver = await Receiver.listen();
    const { outbox, lost } = outboxTo(receiver.url);
    receiver.answerNext(answer, answer);
    outbox.put(message(1));
    outbox.put(message(2));
    await receiver.untilReceived(4);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(['msg_1', 'msg_1', 'msg_1', 'msg_2']);
    expect(receiver.received.every((got) => isSigned(got, keyOf(SECRET)))).toBe(true);
    expect(lost).toEqual([]);
  });

  test('that redirects is not followed', async () => {
    const [receiver, other] = [await Receiver.listen(), await Receiver.listen()];
    const { outbox, lost } = outboxTo(receiver.url);
    receiver.usually = status(307, { location: other.url });
    outbox.put(message(1));
    await expect.poll(() => lost).toEqual(['msg_1']);
    expect(receiver.received).toHaveLength(AT_ONCE.retries + 1);
    expect(other.received).toEqual([]);
  });

  test('that was away gets it once it is back', async () => {
    const receiver = await Receiver.listen();
    await receiver.close();
    const { outbox, lines } = outboxTo(receiver.url, { retries: { ...AT_ONCE, retries: 1_000 } });
    outbox.put(message(1));
    await expect.poll(() => lines.join('')).toContain('ECONNREFUSED');
    await receiver.open();
    await receiver.untilReceived(1);
  });

  test('that is gone (410) is left alone', async () => {
    const receiver = await Receiver.listen();
    const { outbox, lost } = outboxTo(receiver.url);
    receiver.usually = status(410);
    for (const n of [1, 2]) outbox.put(message(n));
    await expect.poll(() => lost).toEqual(['msg_1', 'msg_2']);
    outbox.put(message(3));
    expect(lost).toEqual(['msg_1', 'msg_2', 'msg_3']);
    expect(receiver.received).toHaveLength(1);
  });

  test('that never answers holds up neither whoever has news nor the end, and takes no more memory', async () => {
    const receiver = await Receiver.listen();
    receiver.usually = silence;
    const { outbox, lost } = outboxTo(receiver.url);
    for (let n = 0; n < 10_000; n++) outbox.put(message(n));
    expect(lost).toHaveLength(10_000 - 101);
    await receiver.untilReceived(1);
    await outbox.close();
    expect(lost).toHaveLength(10_000);
    // The newest are those that were kept until then.
    expect(lost.slice(-100)).toEqual(Array.from({ length: 100 }, (_, n) => `msg_${9_900 + n}`));
    expect(receiver.received).toHaveLength(1);
  });

  test('is logged without what only it should know', async () => {
    const receiver = await Receiver.listen();
    const { outbox, lines } = outboxTo(receiver.url.replace('//', '//hush:hush@'), { secret: 'hush' });
    receiver.answerNext(status(500));
    outbox.put(message(1));
    await receiver.untilReceived(2);
    await receiver.close();
    outbox.put(message(2));
    await expect.poll(() => lines.join('')).toContain('not delivered"');
    expect(lines.join('')).not.toMatch(/hush|t0ken/);
  });
});
