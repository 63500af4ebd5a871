/** past: what earlier runs of a story saw, in the story's time. */
import type { Sighting, Sightings } from '../../../src/domain/sighting.ts';

/** Moved to where it lies seen from the server's clock. @param ahead what the story's time is ahead of that, in seconds */
export function shifted(past: Sightings, ahead: number): Sightings {
  return {
    async *earlier() {
      for await (const some of past.earlier()) {
        yield (function* (): Generator<Sighting> {
          for (const one of some) yield { ...one, beatAtSeconds: one.beatAtSeconds - ahead };
        })();
      }
    },
    see: (id, swarm, beatAtSeconds) => past.see(id, swarm, beatAtSeconds + ahead),
    keep: async (beside) => await past.keep(beside),
  };
}
