/** permissions: what the user of a target must be allowed, for each way a run can go, and what it is refused.
 *  Promises  asking writes nothing: what it removes to see whether it may is a key that can't exist.
 */
import { deploymentOf } from '../../config/values/deployment.ts';
import { randomUUID } from 'node:crypto';
import type { KeySchema } from '../../schema/keySchema.ts';
import { globOf, patternsOf, walkedGlobs } from '../../schema/glob.ts';
import { derive, type Template } from '../../schema/template.ts';
import { type Besides, needsBesides, questionsBesides, readingOfPart } from './besides.ts';
import { mayHaveBeenDone } from '../call/lost.ts';
import type { Order, Reply } from '../call/wire.ts';
import type { Calls } from '../call/calls.ts';
import { clusterAnswerIn } from '../connection/cluster.ts';
import { isKeyRefusal, isUntaken, refusedCommandIn, saidIn } from './refusals.ts';
import { isTooLarge } from './tooLarge.ts';
import { scriptRefusal } from '../call/script.ts';
import { askWhetherScriptsRun } from '../sweep.ts';
import { unreadyIn } from '../connection/unready.ts';

/** How a run goes: a dry one only reads; a real one removes by script, or without them by transaction. */
export const WAYS = ['script', 'transaction', 'dry run'] as const;
export type Way = (typeof WAYS)[number];

const READING = ['info', 'time', 'scan', 'mget', 'exists'];
/** The commands by which scripts are called, as ACLs name them. */
export const SCRIPT = ['eval', 'evalsha'];
const TRANSACTION = ['watch', 'multi', 'exec', 'discard'];

/** To tell how long a key has been idle, and whether that says something of this key. */
const IDLE = ['object|idletime', 'object|refcount'];

/** What a run is to do, as far as that asks for permissions. */
interface Wanted extends Besides {
  readonly schema: KeySchema;
}

/**
 * The commands a run needs, as ACLs name them. It makes do without `pttl`, and takes heartbeats to expire; and, where no orphans
 * are swept, without `object`: then it looks for newcomers by another pass. A dry run makes do without `memory|usage`, and then
 * does not tell what would be freed.
 */
function commandsFor({ schema, ...besides }: Wanted, way: Way): readonly string[] {
  return [
    ...READING,
    'pttl',
    ...(schema.orphanFamilies.size > 0 || way !== 'dry run' ? IDLE : []),
    ...(way === 'dry run'
      ? ['memory|usage', ...readingOfPart(besides)]
      : ['unlink', ...needsBesides(besides).commands]),
    ...(way === 'script' ? SCRIPT : way === 'transaction' ? TRANSACTION : []),
  ];
}

function templatesOf(schema: KeySchema): readonly Template[] {
  return [schema.heartbeat, ...schema.templates.map(({ template }) => template)];
}

/** The patterns of all keys of a schema. */
export function patternsIn(schema: KeySchema): readonly string[] {
  return patternsOf(templatesOf(schema));
}

/** The patterns of all keys that a real run touches. */
export function patternsFor({ schema, ...besides }: Wanted): readonly string[] {
  return [...new Set([...patternsIn(schema), ...needsBesides(besides).patterns])];
}

/** The first version whose users are allowed channels one by one; before, they may use all of them, and `&` is an error. */
const CHANNELS_SINCE = 6.2;

/** The first version in which fields of a hash have times to live; before, the commands are not known, and an error. */
const FIELDS_EXPIRE_SINCE = 7.4;
/** In a cluster, for fields that go back into a hash that was begun anew; without them they come back to stay. */
const OF_FIELDS = ['hpexpiretime', 'hpexpireat'];

/**
 * The smallest ACL line that lets a run of this target go this way.
 * @param version what the server says it is; left out, or not a number: one of today
 */
export function aclLine({ url, ...wanted }: Wanted & { readonly url: string }, way: Way, version = ''): string {
  const keys = way === 'dry run' ? patternsIn(wanted.schema) : patternsFor(wanted);
  const since = Number.parseFloat(version);
  const channels = way === 'dry run' || since < CHANNELS_SINCE ? [] : needsBesides(wanted).channels;
  const ofFields = way !== 'dry run' && wanted.part !== undefined && since >= FIELDS_EXPIRE_SINCE ? OF_FIELDS : [];
  const patterns = [...keys.map((pattern) => `~${pattern}`), ...channels.map((channel) => `&${channel}`)];
  const select = deploymentOf(url)?.kind === 'single' && Number(new URL(url).pathname.slice(1)) > 0 ? ['select'] : [];
  const commands = [...new Set([...select, ...commandsFor(wanted, way), ...ofFields])].map((command) => `+${command}`);
  return ['ACL SETUSER stalesweep on >secret', ...patterns, ...commands].join(' ');
}

/**
 * Made-up keys, one of each template; no coordinator has them.
 * @param part a tag, to have them where a node of a cluster serves them
 */
function nobodysKeys(schema: KeySchema, part?: string): readonly string[] {
  const tag = part === undefined ? '' : `{${part}}`;
  const nobody = { coordinator: `${tag}${randomUUID()}`, swarm: `${tag}${randomUUID()}` };
  return templatesOf(schema).map((template) =>
    derive(
      {
        ...template,
        tokens: template.tokens.map((token) => (token.kind === 'star' ? { kind: 'literal', text: '0' } : token)),
      },
      nobody,
    ),
  );
}

/** A command that the server takes from nobody, and what it says. */
export interface Untaken {
  readonly command: string;
  readonly said: string;
}

