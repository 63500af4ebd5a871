/** files: what a test needs on disk, gone when it has ended. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished as ofCurrent } from './finished.ts';

/**
 * An empty folder of the test's own.
 * @param finished what a test's context offers, where several tests run at once
 */
export async function folder(finished = ofCurrent): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'stalesweep-files-'));
  finished(async () => {
    await rm(made, { recursive: true, force: true });
  });
  return made;
}

/** A configuration file with this text, for as long as such a folder. */
export async function configFile(text: string, finished = ofCurrent): Promise<string> {
  const name = join(await folder(finished), 'stalesweep.yaml');
  await writeFile(name, text);
  return name;
}
