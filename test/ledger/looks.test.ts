import { expect, test } from 'vitest';
import { useRedis } from '../support/leaks.ts';
import { ledgerIn } from './story.ts';

const server = useRedis();

test('of deployments that call different targets alike, each is shown what stands in its own', async () => {
  const ledger = ledgerIn(server.current.redis);
  const schema = { families: [], heartbeat: { text: 'beat:{coordinator}' }, templates: [] };
  const targets = [
    { name: 'default', url: 'redis://here:6379', schema },
    { name: 'default', url: 'redis://there:6379', schema },
    { name: 'default', url: 'redis://here:6379', schema: { ...schema, heartbeat: { text: '{coordinator}:beat' } } },
    { name: 'staging', url: 'redis://here:6379', schema },
  ];
  const seen = (keys: number) => ({ complete: true, families: [{ family: 'heartbeat', keys, bytes: null }] });
  for (const [i, target] of targets.entries()) {
    expect(await ledger.looks(targets.slice(i))).toEqual(targets.slice(i).map(() => null));
    await ledger.noteLook(target, seen(i));
  }
  expect(await ledger.looks(targets)).toMatchObject(targets.map((_, i) => seen(i)));
});
