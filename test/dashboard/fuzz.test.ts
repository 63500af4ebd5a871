import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { declareSchedules } from '../../src/queue/schedules/schedules.ts';
import { startDashboard, type TestDashboard } from '../support/dashboard.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { anyText } from '../support/text.ts';

let redis: TestRedis;
let dashboard: TestDashboard;
beforeAll(async () => {
  redis = await startRedis();
  dashboard = await startDashboard({ REDIS_URL: redis.url, STALESWEEP_DANGEROUS_ACTIONS: 'true' });
  await declareSchedules(dashboard.queues, dashboard.config.targets);
  await dashboard.queues.runs.add('cleanup', { target: 'default' }, { delay: 3_600_000 });
});
afterAll(async () => {
  await dashboard?.close();
  await redis?.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Of a request's head Node.js reads no more, in bytes. */
const MOST_READ = 16_384;

/** Sends exactly these bytes: fetch() would mend a path, and refuse some headers. */
function send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(dashboard.url);
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // Who is refused while most of it is still on its way may find the way closed before the answer.
      if (error.code === 'ECONNRESET' && path.length > MOST_READ) resolve({ status: 431, text: '' });
      else reject(error);
    });
    request.end(body);
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const CLEANUP = '/queues/api/queues/cleanup';

/** Everything the queue holds, by key. */
async function everything(): Promise<Record<string, string>> {
  const keys = (await redis.redis.keys('*')).sort();
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, (await redis.redis.dumpBuffer(key))?.toString('hex') ?? ''])),
  );
}

function expectSentence({ status, text }: Answer, what: string): void {
  expect(status, what).toBeGreaterThanOrEqual(400);
  expect(status, `${what}: ${text}`).toBeLessThan(500);
  expect(text, what).not.toMatch(/ {4}at |node_modules|\.js:\d|<pre>/);
  expect(text.length, what).toBeLessThan(1_000);
}

it.each([
  ['POST', `${CLEANUP}/add`, '{"name":', 'broken JSON'],
  ['POST', `${CLEANUP}/add`, '5', 'no object'],
  ['POST', `${CLEANUP}/add`, 'null', 'null'],
  ['POST', `${CLEANUP}/add`, '[]', 'a list'],
  ['POST', `${CLEANUP}/add`, '{}', 'nothing'],
  ['POST', `${CLEANUP}/add`, JSON.stringify({ name: 'x', data: 'y'.repeat(200_000) }), 'a body that is too large'],
  ['POST', `${CLEANUP}/add`, '{"name":"x","data":{"__proto__":{"target":"default"}},"options":{}}', '__proto__'],
  ['POST', '/queues/api/queues/nope/add', '{"name":"x","data":{}}', 'an unknown queue'],
  ['GET', `${CLEANUP}/nope`, undefined, 'an unknown job'],
  ['PUT', `${CLEANUP}/nope/retry`, '{}', 'the retry of an unknown job'],
  ['PUT', `${CLEANUP}/1/retry`, '{}', 'the retry of a job that has not failed'],
  ['PUT', `${CLEANUP}/1/retry/completed`, '{}', 'a retry in an odd state'],
  ['PUT', `${CLEANUP}/retry/nope`, '{}', 'the retry of an unknown state'],
  ['PUT', `${CLEANUP}/concurrency`, '{"concurrency":"many"}', 'a concurrency that is no number'],
  ['PUT', `${CLEANUP}/rate-limit`, '{"max":-1}', 'an odd rate limit'],
  ['PATCH', `${CLEANUP}/1/update-data`, '{"jobData":{"target":"default","extra":1}}', 'data that is wrong'],
  ['PATCH', `${CLEANUP}/1/update-data`, '{}', 'no data'],
  ['PATCH', `${CLEANUP}/1/delay`, '{"delay":"soon"}', 'an odd delay'],
  ['PATCH', `${CLEANUP}/1/priority`, '{"priority":1e99}', 'an odd priority'],
  ['PATCH', '/queues/api/queues/schedule/job-schedulers/nope', '{"every":1}', 'an unknown schedule'],
  ['PUT', '/queues/api/queues/schedule/job-schedulers/nope/run', '{}', 'a run of an unknown schedule'],
  ['GET', '/queues/%', undefined, 'wrong percent-encoding'],
  ['GET', '/queues/queue/%E0%A4%A', undefined, 'wrong percent-encoding in a page'],
  ['GET', `${CLEANUP}/%FF`, undefined, 'wrong percent-encoding in an id'],
  ['GET', '/queues/api/queues?activeQueue=%E0%A4%A', undefined, 'wrong percent-encoding in a query'],
  ['GET', '/queues/api/queues?activeQueue=cleanup&status=nope', undefined, 'an unknown state'],
  ['GET', '/queues/api/queues?activeQueue=cleanup&page=x&jobsPerPage=-5', undefined, 'an odd page'],
  ['GET', '/queues/static/../../../package.json', undefined, 'a path that leads out'],
  ['GET', '/queues/static/%2e%2e/%2e%2e/package.json', undefined, 'an encoded path that leads out'],
  ['GET', `/${'x'.repeat(10_000)}`, undefined, 'a very long path'],
  ['GET', `/${'x'.repeat(100_000)}`, undefined, 'a path that is too long'],
  ['TRACE', '/queues', undefined, 'a method nobody uses'],
  ['PROPFIND', CLEANUP, undefined, 'another one'],
])('answers %s %.60s with a sentence and changes nothing', async (method, path, body, what) => {
  const before = await everything();
  const answer = await send(method, path, body === undefined ? {} : JSON_TYPE, body);
  expectSentence(answer, what);
  expect(await everything()).toEqual(before);
});

