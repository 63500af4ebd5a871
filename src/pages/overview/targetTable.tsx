/** target table: all targets, a row each, the troubled first; each leads to its own page. */
import type { Status, TargetStatus } from '../../status/status.ts';
import { amount } from '../parts/amounts.ts';
import { runPath, targetPath } from '../paths.ts';
import { usePath } from '../site.ts';
import { endOf, StateWord } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';

const STATES = [
  ['active', 'Active'],
  ['atRisk', 'At risk'],
  ['stale', 'Stale'],
  ['unreadable', 'Unreadable'],
  ['held', 'Held'],
] as const;

/** How much a target needs a person. */
function needOf({ troubles }: TargetStatus): number {
  return troubles.some(({ grave }) => grave) ? 2 : troubles.length > 0 ? 1 : 0;
}

/** Where two need the same, the order of the configuration stays. */
export function troubledFirst(targets: readonly TargetStatus[]): readonly TargetStatus[] {
  return targets.toSorted((a, b) => needOf(b) - needOf(a));
}

export function TargetTable({ status, now }: { readonly status: Status; readonly now: number }) {
  return (
    <div class="scroll">
      <table class="sheets targets">
        <caption class="unseen">Targets, those with troubles first</caption>
        <thead>
          <tr>
            <th scope="col">Target</th>
            {STATES.map(([state, name]) => (
              <th key={state} scope="col" class="number">
                {name}
              </th>
            ))}
            <th scope="col">Last run</th>
            <th scope="col">Next run</th>
          </tr>
        </thead>
        <tbody>
          {troubledFirst(status.targets).map((target) => (
            <Row key={target.target} target={target} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ target, now }: { readonly target: TargetStatus; readonly now: number }) {
  const to = usePath();
  const { coordinators, past, underWay, nextRunAtMs, troubles } = target;
  const { last } = past;
  return (
    <tr>
      <th scope="row">
        <a href={to(targetPath(target.target))}>{target.target}</a>
        {troubles.map(({ kind, word, grave, sentence }) => (
          <span key={kind} class={`tag${grave ? ' bad' : ''}`} title={sentence}>
            {word}
          </span>
        ))}
      </th>
      {STATES.map(([state, name]) => (
        <td
          key={state}
          class={coordinators?.[state] === 0 && state !== 'active' ? 'number nobody' : 'number'}
          data-name={name.toLowerCase()}
        >
          {coordinators === null ? '–' : amount(coordinators[state])}
        </td>
      ))}
      <td class="wide" data-name="last run">
        {last === null ? (
          <span class="none">none yet</span>
        ) : (
          <a class="plain" href={to(runPath(last))}>
            <StateWord state={endOf(last)} dryRun={last.dryRun} /> <Time at={last.atMs} now={now} focusable={false} />
          </a>
        )}
      </td>
      <td class="wide" data-name="next run">
        {underWay !== null ? (
          <StateWord state={underWay.state} dryRun={underWay.dryRun} />
        ) : (
          <Time at={nextRunAtMs} now={now} as="countdown" focusable={false} />
        )}
        {underWay?.progress && <> {underWay.progress.percent} %</>}
      </td>
    </tr>
  );
}
