/** measure: all trials of a case.
 *
 * Contenders take turns (A B C, A B C, …), so that a machine that gets slower meanwhile is as slow for all of them.
 */
import type { Case, Contender } from './cases.ts';
import { createDataset, type Dataset } from './dataset.ts';
import { commitNow, describeMachine, loadNow } from './machine.ts';
import { Program } from './program.ts';
import type { CaseResult, ContenderResult, Cost, Felt } from './results.ts';
import { progress } from './say.ts';
import { measureCost, measureFelt, type Setting } from './trial.ts';

/** The trials of one contender. */
class Trials {
  readonly #costs: Cost[] = [];
  readonly #felt: Felt[] = [];
  #failed: string | null = null;
  #warm: Program | undefined;

  constructor(
    private readonly plan: Case,
    private readonly dataset: Dataset,
    private readonly contender: Contender,
  ) {}

  /** The next trial of either kind, if one is due. A contender that fails has no more. */
  async next(): Promise<void> {
    const { costs, felt, id } = this.contender;
    try {
      if (this.#failed === null && this.#costs.length < costs) {
        const cost = await this.#inProcess(async (setting) => await measureCost(setting));
        this.#costs.push(cost);
        progress(`${this.plan.id}: ${id} took ${(cost.wallMs / 1000).toFixed(2)} s`);
      }
      if (this.#failed === null && this.#felt.length < felt) {
        this.#felt.push(await this.#inProcess(async (setting) => await measureFelt(setting)));
      }
    } catch (error) {
      this.#failed = error instanceof Error ? error.message : String(error);
      progress(`${this.plan.id}: ${id} failed: ${this.#failed}`);
    }
  }

  async stop(): Promise<void> {
    await this.#warm?.stop();
  }

  get result(): ContenderResult {
    const last = this.#felt.length - 1;
    const felt = this.#felt.map((one, i) => (i === last ? one : { ...one, series: [] }));
    return { id: this.contender.id, costs: this.#costs, felt, failed: this.#failed };
  }

  async #inProcess<T>(measure: (setting: Setting) => Promise<T>): Promise<T> {
    const { plan, dataset, contender } = this;
    const { way, hasReplica = false } = plan;
    const settingOf = (program: Program): Setting => ({ sample: plan, way, hasReplica, dataset, contender, program });
    if (contender.warmUps > 0) {
      if (this.#warm === undefined) {
        this.#warm = new Program(contender.program);
        for (let run = 0; run < contender.warmUps; run++) await measureCost(settingOf(this.#warm));
      }
      return await measure(settingOf(this.#warm));
    }
    const program = new Program(contender.program);
    try {
      return await measure(settingOf(program));
    } finally {
      await program.stop();
    }
  }
}

/** Measures a case; what fails is noted in its results. */
export async function measureCase(plan: Case): Promise<CaseResult> {
  const { id, group: _, hasReplica: __, contenders, ...sample } = plan;
  const load = loadNow();
  progress(`${id}: writing the data; the machine's load is ${load}`);
  const dataset = await createDataset(plan, plan.primaries);
  const all = contenders.map((contender) => new Trials(plan, dataset, contender));
  try {
    const repetitions = Math.max(...contenders.map(({ costs, felt }) => Math.max(costs, felt)));
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      progress(`${id}: repetition ${repetition} of ${repetitions}`);
      for (const trials of all) await trials.next();
    }
    const results = all.map(({ result }) => result);
    const measuredAt = new Date().toISOString();
    const { cpu } = describeMachine();
    return { id, measuredAt, commit: commitNow(), cpu, load, ...sample, keys: dataset.keys, contenders: results };
  } finally {
    for (const trials of all) await trials.stop();
    dataset.remove();
  }
}
