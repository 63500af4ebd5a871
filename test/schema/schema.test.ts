import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharedGlob } from '../../src/schema/glob.ts';
import { type IdShape, ONE_SEGMENT } from '../../src/schema/ids.ts';
import { ANY_SEGMENTS, KeyReader } from '../../src/schema/keyReader.ts';
import { Speller } from '../../src/redis/call/speller.ts';
import { compileSchema, type FamilyTemplates } from '../../src/schema/keySchema.ts';
import { Matcher, patternOf } from '../../src/schema/matcher.ts';
import { SHIPPED_SCHEMAS } from '../../src/schema/shipped.ts';
import { derive, parseTemplate } from '../../src/schema/template.ts';
import { useRedis } from '../support/leaks.ts';

const ANY: IdShape = { segments: null, never: [] };

function ownersOf(text: string, key: string, ids = ONE_SEGMENT): string[] {
  const found: string[] = [];
  const bytes = Buffer.from(key, 'latin1');
  new Matcher(ids).read(patternOf(parseTemplate(text)), bytes, ids.segments ?? ANY_SEGMENTS, (binding) => {
    const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = binding;
    if (idSegments < 0) return false;
    const id = key.slice(idFrom, idTo);
    found.push(swarmFrom === -1 ? id : `${key.slice(swarmFrom, swarmTo)}/${id}`);
    return false;
  });
  return [...new Set(found)].sort();
}

describe('a template', () => {
  test.each([
    ['blocking:signal:{coordinator}', 'blocking:signal:c1', ['c1']],
    ['blocking:signal:{coordinator}', 'blocking:signal:c1:x', []],
    ['blocking:signal:{coordinator}', 'blocking:signal:', []],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:c1:', ['c1']],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:c1', []],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:c10:c1', ['c10']],
    ['i:*:{coordinator}', 'i:a:b:c', ['c']],
    ['i:*:{coordinator}:*', 'i:a:b:c:d', ['b', 'c']],
    ['swarm:{swarm}:beat:{coordinator}', 'swarm:s:beat:c', ['s/c']],
    ['agent-{coordinator}-x', 'agent-a-x-x', ['a-x']],
    ['{{coordinator}}:beat', '{c1}:beat', ['c1']],
    ['{{{coordinator}}}:beat', '{c1}:beat', ['c1']],
    ['agent:{{{coordinator}}}', 'agent:{c1}', ['c1']],
    ['{{{swarm}:{coordinator}}}:beat', '{s:c1}:beat', ['s/c1']],
    ['{{swarm}:{coordinator}}:beat', '{s:c1}:beat', ['s/c1']],
    ['n8n:{{instance:}}{coordinator}', 'n8n:{instance:}c1', ['c1']],
    ['{{queue}}:{coordinator}:*', '{queue}:c1:x', ['c1']],
    ['{{{{a}}}}:{coordinator}', '{{a}}:c1', ['c1']],
    ['*:{coordinator}', 'a:b\nc:*?[\\', ['*?[\\']],
  ])('%s reads %j as a key of %j (P2)', (text, key, expected) => {
    expect(ownersOf(text, key)).toEqual(expected);
  });

  test.each([
    ['blocking:signal:{coordinator}', 'blocking:signal:a:b', ['a:b']],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:a:b:1', ['a', 'a:b']],
    ['blocking:ack:{coordinator}:*', 'blocking:ack:a::1', ['a']],
    ['i:*:{coordinator}:*', 'i:a:b:c:d', ['b', 'b:c', 'c']],
    ['swarm:{swarm}:beat:{coordinator}', 'swarm:s:beat:a:b', ['s/a:b']],
    ['s:*:blocking:{coordinator}', 's:x:blocking:y:blocking:z', ['y:blocking:z', 'z']],
    ['a:{coordinator}', 'a::b', []],
  ])('with ids of one or more segments, %s reads %j as a key of %j (P2)', (text, key, expected) => {
    expect(ownersOf(text, key, ANY)).toEqual(expected);
  });

  test("is nobody's whose id would begin with a word that no id begins with", () => {
    const ids: IdShape = { segments: null, never: ['heartbeat'] };
    expect(ownersOf('blocking:{coordinator}', 'blocking:heartbeat:c1', ids)).toEqual([]);
    expect(ownersOf('blocking:{coordinator}', 'blocking:heartbeat', ids)).toEqual([]);
    expect(ownersOf('blocking:{coordinator}', 'blocking:heartbeats:c1', ids)).toEqual(['heartbeats:c1']);
    expect(ownersOf('blocking:{coordinator}', 'blocking:c1:heartbeat', ids)).toEqual(['c1:heartbeat']);
  });

  test.each([
    ['a:*', 'must name {coordinator} exactly once'],
    ['{coordinator}:{coordinator}', 'must name {coordinator} exactly once'],
    ['{swarm}:{swarm}:{coordinator}', 'names {swarm} more than once'],
    ['{swarm}{coordinator}', 'in segments of their own'],
    ['{swarm}-{coordinator}', 'in segments of their own'],
    ['{coordinator}*', 'in segments of their own'],
    ['{agent}:{coordinator}', 'holds {agent}; only {swarm} and {coordinator}'],
    ['*:a:*:b:*:c:*:{coordinator}', 'more than three *'],
  ])('%s is refused with a sentence', (text, sentence) => {
    expect(() => parseTemplate(text)).toThrow(sentence);
  });

  test('reads back exactly the owner it was derived from, whatever characters the id holds (P2, P8)', () => {
    const id = fc.string({ unit: fc.constantFrom(...'ab*?[]\\^-{}ÿ \n'), minLength: 1 });
    const plain = Object.values(SHIPPED_SCHEMAS)
      .flatMap(({ families }) => Object.values(families).flat())
      .filter((text) => !text.includes('*'));
    fc.assert(
      fc.property(fc.constantFrom(...plain), id, id, (text, coordinator, swarm) => {
        const template = parseTemplate(text);
        const name = derive(template, { coordinator, swarm });
        expect(ownersOf(text, name)).toEqual([template.hasSwarm ? `${swarm}/${coordinator}` : coordinator]);
      }),
    );
  });
});

