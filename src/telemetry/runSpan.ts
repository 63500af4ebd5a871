/** runSpan: one attempt of a run as a span, with a child for each of its phases. Counts and names of ours only: never an id of a
 * coordinator, nor a key. Loaded only where traces are made. */
import { context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { Failure, sentenceOf } from '../domain/failure.ts';
import type { Phase } from '../domain/phase.ts';
import type { Report, Trigger } from '../domain/report.ts';

/** One attempt of a run, as it begins. */
export interface TracedRun {
  readonly run: string;
  readonly target: string;
  readonly trigger: Trigger;
  readonly dryRun: boolean;
  /** From 1 on. */
  readonly attempt: number;
}

/** What our spans are made by, as collectors show it. */
export const TRACER = 'stalesweep';

export class RunSpan {
  #phase: { readonly name: Phase; readonly span: Span } | null = null;
  readonly #tracer = trace.getTracer(TRACER);
  readonly #inside;

  constructor(private readonly span: Span) {
    this.#inside = trace.setSpan(context.active(), span);
  }

  /** The phase before ends; to enter the one that is on changes nothing. */
  enter(name: Phase): void {
    if (this.#phase?.name === name) return;
    this.#phase?.span.end();
    this.#phase = { name, span: this.#tracer.startSpan(name, {}, this.#inside) };
  }

  /** The run came to its report. One that was refused or stopped is no error: it did what it should. */
  ended(report: Report): void {
    this.#end(numbersOf(report));
  }

  /** Another attempt goes on with it. */
  handedBack(): void {
    this.#end({ 'stalesweep.outcome': 'handed_back' });
  }

  failed(error: unknown): void {
    const type = error instanceof Failure ? error.code : error instanceof Error ? error.name : typeof error;
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: sentenceOf(error) });
    this.#end({ 'stalesweep.outcome': 'failed', 'error.type': type });
  }

  #end(attributes: Record<string, string | number>): void {
    this.#phase?.span.end();
    this.#phase = null;
    this.span.setAttributes(attributes).end();
  }
}

/** Begins the span of an attempt. */
export function beginRunSpan({ run, target, trigger, dryRun, attempt }: TracedRun): RunSpan {
  const attributes = {
    'stalesweep.run': run,
    'stalesweep.target': target,
    'stalesweep.trigger': trigger,
    'stalesweep.dry_run': dryRun,
    'stalesweep.attempt': attempt,
  };
  return new RunSpan(trace.getTracer(TRACER).startSpan('run', { attributes }));
}

/** What a report counts. */
function numbersOf({ outcome, pass, coordinators, keys, redis, chunks }: Report): Record<string, string | number> {
  const counted = { coordinators, keys, redis };
  const numbers = Object.entries(counted).flatMap(([of, counts]) =>
    Object.entries(counts as Readonly<Record<string, unknown>>).flatMap(([what, count]): [string, number][] =>
      typeof count === 'number' ? [[`stalesweep.${of}.${inSnakeCase(what)}`, count]] : [],
    ),
  );
  return {
    'stalesweep.outcome': outcome,
    'stalesweep.pass': pass,
    'stalesweep.chunks': chunks,
    ...Object.fromEntries(numbers),
  };
}

/** As attributes are written. */
function inSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
