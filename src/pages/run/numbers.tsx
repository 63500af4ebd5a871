/** numbers: a run's report as people read it. */
import { WHY_SAYS } from '../../domain/heartbeat.ts';
import { knowsFreed, type Report, type UnreadableGroup } from '../../domain/report.ts';
import { amount, amountOf, bytesOf, tookOf } from '../parts/amounts.ts';

interface CountsProps {
  readonly title: string;
  readonly head: readonly [string, string];
  readonly rows: readonly (readonly [name: string, value: string])[];
}

function Counts({ title, head, rows }: CountsProps) {
  return (
    <table class="counts">
      <caption>{title}</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">{head[0]}</th>
          <th scope="col">{head[1]}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Reports of older versions do not have all counts. */
function coordinatorRows({ coordinators, dryRun }: Report): (readonly [string, string])[] {
  const {
    checked,
    active,
    stale,
    unreadable,
    held = 0,
    protected: spared = 0,
    lapsed = 0,
    swept,
    revived,
  } = coordinators;
  const some = (name: string, count: number) => (count > 0 ? [[name, amount(count)] as const] : []);
  return [
    ['checked', amount(checked)],
    ['active', amount(active)],
    ['stale', amount(stale)],
    ...(dryRun ? [] : [['swept', amount(swept)] as const]),
    ...some('revived', revived),
    ...some('lapsed, of the stale', lapsed),
    ...some('held', held),
    ...some('protected', spared),
    ['unreadable', amount(unreadable)],
  ];
}

function thingRows({ keys, dryRun }: Report): (readonly [string, string])[] {
  const families = Object.entries(keys.byFamily).filter(([, count]) => count > 0);
  return [
    ...families.map(([family, count]) => [family, amount(count)] as const),
    [dryRun ? 'found in all' : 'removed in all', amount(dryRun ? keys.found : keys.deleted)],
    ...(keys.trashed === undefined ? [] : [['of them to the trash', amount(keys.trashed)] as const]),
    ['orphans', keys.orphans === null ? 'not looked for' : amount(keys.orphans)],
  ];
}

function redisRows(report: Report): (readonly [string, string])[] {
  const { redis, chunks, strategy, dryRun, keys } = report;
  const tellsFreed = !dryRun && (keys.trashed ?? 0) === 0 && knowsFreed(report);
  return [
    ['calls', amount(redis.calls)],
    ['slowest call', tookOf(redis.slowestCallMs)],
    ['chunks', amount(chunks)],
    ['removed by', strategy],
    ...(tellsFreed ? [['memory freed', bytesOf(redis.memoryFreedBytes)] as const] : []),
  ];
}

export function Numbers({ report }: { readonly report: Report }) {
  return (
    <section class="tiles" aria-label="Numbers">
      <Counts title="Coordinators" head={['state', 'how many']} rows={coordinatorRows(report)} />
      <Counts title="Things, by family" head={['family', 'how many']} rows={thingRows(report)} />
      <Counts title="Redis" head={['what', 'how much']} rows={redisRows(report)} />
    </section>
  );
}

/** What could not be judged, by reason. */
export function Unreadable({ groups }: { readonly groups: readonly UnreadableGroup[] }) {
  if (groups.length === 0) return null;
  return (
    <section class="part" aria-labelledby="unreadable">
      <h2 id="unreadable">What could not be judged, and was kept</h2>
      {groups.map(({ why, count, sample }) => (
        <div key={why} class="group">
          <p>
            {amountOf(count, 'heartbeat')}, {count === 1 ? 'which' : 'each of which'}{' '}
            {(WHY_SAYS as Readonly<Record<string, string>>)[why] ?? why} <span class="soft">({why})</span>
          </p>
          <ul class="names">
            {sample.map((name) => (
              <li key={name} class="id" dir="auto">
                {name}
              </li>
            ))}
            {count > sample.length && <li class="soft">and {amount(count - sample.length)} more</li>}
          </ul>
        </div>
      ))}
    </section>
  );
}
