/** leave: the door to `lua/leave.lua`, over whatever connection the coordinator has. */
import { loadScript, scriptRefusal } from './call/script.ts';

/** Sends one command; rejects with the error of Redis. */
export type Send = (command: string, ...args: (string | number | Buffer)[]) => Promise<unknown>;

/** Removes a heartbeat that is still as it was written; resolves to whether it was. */
export async function leave(send: Send, key: Buffer, value: string): Promise<boolean> {
  const { source } = loadScript('leave');
  try {
    return (await send('EVAL', source, 1, key, value)) === 1;
  } catch (error) {
    if (scriptRefusal(error) === null) throw error;
    // Who begins to beat under this id between the two loses one beat, and nothing else.
    const isMine = (await send('GET', key)) === value;
    return isMine && (await send('UNLINK', key)) === 1;
  }
}
