import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, textOf } from '../../src/domain/nameText.ts';
import { anyText } from '../support/text.ts';

test('any bytes can be written so that they are read as the same, and a text is itself', () => {
  const awkward = fc.constantFrom('"\\xff"', '"a\\x00b"', '""', '"', '\\xff', '"é\\xc3"', '\u202eabc', 'a\nb');
  const name = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.oneof(anyText({ minLength: 1 }), awkward).map((text) => Buffer.from(text, 'utf8')),
  );
  fc.assert(
    fc.property(name, (bytes) => {
      expect(bytesOf(textOf(bytes))).toEqual(bytes);
    }),
  );
  expect(textOf(Buffer.from('blocking:ack:ä:🦊'))).toBe('blocking:ack:ä:🦊');
  expect(bytesOf('"bl\\xffue\\n\\"\\\\"')).toEqual(Buffer.from('bl\xffue\n"\\', 'latin1'));
});
