/** stop: ends a run of the queue after its chunk: what it removed stays removed, and stands in its report. */
import { useAnswers } from '../answers.ts';
import { usePath, useSite } from '../site.ts';

interface StopProps {
  readonly run: string;
  readonly target: string;
  /** Whether it was asked to end. */
  readonly stopping: boolean;
}

/** A button; nothing where the dashboard changes nothing, or the run was asked already. */
export function StopButton({ run, target, stopping }: StopProps) {
  const to = usePath();
  const answers = useAnswers();
  if (useSite().readOnly || stopping) return null;
  return (
    <form method="post" action={to('/stop')}>
      <input type="hidden" name="target" value={target} />
      <input type="hidden" name="run" value={run} />
      <button type="submit" disabled={!answers}>
        Stop after its chunk
      </button>
    </form>
  );
}
