/** filters: which runs are shown, and the search for an id. Plain forms that change the address. */
import { RUN_OUTCOMES } from '../../ledger/runs/pastRun.ts';
import { usePath } from '../site.ts';
import { Time } from '../parts/time.tsx';
import { pathOf, type RunsQuery, TRIGGERS } from './query.ts';

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly options: readonly (readonly [value: string, text: string])[];
}

function Choice({ name, label, value, options }: ChoiceProps) {
  return (
    <label>
      {label}
      <select name={name}>
        <option value="">all</option>
        {options.map(([one, text]) => (
          <option key={one} value={one} selected={one === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FiltersProps {
  readonly query: RunsQuery;
  readonly targets: readonly string[];
  readonly now: number;
}

export function Filters({ query, targets, now }: FiltersProps) {
  const to = usePath();
  const { target, outcome, trigger, removed, sinceMs, untilMs } = query.filter;
  const same = (word: string) => [word, word] as const;
  return (
    <div class="searches">
      <form method="get" action={to('/runs')} class="fields" aria-label="Which runs are shown">
        <Choice name="target" label="target" value={target} options={targets.map(same)} />
        <Choice name="outcome" label="outcome" value={outcome} options={RUN_OUTCOMES.map(same)} />
        <Choice name="by" label="asked by" value={trigger} options={Object.entries(TRIGGERS)} />
        <label class="check">
          <input type="checkbox" name="removed" value="yes" checked={removed === true} />
          only those that removed something
        </label>
        {sinceMs !== undefined && <input type="hidden" name="since" value={sinceMs} />}
        {untilMs !== undefined && <input type="hidden" name="until" value={untilMs} />}
        <button type="submit">Show</button>
      </form>
      <FindForm value={query.find} />
      {(sinceMs !== undefined || untilMs !== undefined) && (
        <p class="span">
          Those that ended{' '}
          {sinceMs !== undefined && (
            <>
              from <Time at={sinceMs} now={now} as="moment" />
            </>
          )}{' '}
          {untilMs !== undefined && (
            <>
              until <Time at={untilMs} now={now} as="moment" />
            </>
          )}
          . <a href={to(pathOf({ ...query, filter: { target, outcome, trigger, removed } }, null))}>At any time</a>
        </p>
      )}
    </div>
  );
}

/** Asks which runs swept an id. */
export function FindForm({ value }: { readonly value: string | null }) {
  const to = usePath();
  return (
    <form method="get" action={to('/runs')} class="fields" aria-label="Search all runs">
      <label>
        find an id in all runs
        <input type="search" name="find" value={value ?? ''} required autocomplete="off" spellcheck={false} size={24} />
      </label>
      <button type="submit">Find</button>
    </form>
  );
}
