/** census: who was found to be stale, and who lives. Every question of ownership is answered here (P2). */
import type { Owner } from '../domain/template.ts';
import { heartbeatKeyOf, identify, type KeySchema } from '../domain/keySchema.ts';
import type { JudgedHeartbeat } from '../redis/sweep.ts';

export interface StaleHeartbeat extends JudgedHeartbeat {
  readonly owner: Owner;
}

/**
 * - `keep`: it could belong to an active or unreadable coordinator.
 * - `orphan`: none of its owners has a heartbeat.
 * - `go`: at least one owner is stale and none lives; with the proof that must travel with the removal.
 */
export type Verdict =
  | { readonly go: false; readonly orphan: boolean; readonly absent: readonly string[] }
  | { readonly go: true; readonly judged: readonly StaleHeartbeat[]; readonly absent: readonly string[] };

const KEEP: Verdict = { go: false, orphan: false, absent: [] };

export class Census {
  /** Stale heartbeats by coordinator id; one id may be stale in many swarms. */
  readonly stale = new Map<string, StaleHeartbeat[]>();
  /** Ids with a heartbeat that is not stale, in any swarm. */
  readonly #livingIds = new Set<string>();
  /** The heartbeat keys of those, and of all that were judged, where the id alone does not tell them. */
  readonly #livingKeys = new Set<string>();
  readonly #judgedKeys = new Set<string>();

  constructor(private readonly schema: KeySchema) {}

  /** Whether this heartbeat was judged before: SCAN may return a key twice. */
  knows(key: string, owner: Owner): boolean {
    if (!this.schema.heartbeatDerivable) return this.#judgedKeys.has(key);
    return this.stale.has(owner.coordinator) || this.#livingIds.has(owner.coordinator);
  }

  addStale(heartbeat: StaleHeartbeat): void {
    const others = this.stale.get(heartbeat.owner.coordinator);
    if (others) others.push(heartbeat);
    else this.stale.set(heartbeat.owner.coordinator, [heartbeat]);
    if (!this.schema.heartbeatDerivable) this.#judgedKeys.add(heartbeat.key);
  }

  addLiving(key: string, owner: Owner): void {
    this.#livingIds.add(owner.coordinator);
    if (this.schema.heartbeatDerivable) return;
    this.#livingKeys.add(key);
    this.#judgedKeys.add(key);
  }

  /** Whether this id has a living coordinator in any swarm. */
  lives(id: string): boolean {
    return this.#livingIds.has(id);
  }

  /** Whether this heartbeat still counts as stale. */
  holds(heartbeat: StaleHeartbeat): boolean {
    return this.stale.get(heartbeat.owner.coordinator)?.includes(heartbeat) ?? false;
  }

  /** A stale heartbeat holds another value now: its coordinator lives. */
  revive(heartbeat: StaleHeartbeat): void {
    this.forget([heartbeat]);
    this.addLiving(heartbeat.key, heartbeat.owner);
  }

  /** Stale heartbeats of one id are gone: nobody is left who could be swept, nor anybody who lives. */
  forget(heartbeats: readonly StaleHeartbeat[]): void {
    const id = heartbeats[0]?.owner.coordinator ?? '';
    const gone = new Set(heartbeats);
    const others = (this.stale.get(id) ?? []).filter((known) => !gone.has(known));
    if (others.length > 0) this.stale.set(id, others);
    else this.stale.delete(id);
  }

  /** A heartbeat exists that did not before. */
  born(key: string): void {
    const identity = identify(this.schema, key);
    if (identity?.heartbeat) this.addLiving(key, identity.owner);
  }

  /** What may happen to a key that could belong to any of these owners. */
  verdict(owners: readonly Owner[]): Verdict {
    const judged = new Set<StaleHeartbeat>();
    const absent = new Set<string>();
    for (const owner of owners) {
      const heartbeatKey = heartbeatKeyOf(this.schema, owner);
      if (this.#livesAs(owner, heartbeatKey)) return KEEP;
      const stale = this.stale.get(owner.coordinator) ?? [];
      const own = owner.swarm === null ? stale : stale.filter((known) => known.owner.swarm === owner.swarm);
      for (const heartbeat of own) judged.add(heartbeat);
      if (own.length === 0 && heartbeatKey !== null) absent.add(heartbeatKey);
    }
    if (judged.size === 0) return { go: false, orphan: true, absent: [...absent] };
    return { go: true, judged: [...judged], absent: [...absent] };
  }

  /** A key without a swarm in its name could belong to the id in any swarm; one with a swarm only to that one. */
  #livesAs(owner: Owner, heartbeatKey: string | null): boolean {
    if (owner.swarm === null || heartbeatKey === null) return this.#livingIds.has(owner.coordinator);
    return this.#livingKeys.has(heartbeatKey);
  }
}
