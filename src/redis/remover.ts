/** remover: removes chunks by script, or, where scripts are refused, by transaction, for the rest of a run. */
import type { KeySchema } from '../schema/keySchema.ts';
import type { Strategy } from '../domain/report.ts';
import type { Calls } from './calls.ts';
import { type OrphanChunk, type OrphanResult, sweepOrphans } from './orphans.ts';
import { askPermissions, missingIn, Refused } from './permissions.ts';
import { scriptRefusal } from './script.ts';
import { MOST_KEYS, type SweepChunk, type SweepResult, sweep } from './sweep.ts';
import { MOST_KEYS_WATCHED, Transactions } from './transaction.ts';

export class Remover {
  #transactions: Transactions | null = null;

  /** @param warn told once when the run has to go on without scripts */
  constructor(
    private readonly calls: Calls,
    private readonly warn: (sentence: string) => void = () => {},
  ) {}

  get strategy(): Strategy {
    return this.#transactions === null ? 'script' : 'transaction';
  }

  /** The most keys a chunk should hold. */
  get mostKeys(): number {
    return this.#transactions === null ? MOST_KEYS : MOST_KEYS_WATCHED;
  }

  /**
   * Before anything else is under way: finds the strategy, and throws `Refused`, naming what is missing, when the user may
   * not do what the run needs. Keys it may not touch show only when a call names them.
   */
  async prepare(schema: KeySchema, dryRun: boolean): Promise<void> {
    const permissions = await askPermissions(this.calls, schema, dryRun);
    // Whether a run can do without INFO is not for Redis to say.
    const refused = permissions.refused.filter((command) => command !== 'info');
    const missing = missingIn({ ...permissions, refused });
    if (missing !== null) throw new Refused(`${missing.what}; ${missing.advice}`);
    if (permissions.withoutScripts !== null) this.#fallBack(permissions.withoutScripts);
  }

  /** Removes a chunk's keys if each heartbeat is as it was judged; otherwise removes nothing and says which are not. */
  async sweep(chunk: SweepChunk): Promise<SweepResult> {
    return await this.#remove(
      () => sweep(this.calls, chunk),
      (transactions) => transactions.sweep(chunk),
    );
  }

  /** Removes those orphans that are idle; removes nothing, and says which, when one of the heartbeats exists. */
  async sweepOrphans(chunk: OrphanChunk): Promise<OrphanResult> {
    return await this.#remove(
      () => sweepOrphans(this.calls, chunk),
      (transactions) => transactions.sweepOrphans(chunk),
    );
  }

  async #remove<T>(byScript: () => Promise<T>, byTransaction: (transactions: Transactions) => Promise<T>): Promise<T> {
    if (this.#transactions === null) {
      try {
        return await byScript();
      } catch (error) {
        // An ACL may change on the way. The refused call has done nothing.
        const refusal = scriptRefusal(error);
        if (refusal === null) throw error;
        return await byTransaction(this.#fallBack(refusal));
      }
    }
    return await byTransaction(this.#transactions);
  }

  #fallBack(refusal: string): Transactions {
    if (this.#transactions === null) {
      this.warn(`no scripts here (${refusal}): the run goes on by transaction, with WATCH and MULTI`);
      this.#transactions = new Transactions(this.calls);
    }
    return this.#transactions;
  }
}
