/** reach: which targets do not answer just now. */
import type { TargetConfig } from '../config/resolve.ts';
import { sentenceOf } from '../domain/failure.ts';
import type { Unreachable } from './status.ts';

/** Asks all targets at once. `ask` is to settle within seconds; whoever answers that it may not be asked is there. */
export async function unreachableAmong(
  targets: ReadonlyMap<string, TargetConfig>,
  ask: (target: TargetConfig) => Promise<unknown>,
): Promise<Unreachable> {
  const unreachable = new Map<string, string>();
  await Promise.all(
    [...targets.values()].map(async (target) => {
      try {
        await ask(target);
      } catch (error) {
        const why = sentenceOf(error);
        if (!why.startsWith('NOPERM')) unreachable.set(target.name, why);
      }
    }),
  );
  return unreachable;
}
