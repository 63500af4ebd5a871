/** coordinators: how many are in which state, and for how long they have been silent. */
import { amount, secondsOf } from '../parts/amounts.ts';
import { Bars, Behind, short } from '../parts/chart.tsx';
import { runPath } from '../paths.ts';
import { usePath, useSite } from '../site.ts';
import { Time } from '../parts/time.tsx';
import type { TargetStatus } from '../../status/status.ts';

/** What each state means, for whoever points at it. */
const STATES = [
  ['active', 'active', 'beat within the threshold'],
  ['atRisk', 'at risk', 'of the active, those silent for more than half of the threshold'],
  ['stale', 'stale', 'silent for longer than the threshold, and still there'],
  ['unreadable', 'unreadable', "can't be judged, and are kept"],
  ['held', 'held', 'fell silent together, and are kept for now'],
  ['protected', 'protected', 'silent, and kept since the configuration says so'],
] as const;
/** Shown also where they are nobody. */
const ALWAYS = 4;

interface Props {
  readonly status: TargetStatus;
  readonly now: number;
}

export function Coordinators({ status, now }: Props) {
  const { coordinators, asOfMs, past, silence, staleAfterSeconds } = status;
  const to = usePath();
  if (coordinators === null || asOfMs === null || past.pass === null) return <NothingYet status={status} now={now} />;
  const run = to(runPath(past.pass));
  const shown = STATES.filter(([state], i) => i < ALWAYS || coordinators[state] > 0);
  return (
    <>
      <h2>
        Coordinators{' '}
        <span class="soft">
          as of <Time at={asOfMs} now={now} as="clock" />, <Time at={asOfMs} now={now} focusable={false} />
        </span>
      </h2>
      <dl class="numbers">
        {shown.map(([state, name, meaning]) => (
          <div key={state} class={`${state}${coordinators[state] > 0 ? ' some' : ''}`} title={meaning}>
            <dt>{name}</dt>
            <dd>
              <a class="count" href={run}>
                {amount(coordinators[state])}
              </a>
            </dd>
          </div>
        ))}
      </dl>
      {silence !== null && <Silence silence={silence} staleAfterSeconds={staleAfterSeconds} />}
    </>
  );
}

function NothingYet({ status: { nextRunAtMs, underWay }, now }: Props) {
  const { readOnly } = useSite();
  return (
    <>
      <h2>Coordinators</h2>
      <p class="empty">
        No run has counted them yet. How many are active, at risk and stale stands here after the next one
        {underWay !== null
          ? ', which is under way.'
          : nextRunAtMs !== null
            ? ': '
            : `. A worker begins it${readOnly ? '' : ', or “Dry run now”'}.`}
        {underWay === null && nextRunAtMs !== null && <Time at={nextRunAtMs} now={now} />}
      </p>
    </>
  );
}

interface SilenceProps {
  readonly silence: readonly number[];
  readonly staleAfterSeconds: number;
}

/** From when to when a bar counts, in words. */
function rangeOf(tenth: number, staleAfterSeconds: number): string {
  const at = (place: number) => secondsOf((place * staleAfterSeconds) / 10);
  return tenth === 10 ? `longer than ${at(10)}` : `${at(tenth)} to ${at(tenth + 1)}`;
}

/** The silence of everybody who was judged, by tenths of the threshold. */
function Silence({ silence, staleAfterSeconds }: SilenceProps) {
  const kinds = silence.map((_, tenth) => (tenth === 10 ? 'beyond' : tenth >= 5 ? 'risk' : undefined));
  const bars = silence.map((count, tenth) => ({
    count,
    kind: kinds[tenth],
    title: `silent for ${rangeOf(tenth, staleAfterSeconds)}: ${amount(count)}`,
  }));
  return (
    <figure class="chart silence">
      <figcaption class="soft">For how long they have been silent</figcaption>
      <div class="columns over" aria-hidden="true">
        {silence.map((count, tenth) => (
          <span key={tenth}>{count > 0 ? short(count) : ''}</span>
        ))}
      </div>
      <Bars bars={bars}>
        <path class="threshold" d="M10 0V100" />
      </Bars>
      <div class="marks" aria-hidden="true">
        <span>0</span>
        <span class="half">{secondsOf(staleAfterSeconds / 2)}</span>
        <span class="full">{secondsOf(staleAfterSeconds)}, stale</span>
      </div>
      <Behind id="silence-table" about="Coordinators by how long they have been silent">
        <table>
          <thead>
            <tr>
              <th scope="col">Silent for</th>
              <th scope="col" class="number">
                Coordinators
              </th>
            </tr>
          </thead>
          <tbody>
            {silence.map((count, tenth) => (
              <tr key={rangeOf(tenth, staleAfterSeconds)}>
                <td>{rangeOf(tenth, staleAfterSeconds)}</td>
                <td class="number">{amount(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Behind>
    </figure>
  );
}
