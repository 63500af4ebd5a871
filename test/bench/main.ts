/** main: `npm run bench`. */
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { table } from '../../src/cli/output/table.ts';
import { DAY, measureDay } from './day.ts';
import { HISTORY, measureHistory } from './history.ts';
import { COSTS, costTable, measureUnitCosts } from './unitCosts.ts';
import { describeMachine } from './machine.ts';
import { measureCase } from './measure.ts';
import { aimsTable, failuresOf, feltTable, shortCostTable, type Table } from './page/tables.ts';
import { sentenceOf, titleOf } from './page/words.ts';
import { GROUPS, planOf, quickPlan } from './plan.ts';
import { type CaseResult, merge, VERSION } from './results.ts';
import { print, progress } from './say.ts';
import { readResults, writeResults } from './store.ts';

interface Options {
  readonly quick?: true;
  readonly only?: string;
  readonly render?: true;
  readonly out: string;
}

const DOCS = join(dirname(createRequire(import.meta.url).resolve('#root/package.json')), 'docs');

function show({ head, rows }: Table): void {
  if (rows.length > 0) print(`\n${table(head, rows)}`);
}

function showCase(one: CaseResult): void {
  print(`\n${titleOf(one)}: ${sentenceOf(one)}`);
  show(shortCostTable(one));
  show(feltTable(one));
  for (const sentence of failuresOf(one)) print(sentence);
}

async function quick(): Promise<void> {
  const measured: CaseResult[] = [];
  for (const one of quickPlan()) {
    measured.push(await measureCase(one));
    showCase(measured.at(-1) as CaseResult);
  }
  show(aimsTable(measured, null));
}

async function full(options: Options): Promise<void> {
  const machine = describeMachine();
  // What is measured now replaces what was; the rest of an earlier run stays only when a part was asked for.
  const earlier = options.only === undefined ? null : await readResults(options.out);
  const plan = planOf(options.only);
  let cases = earlier?.cases ?? [];
  let history = earlier?.history ?? null;
  let day = earlier?.day ?? null;
  // After each case: hours of measuring must not hang on the last one.
  const write = async () => await writeResults(options.out, { version: VERSION, machine, cases, history, day });
  for (const one of plan.cases) {
    const measured = await measureCase(one);
    cases = merge(cases, [measured]);
    showCase(measured);
    await write();
  }
  if (plan.history) {
    history = await measureHistory(HISTORY);
    await write();
  }
  if (plan.day) {
    day = await measureDay(DAY);
    await write();
  }
  if (plan.costs) show(costTable(await measureUnitCosts(COSTS)));
  show(aimsTable(cases, history, day));
  progress(`wrote ${join(options.out, 'benchmarks.md')}`);
}

async function render({ out }: Options): Promise<void> {
  const results = await readResults(out);
  if (results === null) throw new Error(`there are no results under ${out}; run "npm run bench" first`);
  await writeResults(out, results);
}

// Ending by `exit` lets the data be removed; servers and programs end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

await new Command('npm run bench --')
  .description(
    'Measures stalesweep beside its floor and beside what people write instead, and writes docs/benchmarks.md.',
  )
  .option('--quick', 'a look of a minute, on the terminal; writes nothing')
  .option(
    '--only <cases>',
    `measures these cases, and keeps what is known of the others: ${GROUPS.join(', ')}, or one by its id`,
  )
  .option('--render', 'writes the page anew from docs/benchmarks/results.json, without measuring')
  .option('--out <folder>', 'where the page goes', DOCS)
  .action(async (options: Options) => {
    try {
      await (options.render ? render(options) : options.quick ? quick() : full(options));
    } catch (error) {
      progress(error instanceof Error ? error.message : String(error));
      process.exitCode = 1;
    }
  })
  .parseAsync();
