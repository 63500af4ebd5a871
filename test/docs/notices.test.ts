import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { signatureOf } from '../../src/notices/post.ts';

const page = readFileSync(new URL('../../docs/notices.md', import.meta.url), 'utf8');

/** What the page tells its readers to verify with. */
async function fromPage(): Promise<(headers: Record<string, string>, body: string, secret: string) => boolean> {
  const code = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const module = `${code}\nexport { isOurs };`;
  const { isOurs } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  return isOurs;
}

test.each(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'plain text'])(
  'the page verifies what is signed with the secret %s, and nothing else',
  async (secret) => {
    const isOurs = await fromPage();
    const now = Math.floor(Date.now() / 1000);
    const headersAt = (at: number) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': `${at}`,
      'webhook-signature': signatureOf(secret, 'msg_1', at, '{"a":1}'),
    });
    expect(isOurs(headersAt(now), '{"a":1}', secret)).toBe(true);
    expect(isOurs(headersAt(now), '{"a":2}', secret)).toBe(false);
    expect(isOurs(headersAt(now), '{"a":1}', 'another')).toBe(false);
    expect(isOurs(headersAt(now - 600), '{"a":1}', secret)).toBe(false);
    expect(isOurs({ ...headersAt(now), 'webhook-signature': '' }, '{"a":1}', secret)).toBe(false);
  },
);
