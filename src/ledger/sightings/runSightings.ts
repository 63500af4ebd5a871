/** run sightings: what one run takes from a target's sightings, and leaves in their place (P11).
 *  Owns      that no run's word gets lost: where another one has replaced them meanwhile, both are put together.
 *  Leaves    who is lapsed to the run, compression to `sightingsBlock`, Redis to `sightings`.
 */
import type { Sighting, Sightings as SightingsOfRun } from '../../domain/sighting.ts';
import { GivenBack } from './givenBack.ts';
import { joinSightings } from './joinSightings.ts';
import { type Sightings, SightingsReplaced } from './sightings.ts';
import { DamagedBlock, readBlock, SightingsBuilder } from './sightingsBlock.ts';

/** How often a run tries against others that end at the same moment. */
const ATTEMPTS = 4;

interface Bytes {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export interface RunSightingsOptions {
  /** What all of them together may take, in bytes. */
  readonly mostBytes: number;
  /** Whether they are only read. */
  readonly readOnly?: boolean;
  /** Told when not all could be kept, or what stood there was damaged. */
  readonly warn?: (sentence: string) => void;
}

export class RunSightings implements SightingsOfRun {
  readonly #builder: SightingsBuilder;
  /** That of what was read first; `undefined` before. */
  #version: string | null | undefined;
  /** Whether not all of it could be read, though it is not damaged. */
  #isCutOff = false;

  constructor(
    private readonly sightings: Sightings,
    private readonly options: RunSightingsOptions,
  ) {
    this.#builder = new SightingsBuilder(options.mostBytes);
  }

  async *earlier(): AsyncGenerator<Iterable<Sighting>, void, undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { version, damaged, fromOthers, blocks } = await this.sightings.load();
        if (this.#version === undefined) this.#version = version;
        if (damaged) this.options.warn?.('what earlier runs saw is damaged and not used; this run replaces it');
        // Before what was seen: who comes back later is so much the younger.
        const given =
          version === null && !fromOthers
            ? null
            : await GivenBack.in(this.sightings, (said) => this.options.warn?.(said));
        for await (const block of blocks()) {
          const some = await readBlock(block);
          yield given?.any || fromOthers ? marked(some, given, fromOthers) : some;
        }
        return;
      } catch (error) {
        // Read again from the start: whoever comes twice counts once.
        if (error instanceof SightingsReplaced && attempt < ATTEMPTS) continue;
        // Who was not read is not lost: in the end both are put together. What is damaged is replaced.
        if (!(error instanceof DamagedBlock)) {
          this.#version = null;
          this.#isCutOff = true;
        }
        throw error;
      }
    }
  }

  see(coordinator: Bytes, swarm: Bytes | null, beatAtSeconds: number): void {
    if (this.options.readOnly) return;
    const { bytes, from, to } = coordinator;
    this.#builder.add(bytes, from, to, swarm?.bytes ?? null, swarm?.from ?? 0, swarm?.to ?? 0, beatAtSeconds);
  }

  async keep(beside = false): Promise<void> {
    if (this.options.readOnly) return;
    // Who does not know who is left, or who was there, leaves it to the next run to take over what others saw.
    if ((beside || this.#isCutOff) && (await this.sightings.load()).fromOthers) return;
    let blocks = await this.#builder.finish();
    this.#tellOfLeftOut(this.#builder);
    // What stands there has none, so that both are put together.
    let version = beside ? null : (this.#version ?? null);
    for (let attempt = 1; !(await this.sightings.replace(blocks, version)); attempt++) {
      if (attempt >= ATTEMPTS) throw new Error('other runs of this target replace it again and again');
      const standing = await this.sightings.load();
      version = standing.version;
      const builder = new SightingsBuilder(this.options.mostBytes);
      try {
        blocks = await joinSightings(builder, blocks, standing.blocks());
        this.#tellOfLeftOut(builder);
      } catch (error) {
        // Replaced once more while it was read: the next try reads that.
        if (!(error instanceof SightingsReplaced)) throw error;
      }
    }
  }

  #tellOfLeftOut({ leftOut, count }: SightingsBuilder): void {
    if (leftOut === 0) return;
    this.options.warn?.(
      `${leftOut} of ${count} coordinators that beat do not fit "sightings"; should their heartbeats expire, what they leave is orphaned: set more`,
    );
  }
}

/** Who was given back and has not been seen since is told apart, or left out once nobody waits for it any more; so is who was seen by others. */
function* marked(
  some: Iterable<Sighting>,
  given: GivenBack | null,
  fromOthers: boolean,
): Generator<Sighting, void, undefined> {
  for (const sighting of some) {
    const standing = given?.standingOf(sighting.coordinator, sighting.beatAtSeconds) ?? 'no';
    if (standing === 'no') yield fromOthers ? { ...sighting, isByOthers: true } : sighting;
    else if (standing === 'living') yield { ...sighting, isGivenBack: true };
  }
}
