/** The library: `import { plan, sweep, defineSchema, beat, createProcessor } from 'stalesweep'`. Everything here is the public API: what
 * changes in it changes the version. Reads no environment, prints nothing, ends no process. */
export type { Ahead } from '../cleanup/guards/ahead.ts';
export type { Listed } from '../direct/listed.ts';
export { Failure, type FailureCode } from '../domain/failure.ts';
export type { Why } from '../domain/heartbeat.ts';
export type { Phase } from '../domain/phase.ts';
export type { CoordinatorCounts, KeyCounts, Outcome, Report, UnreadableGroup } from '../domain/report.ts';
export { beat, type BeatOptions, type Heart } from './beat.ts';
export type { RedisClient } from './client.ts';
export type { Duration, LedgerOptions, TargetOptions } from './options.ts';
export { createProcessor, type ProcessorData, type ProcessorJob, type ProcessorOptions } from './processor.ts';
export { defineSchema, type Schema, type SchemaInput } from './schema.ts';
export { type Following, plan, type PlanOptions, type Progress, sweep, type SweepOptions } from './sweep.ts';
