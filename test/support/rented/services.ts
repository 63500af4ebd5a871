/** services: Redis as it is rented out: what each service refuses, as far as a run, or a connection, asks for it. The pages beside
 * them were read in November 2026. Where they are silent, the worst was supposed. */
import type { Rule } from './proxy.ts';
import { all, forgetfulOfScripts, infoOf, literalKeys, RESP2, spread, without } from './rules.ts';

/** What INFO tells of a server's start, and whose data it came back with. */
const START = ['redis_version', 'run_id', 'uptime_in_seconds', 'role', 'master_replid', 'used_memory', 'db0'];
const LOADED = ['rdb_last_load_keys_loaded', 'aof_enabled', 'cluster_enabled'];

const ADMINISTRATION = [
  'CONFIG',
  'DEBUG',
  'SAVE',
  'BGSAVE',
  'BGREWRITEAOF',
  'REPLICAOF',
  'SLAVEOF',
  'SHUTDOWN',
  'MIGRATE',
];

/** What becomes of a run: it goes by script, or by transaction; or it is refused, in a sentence that says this. */
export type Outcome = 'script' | 'transaction' | RegExp;

export interface Service {
  readonly rule: () => Rule;
  readonly outcome: Outcome;
  /** With orphans to be swept, where that is another one. */
  readonly withOrphans?: RegExp;
  /** Of a dry run, where that is not what a real run comes to. */
  readonly dry?: 'script' | RegExp;
}

const NO_OBJECT = /does not take OBJECT IDLETIME, OBJECT REFCOUNT .*leave "orphans" empty/;

