/** That an id which was entered is never taken for unknown by its outline, and that most other parts of names are. */
import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Outlines } from '../../src/store/outlines.ts';

function drawn(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => randomInt(256)));
}

describe('outlines', () => {
  it('have every id that was entered, wherever it stands', () => {
    const outlines = new Outlines();
    const ids = Array.from({ length: 2_000 }, () => drawn(randomInt(300)));
    for (const id of ids) {
      outlines.meet({ id: { bytes: id, from: 0, to: id.length }, idSegments: 1, swarm: null });
      const around = Buffer.concat([drawn(3), id, drawn(5)]);
      expect(outlines.mayHave(around, 3, 3 + id.length)).toBe(true);
    }
    for (const id of ids) expect(outlines.mayHave(id, 0, id.length)).toBe(true);
  });

  it('tell most other parts of names from ids that look alike', () => {
    const outlines = new Outlines();
    for (let i = 0; i < 10_000; i++) {
      const id = Buffer.from(`worker-${String(i).padStart(6, '0')}`);
      outlines.meet({ id: { bytes: id, from: 0, to: id.length }, idSegments: 1, swarm: null });
    }
    const others = Array.from({ length: 1_000 }, () => drawn(randomInt(1, 40)));
    const mistaken = others.filter((other) => outlines.mayHave(other, 0, other.length));
    expect(mistaken.length).toBeLessThan(50);
  });

  it('know the most segments, those of ids with empty ones counted too', () => {
    const outlines = new Outlines();
    const id = Buffer.from('a:b:c');
    expect(outlines.mostSegments).toBe(1);
    outlines.meet({ id: { bytes: id, from: 0, to: 5 }, idSegments: -3, swarm: null });
    outlines.meet({ id: { bytes: id, from: 0, to: 3 }, idSegments: 2, swarm: null });
    expect(outlines.mostSegments).toBe(3);
  });
});