it('answers whatever is sent without failing itself, and a stranger changes nothing', async () => {
  const before = await everything();
  const piece = fc.oneof(
    fc.constantFrom('queues', 'api', 'cleanup', 'schedule', 'add', '1', 'nope', 'clean', 'retry', 'static', 'metrics'),
    fc.constantFrom('..', '%', '%00', '%2F', '__proto__', 'job-schedulers', 'cleanup%3Adefault', 'update-data', 'logs'),
    fc.string({ unit: 'grapheme-ascii', maxLength: 5 }).map(encodeURIComponent),
  );
  const path = fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join('/')}`);
  const parameter = fc.oneof(
    fc.constantFrom(..."a9-._~!$&'()*+,;=:@/?%"),
    anyText({ maxLength: 2 }).map(encodeURIComponent),
  );
  const query = fc.oneof(
    fc.constant(''),
    fc.array(parameter, { maxLength: 12 }).map((parts) => `?${parts.join('')}`),
  );
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS');
  const body = fc.oneof(fc.json(), anyText(), fc.constant(undefined));
  const headers = fc.record(
    {
      'content-type': fc.constantFrom('application/json', 'application/json; charset=x', 'text/plain', ''),
      'content-encoding': fc.constantFrom('gzip', 'br', 'x'),
      authorization: fc.constantFrom('Basic', 'Basic ====', 'Bearer x'),
      accept: fc.constantFrom('*/*', 'text/html', 'x'),
      range: fc.constantFrom('bytes=0-1', 'bytes=9999999-'),
      'if-none-match': fc.constant('*'),
    },
    { requiredKeys: [] },
  );
  // What changes something comes from elsewhere here: chance would sooner or later hit on a request that is right.
  const fromElsewhere = { origin: 'https://elsewhere.example' };
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (verb, to, asked, given, content) => {
      const changing = !['GET', 'HEAD', 'OPTIONS'].includes(verb);
      const { status, text } = await send(
        verb,
        `${to}${asked}`,
        { ...given, ...(changing ? fromElsewhere : {}) },
        content,
      );
      expect(status).toBeLessThan(500);
      if (changing) expect(status).toBeGreaterThanOrEqual(400);
      if (status >= 400) expect(text).not.toMatch(/ {4}at |node_modules/);
    }),
    { numRuns: 150 },
  );
  expect(await everything()).toEqual(before);
});

it('takes no body for a run but the right one, and no wrong one for a failure of its own', async () => {
  const before = await everything();
  await fc.assert(
    fc.asyncProperty(
      fc.json(),
      fc.constantFrom('data', 'jobData', 'name', 'options', 'repeat', 'delay'),
      async (value, name) => {
        for (const [method, path] of [
          ['POST', `${CLEANUP}/add`],
          ['PATCH', `${CLEANUP}/1/update-data`],
        ] as const) {
          for (const content of [value, `{"${name}":${value}}`]) {
            const { status, text } = await send(method, path, JSON_TYPE, content);
            expect([method, content, status >= 400 && status < 500, text]).toEqual([method, content, true, text]);
          }
        }
      },
    ),
    { numRuns: 80 },
  );
  expect(await everything()).toEqual(before);
});
