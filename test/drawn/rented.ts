/** rented: drawn rounds by way of what a service lets through. */
import type { TestRedis } from '../support/redis.ts';
import { RentedRedis } from '../support/rented/proxy.ts';
import { SERVICES } from '../support/rented/services.ts';
import { groundOn } from './ground.ts';
import { round } from './round.ts';

/** Those that a run takes for one server: others are refused before it is looked at any closer. */
export const RENTED = Object.keys(SERVICES).filter(
  (name) => !/node of a cluster/.test(String(SERVICES[name]?.outcome)),
);

export interface Through {
  /** What was wrong in each round that was not as the promises say, with its seed. */
  readonly wrong: readonly string[];
  readonly went: number;
  /** How often each sentence refused a run. */
  readonly refused: Readonly<Record<string, number>>;
}

/** So many rounds, each with the next seed. */
export async function throughService(server: TestRedis, name: string, seed: number, rounds: number): Promise<Through> {
  const door = await RentedRedis.open(server.port, SERVICES[name]?.rule() ?? (() => 'pass'));
  const ground = await groundOn(server, door);
  const wrong: string[] = [];
  const refused: Record<string, number> = {};
  let went = 0;
  try {
    for (let n = seed; n < seed + rounds; n++) {
      const one = await round(ground, n);
      if (one.wrong.length > 0) wrong.push(`${name}: ${JSON.stringify(one.drawn)}: ${one.wrong.join('; ')}`);
      if (one.refused === null) went++;
      else refused[one.refused] = (refused[one.refused] ?? 0) + 1;
    }
  } finally {
    ground.leave();
    await door.close();
  }
  return { wrong, went, refused };
}

/** One sentence, without a script or a trace. */
export function isSentence(text: string): boolean {
  return /^[^\n]{1,400}$/.test(text) && !/user_script|traceback|redis\.call|[0-9a-f]{40}/.test(text);
}
