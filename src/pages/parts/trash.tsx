/** trash: whether what was swept can be given back still, as cells and links say it. */
import type { RestoredNote } from '../../ledger/targets/restored.ts';
import { usePath, useSite } from '../site.ts';
import { Time } from './time.tsx';

interface TrashProps {
  /** Until when it lies there, in ms; `null`: it was removed for good. */
  readonly until: number | null;
  /** The last time that it was given back; `null` for never. */
  readonly given: Pick<RestoredNote, 'atMs'> | null;
  readonly now: number;
}

/** In a table whose heading says "in the trash for". */
export function TrashState({ until, given, now }: TrashProps) {
  if (given !== null) {
    return (
      <span class="soft">
        given back <Time at={given.atMs} now={now} focusable={false} />
      </span>
    );
  }
  if (until === null) return <span class="soft">not kept</span>;
  if (until <= now) return <span class="soft">gone</span>;
  return <Time at={until} now={now} as="left" focusable={false} />;
}

interface GiveBackProps extends TrashProps {
  /** Where it is asked for. */
  readonly path: string;
  /** Whose it is. */
  readonly id: string;
}

/** The way to give back what one coordinator left; nothing where that is not possible, or was done. */
export function GiveBackLink({ until, given, now, path, id }: GiveBackProps) {
  const to = usePath();
  if (useSite().readOnly || given !== null || until === null || until <= now) return null;
  return (
    <a href={to(path)} class="small">
      Give back…<span class="unseen"> what {id} left</span>
    </a>
  );
}
