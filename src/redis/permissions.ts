/** permissions: what the user of a target must be allowed, for each way a run can go, and what it is refused.
 *  Promises  asking writes nothing: what it removes to see whether it may is a key that can't exist.
 */
import { randomUUID } from 'node:crypto';
import type { KeySchema } from '../schema/keySchema.ts';
import { globOf, patternsOf } from '../schema/glob.ts';
import { derive, type Template } from '../schema/template.ts';
import { mayHaveBeenDone } from './call/lost.ts';
import type { Order, Reply } from './call/wire.ts';
import type { Calls } from './calls.ts';
import { scriptRefusal } from './script.ts';
import { askWhetherScriptsRun } from './sweep.ts';
import { unreadyIn } from './unready.ts';

/** How a run goes: a dry one only reads; a real one removes by script, or without them by transaction. */
export const WAYS = ['script', 'transaction', 'dry run'] as const;
export type Way = (typeof WAYS)[number];

const READING = ['info', 'time', 'scan', 'mget', 'exists'];
const SCRIPT = ['eval', 'evalsha'];
const TRANSACTION = ['watch', 'multi', 'exec', 'discard'];

/** The commands a run needs, as ACLs name them; without `pttl` it takes heartbeats to expire. */
const commandsFor = (schema: KeySchema, way: Way): readonly string[] => [
  ...READING,
  'pttl',
  ...(schema.orphanFamilies.size > 0 ? ['object|idletime'] : []),
  ...(way === 'dry run' ? [] : ['unlink']),
  ...(way === 'script' ? SCRIPT : way === 'transaction' ? TRANSACTION : []),
];

const templatesOf = (schema: KeySchema): readonly Template[] => [
  schema.heartbeat,
  ...schema.templates.map(({ template }) => template),
];

/** The patterns of all keys of a schema. */
export const patternsIn = (schema: KeySchema): readonly string[] => patternsOf(templatesOf(schema));

/** The smallest ACL line that lets a run of this target go this way. */
export const aclLine = ({ url, schema }: { readonly url: string; readonly schema: KeySchema }, way: Way): string => {
  const patterns = patternsIn(schema).map((pattern) => `~${pattern}`);
  const select = Number(new URL(url).pathname.slice(1)) > 0 ? ['select'] : [];
  const commands = [...select, ...commandsFor(schema, way)].map((command) => `+${command}`);
  return ['ACL SETUSER stalesweep on >secret', ...patterns, ...commands].join(' ');
};

/** The command that Redis says the user may not run, as ACLs name it; `null` for every other error. */
export const refusedCommandIn = (error: unknown): string | null =>
  error instanceof Error ? (/NOPERM.*?'([a-z|]+)' command/i.exec(error.message)?.[1]?.toLowerCase() ?? null) : null;

/** A user lacks permissions without which the run can't end well. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

export interface Permissions {
  /** Refused commands that a run needs whichever way it goes. */
  readonly refused: readonly string[];
  /** Why scripts can't be called; `null` when they can. */
  readonly withoutScripts: string | null;
  /** The refused command that scripts are called by, if it is for this user only. */
  readonly ofScript: readonly string[];
  /** What Redis answered where it could not serve at all at the moment; `null` when it could. Then nothing else here is sure. */
  readonly unready: Error | null;
  /** Refused commands of a transaction; empty when that was not asked, since scripts can be called. */
  readonly ofTransaction: readonly string[];
}

const refusedAmong = (replies: readonly (Reply | Error)[]): readonly string[] => [
  ...new Set(replies.flatMap((reply) => refusedCommandIn(reply) ?? [])),
];

/** The first of these that came from no Redis that looked at the command: it is not ready, or not there. */
const unreadyAmong = (replies: readonly (Reply | Error | null)[]): Error | null =>
  replies.find((reply): reply is Error => unreadyIn(reply) !== null || mayHaveBeenDone(reply)) ?? null;

