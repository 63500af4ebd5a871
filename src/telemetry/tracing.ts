/** tracing: the traces of this process: off, and nothing of OpenTelemetry loaded, until somebody asks for them.
 *
 *      add (PRODUCER) ──▶ process (CONSUMER) ──▶ run ──▶ mark, gather, sweep, report
 *
 *  Owns      whether this process traces; one state for the process, as in OpenTelemetry itself.
 *  Leaves    what a span holds to `runSpan` and `queueSpans`, sending to `sender`.
 *  Promises  never rejects, and holds nobody up: a collector that is away or hangs costs spans, and no more than `patienceMs` at the end.
 */
import type { QueueOptions } from 'bullmq';
import type { Phase } from '../domain/phase.ts';
import type { Report } from '../domain/report.ts';
import type { RunSpan, TracedRun } from './runSpan.ts';
import type { TraceWatch, Tracing } from './sender.ts';
import { wantedBy } from './wanted.ts';

/** Tells that a run enters a phase. */
export type OnPhase = (phase: Phase) => void;

interface Tracer {
  /** `null`: queues are no matter of ours. */
  readonly telemetry: NonNullable<QueueOptions['telemetry']> | null;
  begin(about: TracedRun): RunSpan;
}

/** How an SDK that was loaded before us (`node --import`) is known; part of the contract between versions of the API. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

let inForce: Tracer | null = null;

const NOTHING: Tracing = { close: async () => {} };

/**
 * Begins to trace when the environment asks for it, or an SDK is there already, whose spans then go its own way. Resolves, whatever
 * happens, to what ends it.
 * @param patienceMs how long the end waits for a collector that does not answer
 */
export async function startTracing(
  env: Readonly<Record<string, string | undefined>>,
  watch: TraceWatch,
  patienceMs: number,
): Promise<Tracing> {
  const others = isTraced();
  const { form, complaint } = wantedBy(env);
  if (!others && complaint !== null) watch.warn(complaint);
  if (!others && form === null) return NOTHING;
  try {
    const sender =
      others || form === null ? NOTHING : (await import('./sender.ts')).startSender(form, watch, patienceMs);
    const [{ beginRunSpan }, { queueTelemetry }] = await Promise.all([
      import('./runSpan.ts'),
      import('./queueSpans.ts'),
    ]);
    inForce = { begin: beginRunSpan, telemetry: queueTelemetry() };
    return {
      close: async () => {
        inForce = null;
        await sender.close();
      },
    };
  } catch (error) {
    watch.warn(`no traces are sent: ${error instanceof Error ? error.message : String(error)}`);
    return NOTHING;
  }
}

function isTraced(): boolean {
  return (globalThis as { [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED]?.trace !== undefined;
}

/** The same for a program that calls us: where it has an SDK in force, its runs are spans of that; the environment counts for nothing. */
export async function joinTracing(): Promise<void> {
  if (inForce !== null || !isTraced()) return;
  const { beginRunSpan } = await import('./runSpan.ts');
  inForce ??= { begin: beginRunSpan, telemetry: null };
}

/** What a queue of runs and its workers are opened with; nothing while this process does not trace. */
export function queueTracing(): Pick<QueueOptions, 'telemetry'> {
  const telemetry = inForce?.telemetry ?? null;
  return telemetry === null ? {} : { telemetry };
}

/**
 * Does a run within a span of its own, below whatever span is in force.
 * @param isHandedBack whether an error only says that somebody else goes on with the run
 */
export async function traced(
  about: TracedRun,
  work: (onPhase: OnPhase) => Promise<Report>,
  isHandedBack: (error: unknown) => boolean = () => false,
): Promise<Report> {
  if (inForce === null) return await work(() => {});
  const span = inForce.begin(about);
  try {
    const report = await work((phase) => span.enter(phase));
    span.ended(report);
    return report;
  } catch (error) {
    if (isHandedBack(error)) span.handedBack();
    else span.failed(error);
    throw error;
  }
}
