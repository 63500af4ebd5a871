/** tracing: the traces of a command that ends when it has said what it found. */
import { sentenceOf } from '../domain/failure.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { say } from './output/say.ts';

/** How long a command that is done waits for a collector, in ms. */
const PATIENCE_MS = 2_000;

/** Does the work, traced where the environment asks for it; whatever becomes of the traces is one line on stderr at most. */
export async function withTracing<T>(work: () => Promise<T>): Promise<T> {
  let isTold = false;
  const tell = (sentence: string): void => {
    if (!isTold) say(sentence);
    isTold = true;
  };
  const watch = {
    warn: tell,
    failed: (error: Error) => tell(`not all traces could be sent: ${sentenceOf(error)}`),
    restored: () => {},
  };
  const tracing = await startTracing(process.env, watch, PATIENCE_MS);
  try {
    return await work();
  } finally {
    await tracing.close();
  }
}
