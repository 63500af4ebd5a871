/** store: the results on disk, and the page and plots beside them. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plottedCase, renderPage } from './page/page.ts';
import { pingsPlot, timePlot } from './page/plots.ts';
import type { Results } from './results.ts';

const fileOf = (folder: string): string => join(folder, 'benchmarks', 'results.json');

/** The results kept under this folder; `null` when there are none. */
export const readResults = async (folder: string): Promise<Results | null> => {
  if (!existsSync(fileOf(folder))) return null;
  const kept = JSON.parse(await readFile(fileOf(folder), 'utf8')) as Omit<Results, 'history'> & Partial<Results>;
  return { history: null, ...kept };
};

/** Writes results, page and plots: `<folder>/benchmarks.md` and `<folder>/benchmarks/`. */
export const writeResults = async (folder: string, results: Results): Promise<void> => {
  const beside = join(folder, 'benchmarks');
  await mkdir(beside, { recursive: true });
  await writeFile(fileOf(folder), `${JSON.stringify(results)}\n`);
  await writeFile(join(beside, 'time.svg'), timePlot(results.cases));
  const plotted = plottedCase(results.cases);
  if (plotted) await writeFile(join(beside, 'pings.svg'), pingsPlot(plotted));
  await writeFile(join(folder, 'benchmarks.md'), renderPage(results));
};
