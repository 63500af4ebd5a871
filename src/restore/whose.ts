/** whose: tells the ledger whose things are about to be given back, so that no run takes them again for what was seen of these before (P11).
 *  Owns      who that is: who was asked for, and of all others who could own one of the things those who stand in the target's sightings.
 */
import { noteGivenBack } from '../ledger/sightings/givenBack.ts';
import { type Sightings, SightingsReplaced } from '../ledger/sightings/sightings.ts';
import { readBlock } from '../ledger/sightings/sightingsBlock.ts';
import { ANY_SEGMENTS, KeyReader } from '../schema/keyReader.ts';
import type { KeySchema } from '../schema/keySchema.ts';
import { Fingerprinter } from '../store/fingerprints.ts';
import { FingerprintSet } from '../store/fingerprintTables.ts';
import type { Trashed } from '../redis/trash/names.ts';

const ATTEMPTS = 4;

export class Whose {
  readonly #prints = new Fingerprinter();
  readonly #reader: KeyReader;
  #seen: FingerprintSet | null = null;

  /** @param asked who was asked for; `null`: all of a run */
  constructor(
    private readonly sightings: Sightings,
    schema: KeySchema,
    private readonly asked: Uint8Array | null,
  ) {
    this.#reader = new KeyReader(schema, true);
  }

  /** To be told before these come back; resolves to how many ids had no room. Rejects with the error of Redis. */
  async note(things: readonly Pick<Trashed, 'name' | 'second'>[]): Promise<number> {
    this.#seen ??= await this.#everybody();
    const ids = new Map<string, number>();
    const add = (id: string, second: number) => ids.set(id, Math.max(second, ids.get(id) ?? 0));
    for (const { name, second } of things) {
      if (this.asked !== null) add(Buffer.from(this.asked).toString('latin1'), second);
      if (this.#seen.size > 0) this.#ownersOf(name, (from, to) => add(name.toString('latin1', from, to), second));
    }
    return ids.size === 0 ? 0 : await noteGivenBack(this.sightings, ids);
  }

  #ownersOf(name: Buffer, found: (from: number, to: number) => void): void {
    const reader = this.#reader;
    const prints = this.#prints;
    const see = (from: number, to: number) => {
      prints.take(name, from, to);
      if (this.#seen?.has(prints.high, prints.low)) found(from, to);
    };
    if (reader.read(name) === 'heartbeat') see(reader.idFrom, reader.idTo);
    else {
      reader.owners(name, ANY_SEGMENTS, ({ idFrom, idTo }) => {
        see(idFrom, idTo);
        return false;
      });
    }
  }

  /** The ids of all who were seen; 11 bytes each. */
  async #everybody(): Promise<FingerprintSet> {
    const prints = this.#prints;
    const seen = new FingerprintSet();
    for (let attempt = 1; ; attempt++) {
      const { blocks } = await this.sightings.load();
      try {
        for await (const block of blocks()) {
          for (const { coordinator } of await readBlock(block)) {
            prints.take(coordinator, 0, coordinator.length);
            seen.add(prints.high, prints.low);
          }
        }
        return seen;
      } catch (error) {
        if (!(error instanceof SightingsReplaced) || attempt >= ATTEMPTS) throw error;
      }
    }
  }
}
