/** file: what may stand in the YAML file. Unknown keys are refused. */
import { notifyFields } from '../settings/notify.ts';
import { PROCESS_SETTINGS } from '../settings/processSettings.ts';
import { sentinelFields } from '../settings/sentinel.ts';
import type { Setting } from '../settings/setting.ts';
import { OWN_TARGET_SETTINGS, TARGET_SETTINGS } from '../settings/settings.ts';
import { fields, Misfit, named, type Value } from '../values/shape.ts';
import { schemaDefinition } from '../values/schemaValues.ts';
import { keyPrefix, redisUrl } from '../values/values.ts';

type Schemas<Table extends Record<string, Setting>> = { [Name in keyof Table]: Table[Name]['schema'] };

function schemasOf<Table extends Record<string, Setting>>(table: Table): Schemas<Table> {
  return Object.fromEntries(Object.entries(table).map(([name, { schema }]) => [name, schema])) as Schemas<Table>;
}

const TEMPLATE_EXAMPLE = 'heartbeat: "beat:{coordinator}"';
const URL_EXAMPLE = 'url: "redis://host:6379/0"';

const QUEUE_FIELDS = { url: redisUrl, prefix: keyPrefix, sentinel: sentinelFields };
const anyQueue = fields(QUEUE_FIELDS, URL_EXAMPLE);
const wholeQueue = fields(QUEUE_FIELDS, URL_EXAMPLE, ['url']);

/** Where the queue is, or what its keys begin with, or both: without either its address is missing. */
function queueFields(written: unknown): ReturnType<typeof anyQueue> {
  const given = anyQueue(written);
  return given.prefix === undefined ? wholeQueue(written) : given;
}

const forAllTargets: Value<undefined> = () => {
  throw new Misfit('is one setting for all targets; write it at the top of the file');
};

const targetFields = {
  ...schemasOf(TARGET_SETTINGS),
  ...schemasOf(OWN_TARGET_SETTINGS),
  url: redisUrl,
  sentinel: sentinelFields,
  // The queue keeps the finished jobs of all targets together: whichever run ends next removes the oldest, whoever's they are.
  history: forAllTargets,
  notify: forAllTargets,
};

const FILE_FIELDS = {
  ...schemasOf(TARGET_SETTINGS),
  ...schemasOf(PROCESS_SETTINGS),
  queue: queueFields,
  sentinel: sentinelFields,
  notify: notifyFields,
  targets: named(fields(targetFields, URL_EXAMPLE), URL_EXAMPLE),
  schemas: named(schemaDefinition, TEMPLATE_EXAMPLE),
};

/** Reads the whole of it. */
export const FILE = fields(FILE_FIELDS, 'staleAfter: 10m');
export type FileValues = ReturnType<typeof FILE>;

/** The names that are known. */
export const FILE_NAMES: readonly string[] = [...Object.keys(FILE_FIELDS), 'url'];