export const SERVICES: Readonly<Record<string, Service>> = {
  // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ClientConfig.RestrictedCommands.html
  'Amazon ElastiCache, cluster mode disabled': {
    rule: () => all(RESP2, without([...ADMINISTRATION, 'SYNC', 'PSYNC'])),
    outcome: 'script',
  },
  // https://repost.aws/questions/QUXz_Eoe5bTvGs7mzEOkRxNw: always in cluster mode, in which SELECT is not allowed
  'Amazon ElastiCache Serverless': {
    rule: () =>
      all(RESP2, without([...ADMINISTRATION, 'SELECT']), ([name]) =>
        name === 'INFO' ? { change: (reply) => withLine(reply, 'cluster_enabled:1') } : 'pass',
      ),
    outcome: /is a node of a cluster, and does not name the others/,
    dry: /is a node of a cluster/,
  },
  // https://docs.amazonaws.cn/en_us/memorydb/latest/devguide/restrictedcommands.html; that INFO is silent is supposed
  'Amazon MemoryDB, without a word of its cluster': {
    rule: () =>
      all(
        RESP2,
        without(['INFO CLUSTER', ...ADMINISTRATION]),
        infoOf([...START, 'aof_enabled']),
        spread(['MGET', 'EXISTS', 'UNLINK', 'WATCH', 'EVAL', 'EVALSHA']),
      ),
    outcome: /holds only a part of the keys \(CROSSSLOT\); clusters can not be used for this yet/,
    dry: /holds only a part of the keys \(CROSSSLOT\)/,
  },
  // https://cloud.google.com/memorystore/docs/redis/product-constraints
  'Google Memorystore for Redis': {
    rule: () =>
      all(RESP2, without([...ADMINISTRATION, 'ACL', 'CLIENT', 'CLUSTER', 'COMMAND', 'LASTSAVE', 'MONITOR', 'OBJECT'])),
    outcome: 'script',
    withOrphans: NO_OBJECT,
  },
  // https://learn.microsoft.com/azure/azure-cache-for-redis/cache-configure-role-based-access-control: "some commands are blocked"
  'Azure Cache for Redis': {
    rule: () => all(RESP2, without([...ADMINISTRATION, 'ACL', 'CLUSTER', 'PSYNC', 'SYNC'])),
    outcome: 'script',
  },
  // https://learn.microsoft.com/training/modules/implement-data-operations-azure-managed-redis/3-client-libraries-best-practices: keys on
  // several shards behind one name; MGET, EXISTS and UNLINK go anywhere, all else to one slot
  'Azure Managed Redis, Enterprise clustering': {
    rule: () =>
      all(
        RESP2,
        without([...ADMINISTRATION, 'ACL', 'CLUSTER'], () => 'ERR not allowed'),
        spread(['WATCH', 'EVAL', 'EVALSHA']),
      ),
    outcome: /holds only a part of the keys \(CROSSSLOT\); clusters can not be used for this yet/,
    dry: 'script',
  },
  // https://redis.io/docs/latest/operate/rs/references/compatibility/commands/cluster
  'Redis Cloud': {
    rule: () =>
      all(
        RESP2,
        without([...ADMINISTRATION, 'ACL', 'CLUSTER', 'SELECT'], () => 'ERR not allowed'),
      ),
    outcome: 'script',
  },
  // https://upstash.com/docs/redis/overall/rediscompatibility: neither INFO, OBJECT, CLIENT nor CONFIG are among the commands listed there
  Upstash: {
    rule: () =>
      all(
        RESP2,
        without(
          ['INFO', 'OBJECT', 'CLIENT', 'CONFIG', 'CLUSTER'],
          (name) => `ERR Command is not available: '${name}'.`,
        ),
      ),
    outcome:
      /without uptime_in_seconds in INFO nobody can tell whether Redis came back with old data \(P10\); set restartGrace: false/,
    dry: 'script',
  },
  // https://aiven.io/docs/products/valkey/reference/restricted-commands: what DigitalOcean's managed Valkey runs on
  'Aiven for Valkey': {
    rule: () =>
      all(RESP2, without([...ADMINISTRATION, 'ACL', 'CLUSTER', 'COMMAND', 'FAILOVER', 'LASTSAVE', 'MONITOR'])),
    outcome: 'script',
  },
  // https://docs.oracle.com/iaas/Content/ocicache/restrictedcommands.htm: scripts not on sharded clusters
  'OCI Cache, without scripts': {
    rule: () =>
      all(RESP2, without([...ADMINISTRATION, 'ACL', 'CLUSTER', 'EVAL', 'EVALSHA', 'FCALL', 'FUNCTION', 'SCRIPT'])),
    outcome: 'transaction',
  },
  // https://www.alibabacloud.com/help/en/redis/support/usage-of-lua-scripts, and what its proxy answers:
  // https://www.itread01.com/chkyxi.html
  'Alibaba Cloud Tair, by its proxy': {
    rule: () => all(RESP2, without([...ADMINISTRATION, 'ACL']), literalKeys()),
    outcome: 'transaction',
  },
  // https://github.com/redisson/redisson/issues/4389
  'a service that gives scripts to other accounts': {
    rule: () =>
      all(
        RESP2,
        without(['EVAL', 'EVALSHA'], (name) => `ERR command ${name} not support for your account`),
      ),
    outcome: 'transaction',
  },
  // https://www.tencentcloud.com/document/product/239/48363: no UNLINK in its 2.8 edition
  'TencentDB for Redis, 2.8': {
    rule: () => all(RESP2, without([...ADMINISTRATION, 'ACL', 'UNLINK'])),
    outcome:
      /does not take UNLINK \(ERR unknown command 'unlink'\); things are removed by nothing else, since DEL blocks Redis/,
    dry: 'script',
  },
  // https://github.com/twitter/twemproxy/blob/master/notes/redis.md, by way of https://blog.csdn.net/sxe18652071425/article/details/50725534
  Twemproxy: {
    rule: () =>
      all(
        RESP2,
        without(['SCAN', 'OBJECT', 'INFO', 'TIME', 'WATCH', 'MULTI', 'EXEC', 'DISCARD', 'CONFIG', 'SELECT', 'CLIENT']),
      ),
    outcome: /without uptime_in_seconds in INFO/,
    withOrphans: /without uptime_in_seconds in INFO/,
    dry: /does not take TIME, SCAN \(ERR unknown command 'time'\); a run needs that: use a server that has it/,
  },
  // https://www.dragonflydb.io/docs/managing-dragonfly/scripting: every key a script touches must be declared, as ours do;
  // that INFO says nothing of what was loaded at the start, and REFCOUNT is not known, is supposed
  Dragonfly: {
    rule: () =>
      all(RESP2, without(['CONFIG SET', 'OBJECT REFCOUNT', 'SLAVEOF']), infoOf([...START, 'cluster_enabled'])),
    outcome: 'script',
    withOrphans: /does not take OBJECT REFCOUNT .*leave "orphans" empty/,
  },
  // It keeps no idle times; that INFO says nothing of what was loaded is supposed
  Kvrocks: {
    rule: () => all(RESP2, without(['OBJECT', 'ACL']), infoOf([...START, 'cluster_enabled'])),
    outcome: 'script',
    withOrphans: NO_OBJECT,
  },
  // Before globs came (https://github.com/apache/kvrocks/pull/2608)
  'Kvrocks of 2023': {
    rule: () =>
      all(RESP2, without(['OBJECT', 'ACL']), infoOf(START), ([name, , , pattern = '']) =>
        name === 'SCAN' && /[[?]|\*./.test(pattern)
          ? { answer: '-ERR only keys prefix match was supported\r\n' }
          : 'pass',
      ),
    outcome: /does not take SCAN \(ERR only keys prefix match was supported\); a run needs that/,
    withOrphans: /does not take OBJECT IDLETIME, OBJECT REFCOUNT, SCAN|does not take SCAN/,
    dry: /does not take SCAN/,
  },
  'two servers behind one name, one of which has the script': {
    rule: () => all(RESP2, forgetfulOfScripts(), infoOf([...START, ...LOADED])),
    outcome: 'script',
  },
};

function withLine(reply: string, line: string): string {
  const field = line.slice(0, line.indexOf(':'));
  const text = reply.slice(reply.indexOf('\r\n') + 2).replace(new RegExp(`^${field}:.*\\r$`, 'm'), `${line}\r`);
  return `$${text.length - 2}\r\n${text}`;
}
