/** listed: who goes in a run, or went, as programs are told: a line of `run --list --json`, or what the library hands out. */
import { textOf } from '../domain/nameText.ts';
import type { Removal } from '../domain/removal.ts';

/** One coordinator and what went with it, or in a dry run would. */
export interface Listed {
  /** Its id; one that is no UTF-8 as redis-cli prints it, in double quotes, with `\xff` for a byte. */
  readonly coordinator: string;
  /** `null` where heartbeats name no swarm. */
  readonly swarm: string | null;
  /** How long it had been silent when the run began, in whole seconds. */
  readonly silenceSeconds: number;
  /** Its things by family, its heartbeat included; `null` where Redis did not tell how many. */
  readonly keys: Readonly<Record<string, number | null>>;
}

/**
 * @param families the names of the families, in the order of all counts
 * @internal
 */
export function listedOf({ coordinator, swarm, silentSeconds, keys }: Removal, families: readonly string[]): Listed {
  return {
    coordinator: textOf(coordinator),
    swarm: swarm === null ? null : textOf(swarm),
    silenceSeconds: silentSeconds,
    keys: Object.fromEntries(families.map((family, i) => [family, keys[i] ?? null])),
  };
}