export interface Permissions {
  /** Commands refused to this user that a run needs whichever way it goes. */
  readonly refused: readonly string[];
  /** The same of those that the server takes from nobody. */
  readonly untaken: readonly Untaken[];
  /** Why scripts can't be called; `null` when they can. */
  readonly withoutScripts: string | null;
  /** The refused command that scripts are called by, if it is for this user only. */
  readonly ofScript: readonly string[];
  /** What Redis answered where it could not serve at all at the moment; `null` when it could. Then nothing else here is sure. */
  readonly unready: Error | null;
  /** Why it is taken for a part of a cluster; `null` when nothing says so. */
  readonly cluster: string | null;
  /** Refused commands of a transaction; empty when that was not asked, since scripts can be called. */
  readonly ofTransaction: readonly string[];
  /** The same of those that the server takes from nobody. */
  readonly untakenOfTransaction: readonly Untaken[];
}

interface Asked {
  readonly command: string;
  readonly reply: Reply | Error;
}

/** What an entry is asked for with that must not come to be. */
const ASKED_WRONGLY = /^ERR The ID specified in XADD must be greater/;

/** @param names the commands of these orders, as ACLs name them, where they differ from what is sent */
async function ask(calls: Calls, orders: readonly Order[], names: readonly string[] = []): Promise<readonly Asked[]> {
  const { replies } = await calls.sendTogether(orders);
  return replies.map((reply, i) => ({
    command: names[i] ?? orders[i]?.[0] ?? '',
    reply: reply instanceof Error && ASKED_WRONGLY.test(reply.message) ? null : reply,
  }));
}

function refusedAmong(asked: readonly Asked[]): readonly string[] {
  return [...new Set(asked.flatMap(({ reply }) => refusedCommandIn(reply) ?? []))];
}

/** Each command once, with what was said first. */
function untakenAmong(asked: readonly Asked[]): readonly Untaken[] {
  const said = new Map<string, string>();
  for (const { command, reply } of asked) if (isUntaken(reply) && !said.has(command)) said.set(command, saidIn(reply));
  return [...said].map(([command, words]) => ({ command, said: words }));
}

/**
 * Asks Redis what the user may do, and what it takes at all. Only whole commands count: whether a made-up key may be touched says
 * nothing about the real ones, since patterns may be narrower than the schema. The connection must be nobody else's meanwhile.
 */
export async function askPermissions(
  calls: Calls,
  { schema, ...besides }: Wanted,
  dryRun: boolean,
  part = besides.part,
): Promise<Permissions> {
  // In several slots, if there are slots, unless the schema keeps them together.
  const nobody = nobodysKeys(schema, part);
  const [one = ''] = nobody;
  const parts = { ...besides, part };
  const idle = schema.orphanFamilies.size > 0 ? IDLE : [];
  const globs = walkedGlobs(schema);
  const more = questionsBesides(parts);
  const asked = await ask(
    calls,
    [
      ['info', []],
      ['time', []],
      ...globs.map((glob) => ['scan', ['0', 'MATCH', glob, 'COUNT', 1]] as const),
      ['mget', nobody],
      ['exists', nobody],
      ...idle.map((command) => ['object', [command.slice('object|'.length).toUpperCase(), one]] as const),
      ...(dryRun ? [] : [['unlink', nobody] as const, ...more]),
    ],
    [
      ...READING.flatMap((command) => (command === 'scan' ? globs.map(() => command) : command)),
      ...idle,
      'unlink',
      ...more.map(([command]) => command),
    ],
  );
  const answer = dryRun ? null : await askWhetherScriptsRun(calls, one, nobody.at(-1) ?? one);
  const withoutScripts = scriptRefusal(answer) ?? (isUntaken(answer) ? saidIn(answer) : null);
  const ofScript = withoutScripts === null ? [] : [refusedCommandIn(answer) ?? []].flat();
  // EXEC stands after DISCARD: whichever is refused, the other ends the transaction.
  const transaction: readonly Order[] = [
    ['watch', nobody],
    ['multi', []],
    ['discard', []],
    ['exec', []],
  ];
  const answers = withoutScripts === null ? [] : await ask(calls, transaction);
  const ofTransaction = refusedAmong(answers);
  const replies = [...asked, ...answers].map(({ reply }) => reply);
  return {
    refused: refusedAmong(asked),
    untaken: untakenAmong(asked),
    withoutScripts,
    ofScript,
    ofTransaction: TRANSACTION.filter((command) => ofTransaction.includes(command)),
    untakenOfTransaction: untakenAmong(answers),
    // What is too large for the server it takes from nobody: a script, for one.
    unready:
      [...replies, answer].find(
        (reply): reply is Error => unreadyIn(reply) !== null || (mayHaveBeenDone(reply) && !isTooLarge(reply)),
      ) ?? null,
    cluster:
      part !== undefined ? null : ([...replies, answer].map(clusterAnswerIn).find((why) => why !== null) ?? null),
  };
}

/** Patterns of the schema of which the user may not even touch a made-up key. */
export async function refusedPatterns(calls: Calls, { schema, ...besides }: Wanted): Promise<readonly string[]> {
  const keys = nobodysKeys(schema, besides.part);
  const more = needsBesides(besides).patterns;
  const asked = [...keys, ...more.map((pattern) => pattern.replaceAll('*', randomUUID()))];
  const { replies } = await calls.sendTogether(asked.map((key) => ['exists', [key]] as const));
  const denied = (reply: unknown) => reply instanceof Error && isKeyRefusal(reply);
  const globs = templatesOf(schema).filter((_, i) => denied(replies[i]));
  const refused = new Set(globs.map(globOf));
  const own = patternsIn(schema).filter((pattern) => refused.has(pattern));
  return [...own, ...more.filter((_, i) => denied(replies[keys.length + i]))];
}
