/** besides: what a run that keeps a trash, or says whom it swept, must be allowed besides. */
import type { Announce } from '../../config/values/removalValues.ts';
import { ANNOUNCED_PREFIX } from '../removal/announcement.ts';
import type { Order } from '../call/wire.ts';
import { ASIDE_PREFIX, SET_ASIDE_GLOB } from '../cluster/prefixes.ts';
import { TRASH_GLOB, TRASH_PREFIX } from '../trash/names.ts';

/** What of a target's settings says so; what is left out is off. */
export interface Besides {
  /** How long things stay in the trash, in ms. */
  readonly trash?: number;
  readonly announce?: Announce | false;
  /** Of a node of a cluster: a tag that puts names where it serves them. */
  readonly part?: string | undefined;
  /** Whether replicas are read. */
  readonly readFrom?: 'primary' | 'replica';
}

/** Each as an ACL names it. */
interface Needs {
  readonly commands: readonly string[];
  readonly patterns: readonly string[];
  readonly channels: readonly string[];
}

const OF_TRASH: Needs = {
  commands: ['pttl', 'renamenx', 'pexpire', 'set', 'persist', 'getrange'],
  patterns: [TRASH_GLOB],
  channels: [],
};

/** Where the times to live of what was set aside are noted one by one. */
const OF_TRASH_OF_PART: Needs = { ...OF_TRASH, commands: [...OF_TRASH.commands, 'setrange'] };

const READING_PART = ['cluster|nodes', 'cluster|countkeysinslot', 'cluster|getkeysinslot', 'asking'];

/** What it takes to read a cluster; nothing elsewhere. */
export function readingOfPart({ part, readFrom }: Besides): readonly string[] {
  if (part === undefined) return [];
  return readFrom === 'replica' ? [...READING_PART, 'readonly'] : READING_PART;
}

/** What gives back of a set, hash, sorted set or list what is not in the new one that was begun in its place. */
const MERGING = ['type', 'hscan', 'hget', 'hsetnx', 'hdel', 'spop', 'zpopmin', 'zadd', 'rpoplpush'];

/** What sets things aside, says so, and shows that it does so in time. */
const SETTING_ASIDE = ['renamenx', 'pttl', 'pexpire', 'sadd', 'srem', 'smembers', 'wait', 'xadd', 'pexpireat', 'xread'];

/** Things in other slots than their owner's heartbeat are set aside before they go. */
const OF_CLUSTER: Needs = {
  commands: [...READING_PART, ...SETTING_ASIDE, ...MERGING],
  patterns: [SET_ASIDE_GLOB],
  channels: [],
};

const NOTHING: Needs = { commands: [], patterns: [], channels: [] };

function escaped(name: string): string {
  return name.replace(/[\\*?[\]]/g, '\\$&');
}

/** What it takes to know of whom it was said. */
const KNOWING = ['set', 'get', 'sadd', 'sismember', 'pexpire'];

function ofAnnouncing(where: Announce): Needs {
  const marks = `${ANNOUNCED_PREFIX}*`;
  if ('channel' in where) {
    return { commands: ['publish', ...KNOWING], patterns: [marks], channels: [escaped(where.channel)] };
  }
  return { commands: ['xadd', ...KNOWING], patterns: [escaped(where.stream), marks], channels: [] };
}

/** What a real run needs besides, and what brings things back; a dry run needs none of it. */
export function needsBesides({ trash = 0, announce = false, ...of }: Besides): Needs {
  const needs = [
    ...(trash > 0 ? [of.part === undefined ? OF_TRASH : OF_TRASH_OF_PART] : []),
    ...(announce === false ? [] : [ofAnnouncing(announce)]),
    ...(of.part === undefined ? [] : [OF_CLUSTER, { ...NOTHING, commands: readingOfPart(of) }]),
  ];
  return {
    commands: [...new Set(needs.flatMap(({ commands }) => commands))],
    patterns: [...new Set(needs.flatMap(({ patterns }) => patterns))],
    channels: needs.flatMap(({ channels }) => channels),
  };
}

/**
 * What shows whether the user may do it, and does nothing: the keys it names can't exist. A message would be heard, so whether it may
 * be said shows only when it is, before anything is removed.
 */
export function questionsBesides(besides: Besides): readonly Order[] {
  return [...questionsOfCluster(besides), ...questionsOfRest(besides)];
}

function questionsOfCluster({ part }: Besides): readonly Order[] {
  if (part === undefined) return [];
  const key = (what: string) => `${ASIDE_PREFIX}{${part}}:nobody:${what}`;
  return [
    ['renamenx', [key('1'), key('2')]],
    ['pttl', [key('1')]],
    ['pexpire', [key('1'), 1]],
    ['pexpireat', [key('1'), 1]],
    ['xread', ['STREAMS', key('1'), '0-0']],
    ['smembers', [key('1')]],
    ['srem', [key('1'), '']],
    ['type', [key('1')]],
    ['hscan', [key('1'), 0]],
    ['hget', [key('1'), '']],
    ['hdel', [key('1'), '']],
    ['spop', [key('1')]],
    ['zpopmin', [key('1')]],
    ['rpoplpush', [key('1'), key('2')]],
  ];
}

function questionsOfRest(besides: Besides): readonly Order[] {
  const inSlot = besides.part === undefined ? '' : `{${besides.part}}:`;
  const key = (what: string) => `${TRASH_PREFIX}${inSlot}nobody:${what}`;
  const orders: readonly Order[] = [
    ['pttl', [key('1')]],
    ['renamenx', [key('1'), key('2')]],
    ['pexpire', [key('1'), 1]],
    ['set', [key('1'), '', 'XX', 'PX', 1]],
    // Without these nobody could give back what is kept.
    ['persist', [key('1')]],
    ['getrange', [key('1'), 0, 0]],
    // Writes nothing, and makes no key.
    ...(besides.part === undefined ? [] : [['setrange', [key('1'), 0, '']] as const]),
  ];
  const said: readonly Order[] = [
    ['set', [key('1'), '', 'XX', 'PX', 1]],
    ['sismember', [key('1'), '']],
    ['pexpire', [key('1'), 1]],
  ];
  const { trash = 0, announce = false } = besides;
  // No entry can have this id.
  const added: readonly Order[] =
    announce !== false && 'stream' in announce ? [['xadd', [key('1'), '0-0', 'a', '']]] : [];
  return [...(trash > 0 ? orders : []), ...(announce === false ? [] : [...said, ...added])];
}
