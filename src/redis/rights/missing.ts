/** missing: what stands in the way of a run, in a sentence with the way out. */
import { CLUSTER } from '../connection/cluster.ts';
import { type Permissions, SCRIPT, type Untaken } from './permissions.ts';

/** A run can't end well here, so it does not begin: a user lacks permissions, or a server what a run needs. */
export class Refused extends Error {
  override readonly name = 'Refused';

  /** @param whose what the sentence is about: it goes on after "the user of …", or after "Redis at …" */
  constructor(
    readonly whose: 'user' | 'server',
    sentence: string,
  ) {
    super(sentence);
  }
}

export interface Missing {
  readonly whose: Refused['whose'];
  readonly what: string;
  readonly advice: string;
}

function grants(commands: readonly string[]): string {
  return commands.map((command) => `+${command}`).join(' ');
}
function named(commands: readonly string[]): string {
  return commands.join(', ').replaceAll('|', ' ').toUpperCase();
}

/** What stands in the way, and what to do about it; `null` when nothing is missing. What no grant helps against comes first. */
export function missingIn(permissions: Permissions): Missing | null {
  if (permissions.cluster !== null) {
    return { whose: 'server', what: `${CLUSTER.what} (${permissions.cluster})`, advice: CLUSTER.advice };
  }
  return missingOfServer(permissions) ?? missingOfUser(permissions);
}

/** The same where nobody needs to know what INFO says. */
export function makingDoWithoutInfo(permissions: Permissions): Permissions {
  return {
    ...permissions,
    refused: permissions.refused.filter((command) => command !== 'info'),
    untaken: permissions.untaken.filter(({ command }) => command !== 'info'),
  };
}

function missingOfServer({ untaken, withoutScripts, untakenOfTransaction }: Permissions): Missing | null {
  if (untaken.length > 0) {
    const commands = untaken.map(({ command }) => command);
    return { whose: 'server', what: notTaken(untaken), advice: adviceOn(commands) };
  }
  if (untakenOfTransaction.length === 0) return null;
  const what = `takes no scripts (${withoutScripts}), and ${notTaken(untakenOfTransaction)}`;
  return { whose: 'server', what, advice: 'a run needs one of the two, to prove and remove in one step' };
}

function notTaken(untaken: readonly Untaken[]): string {
  return `does not take ${named(untaken.map(({ command }) => command))} (${untaken[0]?.said})`;
}

function adviceOn(commands: readonly string[]): string {
  if (commands.every((command) => command.startsWith('object|'))) {
    return 'orphans are swept only where idle times are told: leave "orphans" empty';
  }
  if (commands.includes('unlink'))
    return 'things are removed by nothing else, since DEL blocks Redis: use a server that has it';
  return 'a run needs that: use a server that has it';
}

function missingOfUser({ refused, ofScript, ofTransaction }: Permissions): Missing | null {
  const stuck = ofTransaction.length > 0;
  const all = [...refused, ...(stuck ? ofScript : []), ...ofTransaction];
  if (all.length === 0) return null;
  const ways = ofScript.length > 0 ? `either ${grants(SCRIPT)} or ${grants(ofTransaction)}` : grants(ofTransaction);
  const advice = [...(refused.length > 0 ? [grants(refused)] : []), ...(stuck ? [ways] : [])].join(', and ');
  return { whose: 'user', what: `may not run ${all.join(', ').toUpperCase()}`, advice: `grant it ${advice}` };
}
