/** told: somebody stale as whoever keeps a record is told of it. One object stands for one after the other: a run tells of hundreds of
 *  thousands, twice, and objects of their own would take it longer than all else about the record.
 */
import type { Condemned } from '../../domain/removal.ts';
import { silentSeconds } from '../../domain/heartbeat.ts';
import { type Beat, BeatState, NO_BEAT } from '../../store/records.ts';
import { Scratch } from '../../store/scratch.ts';
import type { RunContext } from '../context.ts';
import { namesToGo } from '../scan/left.ts';

const NOTHING = new Uint8Array(0);

/** Who it is; all of it holds until it is turned to the next one. */
export class Told {
  coordinator: Uint8Array = NOTHING;
  swarm: Uint8Array | null = null;
  beatAtSeconds = 0;
  silentSeconds = 0;
  lapsed = false;
  protected beat: Beat = NO_BEAT;
  readonly #id = new Scratch();
  readonly #swarm = new Scratch();

  constructor(protected readonly run: RunContext) {}

  /** Turns to another one. */
  protected turnTo(beat: Beat): void {
    const { store, schema, node } = this.run;
    const { bytes, from, to } = store.nameOf(store.ownerOf(beat));
    this.beat = beat;
    this.coordinator = this.#id.put(bytes, from, to);
    if (!schema.heartbeatDerivable) {
      const swarm = store.swarmOf(beat);
      this.swarm = this.#swarm.put(swarm.bytes, swarm.from, swarm.to);
    }
    this.beatAtSeconds = store.beatAtSecondsOf(beat);
    this.silentSeconds = silentSeconds(this.beatAtSeconds * 1000, node.clock);
    this.lapsed = store.stateOf(beat) === BeatState.lapsed;
  }
}

class CondemnedBeat extends Told implements Condemned {
  *each(beats: readonly Beat[]): Generator<Condemned> {
    for (const beat of beats) {
      this.turnTo(beat);
      yield this;
    }
  }

  names(): Iterable<Uint8Array> {
    return namesToGo(this.run, this.beat);
  }
}

/** Those who are about to go, one after the other. */
export function condemnedOf(run: RunContext, beats: readonly Beat[]): Iterable<Condemned> {
  return new CondemnedBeat(run).each(beats);
}
