import { describe, expect, test } from 'vitest';
import { examine } from '../../src/cli/examine/doctor.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { settleIn, useCluster } from '../support/cluster.ts';
import { startCluster } from '../support/clusterServers.ts';
import { command } from '../support/command.ts';
import { folder } from '../support/files.ts';
import { useRedis } from '../support/leaks.ts';
import { NEVER } from '../support/queue.ts';
import { serverFiles } from '../support/tls.ts';
import { work } from '../support/worker.ts';
import { ACTIVE, beat, everythingOf, STALE } from '../support/world.ts';

const queue = useRedis();
const place = useCluster();

function envOf(url: string) {
  return { REDIS_URL: url, QUEUE_REDIS_URL: queue.current.url, ...NEVER };
}

describe.each(['its nodes', 'one of its nodes, as if it were all'])('a cluster by the address of %s', (how) => {
  const url = () => (how === 'its nodes' ? place.current.url : (place.current.nodes[1]?.url ?? ''));

  test('is cleaned by run; a dry run counts the same and writes nothing', async () => {
    const kept = await settleIn(place.current, 'living', ACTIVE);
    for (let i = 0; i < 9; i++) await settleIn(place.current, `c${i}`, STALE);
    const all = await place.current.keys();
    const dry = await command(['run', '--dry-run', '--json'], envOf(url()));
    expect(dry.stderr).toBe('');
    expect(await place.current.keys()).toEqual(all);
    const real = await command(['run', '--json'], envOf(url()));
    const [foreseen, became] = [dry, real].map(({ stdout }) => JSON.parse(stdout));
    expect(became).toMatchObject({ outcome: 'completed', strategy: 'cluster', coordinators: { stale: 9, swept: 9 } });
    expect(became.keys.found).toBe(foreseen.keys.found);
    expect(became.keys.deleted).toBe(all.length - kept.length);
    expect(await place.current.keys()).toEqual([...kept].sort());
  });

  test('is cleaned by a worker, and explain knows who is there', async () => {
    const kept = await settleIn(place.current, 'living', ACTIVE);
    await settleIn(place.current, 'gone', STALE);
    const [told] = JSON.parse((await command(['explain', 'blocking:signal:gone', '--json'], envOf(url()))).stdout);
    expect(told).toMatchObject({ kind: 'key', verdict: 'goes', owners: [{ coordinator: 'gone', state: 'stale' }] });
    const worker = await work(envOf(url()));
    const { stdout, stderr } = await command(['enqueue', '--wait', '--json'], envOf(url()));
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'completed', strategy: 'cluster', coordinators: { swept: 1 } });
    await worker.close();
    expect(worker.log()).not.toMatch(/MOVED|CROSSSLOT|"level":(40|50)/);
    expect(await place.current.keys()).toEqual([...kept].sort());
  });

  test('is filled by populate as one server is, and refused once it holds something', async () => {
    const amounts = ['--coordinators', '40', '--stale', '30', '--ttl', '30m'];
    const filled = await command(['populate', ...amounts], envOf(url()));
    expect(filled).toMatchObject({ code: 0, stderr: '' });
    const count = Number(/in (\d+) keys/.exec(filled.stdout)?.[1]);
    expect(await place.current.size()).toBe(count);
    const again = await command(['populate', ...amounts], envOf(url()));
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain(`the database holds ${count} keys`);
    const { stdout } = await command(['run', '--json'], envOf(url()));
    expect(JSON.parse(stdout)).toMatchObject({ coordinators: { checked: 40, stale: 30, swept: 30 } });
  });

  test('gives back by restore what went to its trash, of the one who is named', async () => {
    const keys = await settleIn(place.current, 'gone', STALE);
    await settleIn(place.current, 'other', STALE);
    await settleIn(place.current, 'living', ACTIVE);
    const env = { ...envOf(url()), STALESWEEP_TRASH: '1h' };
    const { stdout } = await command(['run', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({ strategy: 'cluster', keys: { trashed: 2 * keys.length } });
    const back = await command(['restore', 'gone', '--heartbeats', '--json'], env);
    expect(back).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(back.stdout)).toEqual({ restored: keys.length, existing: [], expired: 0 });
    expect(await place.current.keys()).toEqual(expect.arrayContaining(keys));
    expect(
      (await place.current.keys()).filter((key) => key.endsWith(':other') && !key.startsWith('stalesweep:')),
    ).toEqual([]);
  });

  test('is examined by doctor, primary by primary, without a complaint', async () => {
    await settleIn(place.current, 'living', ACTIVE);
    const config = resolveConfig({}, { REDIS_URL: url(), QUEUE_REDIS_URL: queue.current.url });
    const findings = (await examine(config, [...config.targets.values()])).filter(({ target }) => target !== null);
    const said = findings.filter(({ check }) => check === 'server').map(({ message }) => message);
    expect(said).toEqual([
      expect.stringMatching(/^a cluster of 3 primaries \(127\.0\.0\.1:\d+, .*\), of which each run cleans all$/),
    ]);
    const wrong = findings.filter(({ status, check }) => status !== 'ok' && check !== 'guards' && check !== 'schema');
    expect(wrong.map(({ check }) => check)).toEqual(how === 'its nodes' ? [] : ['address']);
    for (const { check, message } of findings) {
      if (check === 'acl') expect(message).toContain('+cluster|nodes');
    }
    const info = (await place.current.nodes[0]?.redis.info('server')) ?? '';
    const [, isValkey, version] = /(valkey)_version:(\S+)/.exec(info) ?? /()redis_version:(\S+)/.exec(info) ?? [];
    const told = findings.filter(({ check }) => check === 'version').map(({ message }) => message);
    expect(told).toEqual([`${isValkey ? 'Valkey' : 'Redis'} ${version}`]);
  });
});

test('another database of a cluster than the first, which some have, is refused in one sentence, as a target and for the queue', async () => {
  await settleIn(place.current, 'gone', STALE);
  const url = `${place.current.nodes[0]?.url}/2`;
  const sentence = `${url} is a node of a cluster, of which database 0 alone can be used; leave /2 out of the URL\n`;
  const target = await command(['run', '--json'], envOf(url));
  expect(target).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(sentence) });
  const held = await command(['enqueue'], { ...envOf(place.current.url), QUEUE_REDIS_URL: url });
  expect(held).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(await place.current.keys()).toEqual(everythingOf('gone').sort());
});

describe('a cluster that asks for a user, a password and TLS', () => {
  test('is entered with those of the address, which nobody is told', async () => {
    const files = await folder();
    const { ca, args } = serverFiles(files);
    const user = ['--user', 'cleaner', 'on', '>s3cret/@', '~*', '&*', '+@all'];
    const closed = await startCluster(3, { tls: args, args: user });
    const url = closed.tlsUrl.replace('//', '//cleaner:s3cret%2F%40@');
    const keys = everythingOf('c');
    const at = Date.now() - (STALE + 5) * 1000;
    await Promise.all(keys.map(async (key, i) => await closed.redis.set(key, i === 0 ? beat(at, 'c') : '1')));
    const env = { ...envOf(url), STALESWEEP_TLS_CA: ca };
    const wrong = await command(['run'], { ...env, REDIS_URL: url.replace('s3cret', 's3cre') });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(
      /^stalesweep: Redis at rediss:.* could not be reached: it refused the user name or password\n$/,
    );
    expect(wrong.stderr).not.toContain('s3cre%');
    const { code, stdout, stderr } = await command(['run', '--json'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ strategy: 'cluster', coordinators: { swept: 1 } });
    expect(await closed.keys()).toEqual([]);
    await closed.stop();
  });
});
