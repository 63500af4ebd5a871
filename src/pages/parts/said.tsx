/** said: what the service says in a sentence, with each instant in it in the viewer's zone. */
import { Time } from './time.tsx';

/** As ISO 8601 has it, in UTC: so they stand in sentences and reasons. */
const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)/;
const DAY_MS = 86_400_000;

interface SaidProps {
  readonly text: string;
  /** When the page was made, in ms. */
  readonly now: number;
}

/** One of today is a time of day, any other has its day, too. */
export function Said({ text, now }: SaidProps) {
  return (
    <>
      {text.split(INSTANT).map((part, i) => {
        const at = i % 2 === 0 ? Number.NaN : Date.parse(part);
        if (Number.isNaN(at)) return part;
        const as = Math.abs(now - at) < DAY_MS / 2 ? 'clock' : 'moment';
        return <Time key={`${i}`} at={at} now={now} as={as} focusable={false} />;
      })}
    </>
  );
}
