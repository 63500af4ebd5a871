import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { AnySignal } from '../../src/domain/anySignal.ts';

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

test('is aborted by the first of its sources, for its reason', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const any = new AnySignal(one.signal, other.signal);
  expect(any.signal.aborted).toBe(false);
  other.abort('the second');
  one.abort('the first');
  expect([any.signal.aborted, any.signal.reason]).toEqual([true, 'the second']);
});

test('of one that was aborted before it is so at once', () => {
  const any = new AnySignal(new AbortController().signal, AbortSignal.abort('long ago'));
  expect([any.signal.aborted, any.signal.reason]).toEqual([true, 'long ago']);
});

test('leaves nothing in a source that lives on, once it was let go of or is aborted', () => {
  const [lasting, passing] = [new AbortController(), new AbortController()];
  const released = new AnySignal(lasting.signal, passing.signal);
  const aborted = new AnySignal(lasting.signal, passing.signal);
  expect(listenersOf(lasting.signal)).toBe(2);
  released.release();
  passing.abort();
  expect([listenersOf(lasting.signal), released.signal.aborted, aborted.signal.aborted]).toEqual([0, false, true]);
});
