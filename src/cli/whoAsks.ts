/** who asks: whoever sits at this terminal, as the ledger notes it. */
import { hostname, userInfo } from 'node:os';

/** As far as the system knows; `null` where it knows nobody. */
export function whoAsks(): string | null {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return null;
  }
}
