/** answerCode: the word by which Redis says for programs why it refused a command, wherever that was called. */

/** A transaction answers for the command that was refused in it; a ready check puts words around it, and before 7.0 each script. */
const AROUND = /^(?:EXECABORT [^:]*: |Ready check failed: |ERR [^:]*: )?(?:@user_script: ?\d+: )*-?/;
const CODE = /^[A-Z]+\b/;

/** What the refused command itself answered. */
export function answerOf({ message }: Error): string {
  return message.replace(AROUND, '');
}

/** As `OOM`, `MOVED` or `ERR`; `null` where an error has none. */
export function answerCodeOf(error: unknown): string | null {
  return (error instanceof Error && CODE.exec(answerOf(error))?.[0]) || null;
}

/** Whether it refused for want of memory what could take more. */
export function isForMemory(error: unknown): boolean {
  return answerCodeOf(error) === 'OOM';
}

/** Whether it says that the slot of a key is another node's by now, or on its way there; nothing was done then, or by a script not all. */
export function isElsewhere(error: unknown): boolean {
  const code = answerCodeOf(error);
  return code === 'MOVED' || code === 'ASK' || (code === 'ERR' && /a non local key in a cluster/.test(String(error)));
}