/** Made-up keys, one of each template; no coordinator has them. */
const nobodysKeys = (schema: KeySchema): readonly string[] => {
  const nobody = { coordinator: randomUUID(), swarm: randomUUID() };
  return templatesOf(schema).map((template) =>
    derive(
      {
        ...template,
        tokens: template.tokens.map((token) => (token.kind === 'star' ? { kind: 'literal', text: '0' } : token)),
      },
      nobody,
    ),
  );
};

/**
 * Asks Redis what the user may do. Only whole commands count: whether a made-up key may be touched says nothing about
 * the real ones, since patterns may be narrower than the schema. The connection must be nobody else's meanwhile.
 */
export const askPermissions = async (calls: Calls, schema: KeySchema, dryRun: boolean): Promise<Permissions> => {
  const [nobody = ''] = nobodysKeys(schema);
  const { replies } = await calls.sendTogether([
    ['info', []],
    ['time', []],
    ['scan', ['0', 'MATCH', nobody, 'COUNT', 1]],
    ['mget', [nobody]],
    ['exists', [nobody]],
    ...(schema.orphanFamilies.size > 0 ? [['object', ['IDLETIME', nobody]] as const] : []),
    ...(dryRun ? [] : [['unlink', [nobody]] as const]),
  ]);
  const refused = refusedAmong(replies);
  const answer = dryRun ? null : await askWhetherScriptsRun(calls);
  const withoutScripts = scriptRefusal(answer);
  const ofScript = withoutScripts === null ? [] : [refusedCommandIn(answer) ?? []].flat();
  // EXEC stands after DISCARD: whichever is refused, the other ends the transaction.
  const transaction: readonly Order[] = [
    ['watch', [nobody]],
    ['multi', []],
    ['discard', []],
    ['exec', []],
  ];
  const answers = withoutScripts === null ? [] : (await calls.sendTogether(transaction)).replies;
  const ofTransaction = refusedAmong(answers);
  return {
    refused,
    withoutScripts,
    ofScript,
    ofTransaction: TRANSACTION.filter((one) => ofTransaction.includes(one)),
    unready: unreadyAmong([...replies, answer, ...answers]),
  };
};

const grants = (commands: readonly string[]): string => commands.map((command) => `+${command}`).join(' ');

/** What stands in the way of a user, and what to grant it; `null` when nothing is missing. */
export const missingIn = (permissions: Permissions): { readonly what: string; readonly advice: string } | null => {
  const { refused, ofScript, ofTransaction } = permissions;
  const stuck = ofTransaction.length > 0;
  const all = [...refused, ...(stuck ? ofScript : []), ...ofTransaction];
  if (all.length === 0) return null;
  const ways = ofScript.length > 0 ? `either ${grants(SCRIPT)} or ${grants(ofTransaction)}` : grants(ofTransaction);
  const advice = [...(refused.length > 0 ? [grants(refused)] : []), ...(stuck ? [ways] : [])].join(', and ');
  return { what: `may not run ${all.join(', ').toUpperCase()}`, advice: `grant it ${advice}` };
};

/** Patterns of the schema of which the user may not even touch a made-up key. */
export const refusedPatterns = async (calls: Calls, schema: KeySchema): Promise<readonly string[]> => {
  const keys = nobodysKeys(schema);
  const { replies } = await calls.sendTogether(keys.map((key) => ['exists', [key]] as const));
  const denied = (reply: unknown) => reply instanceof Error && isKeyRefusal(reply);
  const globs = templatesOf(schema).filter((_, i) => denied(replies[i]));
  const refused = new Set(globs.map(globOf));
  return patternsIn(schema).filter((pattern) => refused.has(pattern));
};

/** Whether Redis refused a key rather than a command. */
export const isKeyRefusal = (error: Error): boolean =>
  refusedCommandIn(error) === null && /NOPERM.*(?:key|access)/i.test(error.message);
