/** things: how much went of one coordinator: the sum, and how many of each family behind it. */
import type { SweptOnce } from '../../explain/entry.ts';
import { amount } from './amounts.ts';

/** How many of each family: `2 ack, 1 signal`. */
function countsText(keys: SweptOnce['keys']): string {
  return Object.entries(keys)
    .map(([family, count]) => (count === null ? `what there was of ${family}` : `${amount(count)} ${family}`))
    .join(', ');
}

/** The families are told to whoever points at it, hears it, or has it on a phone. */
export function Things({ keys }: Pick<SweptOnce, 'keys'>) {
  const counts = Object.values(keys);
  if (counts.length === 0) {
    const why = 'not known: its process ended before it could say';
    return (
      <span class="soft" title={why}>
        –<span class="behind-it">{why}</span>
      </span>
    );
  }
  const sum = counts.reduce<number>((all, count) => all + (count ?? 0), 0);
  const text = countsText(keys);
  return (
    <span title={text}>
      {amount(sum)}
      {counts.includes(null) && '+'}
      <span class="behind-it">: {text}</span>
    </span>
  );
}
