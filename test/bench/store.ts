/** store: the results on disk, and the page and plots beside them. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plottedCase, renderPage } from './page/page.ts';
import { pingsPlot, timePlot } from './page/plots.ts';
import { type Results, VERSION } from './results.ts';

function fileOf(folder: string): string {
  return join(folder, 'benchmarks', 'results.json');
}

/** The results kept under this folder; `null` when there are none, or of data as they are no longer measured. */
export async function readResults(folder: string): Promise<Results | null> {
  if (!existsSync(fileOf(folder))) return null;
  const kept = JSON.parse(await readFile(fileOf(folder), 'utf8')) as { readonly version: number };
  return kept.version === VERSION ? (kept as Results) : null;
}

/** Writes results, page and plots: `<folder>/benchmarks.md` and `<folder>/benchmarks/`. */
export async function writeResults(folder: string, results: Results): Promise<void> {
  const beside = join(folder, 'benchmarks');
  await mkdir(beside, { recursive: true });
  await writeFile(fileOf(folder), `${JSON.stringify(results)}\n`);
  const plot = timePlot(results.cases);
  if (plot !== null) await writeFile(join(beside, 'time.svg'), plot);
  const plotted = plottedCase(results.cases);
  if (plotted) await writeFile(join(beside, 'pings.svg'), pingsPlot(plotted));
  await writeFile(join(folder, 'benchmarks.md'), renderPage(results));
}
