/** What `explain` says for people: true, once, and what can be done. */
import { expect, test } from 'vitest';
import { renderEntry } from '../../src/cli/output/renderEntry.ts';
import type { Entry, Owner, SweptOnce } from '../../src/explain/entry.ts';
import { keysOf } from '../../src/explain/swept.ts';

function said(entry: Entry): string {
  return renderEntry(entry).replace(/\s+/g, ' ');
}
function owner(more: Partial<Owner>): Owner {
  return {
    coordinator: Buffer.from('c42'),
    swarm: Buffer.from('s1'),
    heartbeat: Buffer.from('swarm:s1:blocking:heartbeat:c42'),
    silenceSeconds: 700,
    state: 'stale',
    unreadable: null,
    lives: false,
    ...more,
  };
}
function once(more: Partial<SweptOnce>): SweptOnce {
  return {
    run: '7',
    target: 'default',
    atMs: Date.now() - 60_000,
    startedAtMs: Date.now() - 61_000,
    by: 'schedule',
    coordinator: Buffer.from('c42'),
    swarm: Buffer.from('s1'),
    lastBeatAtMs: Date.now() - 760_000,
    silenceSeconds: 700,
    keys: { heartbeat: 1 },
    restoredAtMs: null,
    restorableUntilMs: null,
    ...more,
  };
}
function entry(more: Partial<Entry>): Entry {
  const name = Buffer.from('c42');
  const none = { family: null, template: null, owners: [], swept: [] };
  return { name, kind: 'coordinator', ...none, verdict: 'stays', why: 'because', ...more };
}

const STALE = 'c42 in s1 is stale: it has been silent for 11 minutes 40 seconds';

test('why a run removes somebody is told once, and a guard that could stop it all the same', () => {
  const stale = { owners: [owner({})], verdict: 'goes' } as const;
  expect(said(entry({ ...stale, why: STALE }))).toMatch(/ A run removes it\.$/);
  const guard = 'provided that then no more than 3 look stale (maxStale)';
  expect(said(entry({ ...stale, why: `${STALE}; ${guard}` }))).toMatch(/ A run removes it; provided that then .*\.$/);
});

test('who goes in one swarm and lives in another is not said to go', () => {
  const lives = owner({ swarm: Buffer.from('s2'), state: 'active', silenceSeconds: 5, lives: true });
  const text = said(entry({ owners: [lives, owner({})], verdict: 'goes', why: `${STALE}; c42 in s2 is active` }));
  expect(text).toContain('A run removes only a part of it: c42 in s1 is stale');
});

test('what can be done stands there as a command that a shell takes', () => {
  const until = Date.now() + 3_600_000;
  const back = (more: Partial<SweptOnce>) => said(entry({ swept: [once({ restorableUntilMs: until, ...more })] }));
  expect(back({})).toMatch(/ To give it back: stalesweep restore c42$/);
  expect(back({ coordinator: Buffer.from("-c '4") })).toMatch(/ restore -- '-c '\\''4'$/);
  expect(back({ restoredAtMs: Date.now() })).not.toContain('To give it back');
  expect(back({ restorableUntilMs: Date.now() - 1 })).not.toContain('To give it back');
  expect(said(entry({ owners: [owner({ state: 'held', lives: true })] }))).toMatch(
    / at once: stalesweep enqueue --force --wait$/,
  );
  const elsewhere = renderEntry(entry({ swept: [once({ restorableUntilMs: until })] }), 'my target');
  expect(elsewhere.replace(/\s+/g, ' ')).toMatch(/ stalesweep restore --target 'my target' c42$/);
  const odd = owner({ state: 'unreadable', unreadable: 'not-json', lives: true });
  expect(said(entry({ owners: [odd] }))).toContain('stalesweep doctor');
});

test('of a key that is not there nothing is said to become', () => {
  const why = "there is no such key now; if there were: it is nobody's: c42 has no heartbeat";
  const text = said(entry({ kind: 'key', family: 'signal', template: 't', verdict: 'orphan', why }));
  expect(text).toContain(
    "There is no such key now. If there were: a run counts it as an orphan and keeps it: it is nobody's",
  );
  const beat = entry({ kind: 'key', family: 'heartbeat', template: 't', why: 'there is no such heartbeat now' });
  expect(said(beat)).toMatch(/ There is no such heartbeat now\.$/);
});

test('a family of which Redis did not tell how much went is told so, not left out', () => {
  const families = ['heartbeat', 'signal', 'ack', 'state', 'new'];
  const keys = keysOf([1, null, 2, 0], families);
  expect(keys).toEqual({ heartbeat: 1, signal: null, ack: 2 });
  expect(keysOf(null, families)).toEqual({});
  expect(said(entry({ swept: [once({ keys })] }))).toContain(
    'What went: 1 heartbeat, 2 ack; of signal what there was.',
  );
  expect(said(entry({ swept: [once({ keys: { signal: null } })] }))).toContain('What went: of signal what there was.');
});

test('a key that can be read in several ways is told with all of them, whose it is then, and who decides', () => {
  const ids = (...all: string[]) => all.map((id) => Buffer.from(id));
  const readings = [
    { family: 'ack', template: 'ack:{coordinator}', ids: ids('a:b') },
    { family: 'ack', template: 'ack:{coordinator}:*', ids: ids('a') },
    { family: 'note', template: '*:{coordinator}', ids: ids('b', 'a:b') },
  ];
  const key = { kind: 'key', name: Buffer.from('ack:a:b'), family: 'ack', template: 'ack:{coordinator}' } as const;
  const text = said(entry({ ...key, readings }));
  expect(text).toContain(
    'A key of family ack. Its name can be read so: as ack:{coordinator}, of a:b as ack:{coordinator}:*, of a as *:{coordinator}, of one of b, a:b (family note)',
  );
  expect(text).toContain(
    'It goes once one of them is stale and none of them lives: whoever lives decides that it stays.',
  );
  expect(said(entry({ ...key, readings: readings.slice(0, 1) }))).toContain('A key of family ack, read as ack:{coord');
});
