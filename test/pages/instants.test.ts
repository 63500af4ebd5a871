import fc from 'fast-check';
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { expect, test } from 'vitest';
import { Said } from '../../src/pages/parts/said.tsx';

const NOW = Date.parse('2026-03-04T05:06:07Z');
const instant = fc
  .tuple(fc.date({ min: new Date(0), max: new Date(NOW * 2), noInvalidDate: true }), fc.boolean())
  .map(([date, toTheSecond]) => (toTheSecond ? `${date.toISOString().slice(0, 19)}Z` : date.toISOString()));
const words = fc.stringMatching(/^[a-z :,.-]{0,12}$/);

test('each instant of a sentence is a time of its own, and the rest of it stands', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(words, instant), { maxLength: 4 }), words, (parts, last) => {
      const text = `${parts.map(([before, at]) => `${before} ${at}`).join('')} ${last}`;
      const html = renderToString(h(Said, { text, now: NOW }));
      const times = [...html.matchAll(/<time datetime="([^"]*)"/gi)].map(([, at]) => Date.parse(at as string));
      expect(times).toEqual(parts.map(([, at]) => Date.parse(at)));
      const rest = html.replace(/<time[^>]*>[^<]*<\/time>/g, '|');
      expect(rest).toBe(`${parts.map(([before]) => `${before} |`).join('')} ${last}`);
    }),
  );
});
