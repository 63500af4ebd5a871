/** queueSpans: from the addition of a run to its processing, as spans. Loaded only where traces are made.
 *
 * BullMQ would also make a span each time a worker looks for work, and lay whole reports, in which names of keys may stand, on its spans:
 * what is kept is the two ends of a run's way, and of them what says which run it was.
 */
import type { QueueOptions } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import { TRACER } from './runSpan.ts';

type Telemetry = NonNullable<QueueOptions['telemetry']>;
type Span = ReturnType<Telemetry['tracer']['startSpan']>;
type Attributes = Parameters<Span['setAttributes']>[0];

/** BullMQ's number for spans of its own affairs. */
const INTERNAL = 0;
const KEPT: ReadonlySet<string> = new Set([
  'bullmq.queue.name',
  'bullmq.queue.operation',
  'bullmq.job.name',
  'bullmq.job.id',
  'bullmq.job.attempts.made',
  'bullmq.worker.name',
]);

const UNSEEN: Span = {
  setSpanOnContext: (context: unknown) => context,
  setAttribute: () => {},
  setAttributes: () => {},
  addEvent: () => {},
  recordException: () => {},
  end: () => {},
};

function keptOf(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => KEPT.has(name)));
}

/** The span without what may tell of coordinators. */
function discreet(span: Span): Span {
  return {
    setSpanOnContext: (context: unknown) => span.setSpanOnContext(context),
    setAttribute: (name, value) => {
      if (KEPT.has(name)) span.setAttribute(name, value);
    },
    setAttributes: (attributes) => span.setAttributes(keptOf(attributes)),
    addEvent: (name) => span.addEvent(name),
    recordException: (exception, time) => span.recordException(exception, time),
    end: () => span.end(),
  };
}

/** What BullMQ's queues and workers take as `telemetry`. */
export function queueTelemetry(): Telemetry {
  const { tracer, contextManager } = new BullMQOtel({ tracerName: TRACER }) as Telemetry;
  return {
    contextManager,
    tracer: {
      startSpan: (name, options, context) =>
        options?.kind === INTERNAL ? UNSEEN : discreet(tracer.startSpan(name, options, context)),
    },
  };
}
