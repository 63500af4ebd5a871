/** demo: everything in one process on a Redis of its own, until a signal comes. */
import { runDemo } from '../../../workers/demo/runDemo.ts';
import { createLogger } from '../../log/logger.ts';
import { Exit } from '../command.ts';
import type { Command } from '../commander.ts';
import { demoConfigOf } from '../config.ts';
import { renderReport } from '../output/render.ts';
import { fit } from '../output/wrap.ts';
import { onRedis } from '../target.ts';

/** Resolves never: ends in `Exit`, with the code to end with, once a signal came. */
export async function demo({ port }: { port?: string }, command: Command): Promise<void> {
  const config = demoConfigOf(command);
  const logger = createLogger(config.process.logLevel);
  const portIsChosen = port !== undefined || Boolean(process.env.STALESWEEP_PORT);
  const say = (text: string) =>
    console.log(
      text
        .split('\n')
        .map((line) => fit(line, '  '))
        .join('\n'),
    );
  throw new Exit(await runDemo(config, logger, { portIsChosen, say, render: renderReport, onRedis }));
}
