/** kept pages: pages that were read lately, as they were read: of every chain the newest is asked for again and again, and to
 * read one takes ten times as long as to search it. */

/** So many characters are kept, in bytes: the newest pages of 50 targets. */
const MOST_BYTES = 32 * 1024 * 1024;

interface Kept {
  readonly atMs: number;
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** Those read last, within a bound. */
export class KeptPages {
  /** By name; what was asked for last comes last. */
  readonly #pages = new Map<string, Kept>();
  #bytes = 0;

  /** @param mostBytes what all lines together may take @default 32 MB */
  constructor(private readonly mostBytes = MOST_BYTES) {}

  /**
   * The lines of a page, the oldest first; `undefined` where they are not kept, or are not those of that instant.
   * @param atMs that of the last run in it: each that is added has a later one
   */
  get(name: string, atMs: number): readonly string[] | undefined {
    const kept = this.#pages.get(name);
    if (kept?.atMs !== atMs) return undefined;
    this.#pages.delete(name);
    this.#pages.set(name, kept);
    return kept.lines;
  }

  /** Keeps them, instead of those that were kept of this page, and of others what was asked for longest ago. */
  keep(name: string, atMs: number, lines: readonly string[]): void {
    this.#drop(name);
    const bytes = lines.reduce((sum, line) => sum + line.length, 0);
    this.#pages.set(name, { atMs, lines, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= this.mostBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    this.#bytes -= this.#pages.get(name)?.bytes ?? 0;
    this.#pages.delete(name);
  }
}