describe('a schema', () => {
  const compile = (families: FamilyTemplates) => compileSchema('mine', { families });
  test.each([
    [{ signal: 's:{coordinator}' }, 'it has no "heartbeat" family'],
    [{ heartbeat: ['a:{coordinator}', 'b:{coordinator}'] }, 'must have exactly one template'],
    [{ heartbeat: 'a:{coordinator}:*' }, 'must not hold a *'],
    [{ heartbeat: 'a:{coordinator}', b: 'b:{swarm}:{coordinator}' }, 'names {swarm}, but the heartbeat template'],
    [{ heartbeat: 'a:{coordinator}', b: 'a*:{coordinator}' }, 'can match heartbeats'],
    [
      { heartbeat: 'h:{coordinator}', b: ['a:{coordinator}:x', 'a:x:{coordinator}'] },
      'can name the same key for different',
    ],
  ])('%j is refused with a sentence', (families, sentence) => {
    expect(() => compile(families as FamilyTemplates)).toThrow(sentence);
  });

  test('that names what passes for keys of the queue is refused: its heartbeats would go, and the rest stay for good (P3, P8)', () => {
    const families = { heartbeat: 'swarm:{coordinator}', mail: ['a:{coordinator}', 'app:q:mail:{coordinator}:*'] };
    const under = (prefix: string) => compileSchema('mine', { families }, [], [prefix]);
    expect(() => under('app:')).toThrow(
      `schema "mine": "app:q:mail:{coordinator}:*" begins with "app:", as the queue's own keys do, which are never swept; set another queue.prefix`,
    );
    for (const prefix of ['swarm:', 'a:', 'app:q:']) expect(() => under(prefix)).toThrow('set another queue.prefix');
    // Only some of its keys could be ours, or none.
    for (const prefix of ['swarm:x:', 'app:q:mail:x:', 'ap:', 'b:']) expect(under(prefix).name).toBe('mine');
  });

  test('with more templates than can be compared in time is refused before they are', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => `f${i}:{coordinator}`);
    expect(() => compile({ heartbeat: 'h:{coordinator}', many })).toThrow(
      'it has 100001 templates; more than 10000 take too long',
    );
  });

  test('may keep everything of a coordinator below its heartbeat', () => {
    const schema = compile({ heartbeat: 'agents:{coordinator}:beat', rest: 'agents:{coordinator}:*' });
    const reader = new KeyReader(schema);
    expect(reader.read(Buffer.from('agents:c1:beat'))).toBe('heartbeat');
    expect(reader.read(Buffer.from('agents:c1:mail:1'))).toBe('remain');
  });
});

test('whatever heartbeat a name is spelled for, it reads as that one, with a name of its own too (P1)', () => {
  const word = fc.constantFrom('a', 'b', 'beat', 'stalesweep', '{stalesweep}', 'x-a-y');
  const heartbeat = fc.constantFrom(
    ...[
      '{swarm}:beat:{coordinator}',
      '{coordinator}:{swarm}',
      '{swarm}:x-{coordinator}-y',
      'b:{coordinator}:beat:{swarm}:a',
    ],
    ...['{coordinator}:beat', 'stalesweep:{coordinator}'],
  );
  const sliceOf = (text: string) => ({ bytes: Buffer.from(text, 'latin1'), from: 0, to: text.length });
  fc.assert(
    fc.property(heartbeat, fc.array(word, { minLength: 1, maxLength: 3 }), word, (template, words, swarm) => {
      const schema = compileSchema('mine', { ids: ANY, families: { heartbeat: [template] } });
      const id = words.join(':');
      const name = new Speller(schema.heartbeat).nameOf(sliceOf(id), sliceOf(swarm));
      const reader = new KeyReader(schema);
      expect(reader.readHeartbeat(name), name.toString()).toBe(true);
      const { idFrom, idTo, idSegments, swarmFrom, swarmTo } = reader;
      expect([name.toString('latin1', idFrom, idTo), idSegments]).toEqual([id, words.length]);
      if (schema.heartbeat.hasSwarm) expect(name.toString('latin1', swarmFrom, swarmTo)).toBe(swarm);
    }),
  );
});

const server = useRedis();
test('one SCAN pattern finds every key of all the templates it is made of, whatever their prefixes hold (P6)', async () => {
  const { redis } = server.current;
  const prefix = fc
    .string({ unit: fc.constantFrom(...'ab*?[]\\^-!,'), minLength: 1, maxLength: 4 })
    .filter((text) => !text.includes('*'));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(prefix, { minLength: 1, maxLength: 3 }), async (prefixes) => {
      await redis.flushall();
      const templates = prefixes.map((text) => parseTemplate(`${text}:{coordinator}:*`));
      const keys = prefixes.map((text) => `${text}:c*1:x`);
      for (const key of keys) await redis.set(key, '1');
      const found = new Set<string>();
      for (let cursor = '0'; ; ) {
        const [next, page] = await redis.scan(cursor, 'MATCH', sharedGlob(templates), 'COUNT', 100);
        for (const key of page) found.add(key);
        cursor = next;
        if (cursor === '0') break;
      }
      expect([...found].sort()).toEqual([...keys].sort());
    }),
    { numRuns: 200 },
  );
});
