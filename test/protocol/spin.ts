/** spin: the model checker, which the Debian package of that name brings; what it writes is compiled and run. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODEL = fileURLToPath(new URL('sweep.pml', import.meta.url));
/** Several times what the longest histories need: a search that was cut off would say nothing. */
const MOST_STEPS = 10_000;
/** The table of states has two to this power of places: enough for 1.5 million states; a larger one takes longer to clear than to search. */
const TABLE_BITS = 22;

function call(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT')
        reject(new Error(`${program} was not found; install it: see workers/setup.mjs`));
      else reject(new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`));
    });
  });
}

/** What a search through all interleavings found. */
export interface Found {
  readonly errors: number;
  /** The assertion that fails; `null` where none does. */
  readonly assertion: string | null;
  readonly states: number;
}

/** Searches the model with these definitions, wholly or up to the first error. Fails when the search was not complete. */
export async function searchModel(...definitions: readonly string[]): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'stalesweep-spin-'));
  try {
    await call('spin', [...definitions.map((one) => `-D${one}`), '-a', MODEL], folder);
    // Most searches end within the time that a compiler would take to make them faster.
    await call('cc', ['-O0', '-w', '-DSAFETY', '-DMEMLIM=4096', '-o', 'pan', 'pan.c'], folder);
    const said = await call('./pan', [`-m${MOST_STEPS}`, `-w${TABLE_BITS}`], folder);
    const errors = /errors: (\d+)/.exec(said)?.[1];
    const isCutOff = /max search depth too small|out of memory|Search not completed/i.test(said);
    if (errors === undefined || (isCutOff && errors === '0')) throw new Error(`the search was not complete\n${said}`);
    return {
      errors: Number(errors),
      assertion: /assertion violated (.*) \(at depth/.exec(said)?.[1]?.trim() ?? null,
      states: Number(/(\d+) states, stored/.exec(said)?.[1] ?? 0),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
