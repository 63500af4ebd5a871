/** layouts: key schemas to draw worlds in, and whose a name could be in one, read the plain way.
 *
 * Imports nothing of the code it judges. Names are byte strings: each character stands for one byte.
 */

export interface Layout {
  /** As a configuration has it: `null` for one segment. */
  readonly shape: string | null;
  readonly never: readonly string[];
  /** In the order written, each with its templates; one of them is `heartbeat`. */
  readonly families: Readonly<Record<string, readonly string[]>>;
}

/** One way in which a name can be somebody's. */
export interface Owner {
  readonly family: string;
  readonly id: string;
  /** `''` where the template names no swarm. */
  readonly swarm: string;
}

const BLOCKING = {
  signal: ['blocking:signal:{coordinator}'],
  ack: ['blocking:ack:{coordinator}:*'],
  idempotency: [
    'blocking:idempotency:{coordinator}',
    'blocking:idempotency:{coordinator}:*',
    'blocking:idempotency:*:{coordinator}',
    'blocking:idempotency:*:{coordinator}:*',
  ],
};
const SHIPPED = { shape: '+', never: ['heartbeat'] };

export const LAYOUTS: Readonly<Record<string, Layout>> = {
  swarm: {
    ...SHIPPED,
    families: {
      heartbeat: ['swarm:{swarm}:blocking:heartbeat:{coordinator}'],
      ...BLOCKING,
      activity: ['swarm:{swarm}:agent:{coordinator}:activity'],
      state: ['swarm:{swarm}:blocking:{coordinator}'],
    },
  },
  flat: {
    ...SHIPPED,
    families: {
      heartbeat: ['blocking:heartbeat:{coordinator}'],
      ...BLOCKING,
      activity: ['coordinator:activity:{coordinator}'],
      state: ['blocking:state:{coordinator}'],
    },
  },
  'claude-flow-novice': {
    ...SHIPPED,
    families: {
      heartbeat: ['blocking:heartbeat:{coordinator}'],
      ...BLOCKING,
      activity: ['coordinator:activity:{coordinator}'],
      state: ['swarm:*:blocking:{coordinator}'],
    },
  },
  derivedOnly: {
    shape: null,
    never: ['ping'],
    families: {
      box: ['{coordinator}:box', 'x-{coordinator}'],
      heartbeat: ['{coordinator}:hb'],
      log: ['{coordinator}:log'],
    },
  },
  pairs: {
    shape: 'host:pid',
    never: [],
    families: {
      heartbeat: ['w:{coordinator}'],
      mail: ['mail:{coordinator}:*', 'mail:*:to:{coordinator}'],
      lock: ['lock:{coordinator}'],
    },
  },
  crossed: {
    shape: '+',
    never: ['beat'],
    families: {
      mail: ['agents:{coordinator}:mail:*', 'agents:*:to-{coordinator}', 'agents:*:to-{coordinator}:*'],
      heartbeat: ['beats:{swarm}:{coordinator}'],
      notes: ['agents:{coordinator}:*', 'agents:*:{coordinator}'],
      locks: ['locks:{swarm}:{coordinator}', 'locks:{coordinator}:*', 'locks:*:{coordinator}:*'],
    },
  },
  suffixed: {
    shape: null,
    never: [],
    families: {
      heartbeat: ['{swarm}:hb-{coordinator}'],
      box: ['{swarm}:box-{coordinator}', 'x:y:{coordinator}-y'],
      queue: ['q-{swarm}:*:{coordinator}:z', 'q:*:{coordinator}:*'],
    },
  },
};

const PLACES = /(\{swarm\}|\{coordinator\}|\*)/;
const splits = new Map<string, readonly string[]>();
function partsOf(template: string): readonly string[] {
  const known = splits.get(template) ?? template.split(PLACES).filter((part) => part !== '');
  splits.set(template, known);
  return known;
}

type Reading = Pick<Owner, 'id' | 'swarm'>;

/**
 * Finds the swarm and id of each way to read a name as a template, ids of any number of segments, empty ones among them.
 * @param anySwarm whether a swarm, too, may have any number of segments, none among them, which then is none
 */
function readings(template: string, name: string, never: readonly string[], anySwarm = false): Iterable<Reading> {
  const parts = partsOf(template);
  const found = new Map<string, Reading>();
  const readFrom = (at: number, from: number, id: string, swarm: string): void => {
    const part = parts[at];
    if (part === undefined) {
      if (from === name.length) found.set(`${id}\n${swarm.length}\n${swarm}`, { id, swarm });
    } else if (!PLACES.test(part)) {
      if (name.startsWith(part, from)) readFrom(at + 1, from + part.length, id, swarm);
    } else {
      const next = parts[at + 1];
      const canBeEmpty = part === '*' || (part === '{swarm}' && anySwarm);
      for (let to = canBeEmpty ? from : from + 1; to <= name.length; to++) {
        if (part === '{swarm}' && !anySwarm && name[to - 1] === ':') return;
        if (next === undefined ? to < name.length : !PLACES.test(next) && !name.startsWith(next, to)) continue;
        const text = name.slice(from, to);
        if (part === '{coordinator}' && never.includes(text.split(':')[0] ?? '')) continue;
        readFrom(at + 1, to, part === '{coordinator}' ? text : id, part === '{swarm}' ? text : swarm);
      }
    }
  };
  readFrom(0, 0, '', '');
  return found.values();
}

/** Every way in which a name can be somebody's. */
export function ownersIn({ families, never }: Layout, name: string): Owner[] {
  const heartbeat = Object.entries(families).filter(([family]) => family === 'heartbeat');
  const read = (some: typeof heartbeat) =>
    some.flatMap(([family, templates]) =>
      templates.flatMap((template) => [...readings(template, name, never)].map((one) => ({ family, ...one }))),
    );
  // What reads like a heartbeat is that, and nothing else.
  const beats = read(heartbeat);
  return beats.length > 0 ? beats : read(Object.entries(families));
}

function isSwarm(swarm: string): boolean {
  return swarm !== '' && !swarm.includes(':');
}

/** Every way in which a name can be that of somebody's heartbeat, in what is no swarm, too. */
export function beatingIn({ families, never }: Layout, name: string): Reading[] {
  return (families.heartbeat ?? []).flatMap((template) => [...readings(template, name, never, true)]);
}

/** Every way in which a name can be somebody's in what is no swarm. */
export function ownersNowhere({ families, never }: Layout, name: string): Reading[] {
  const templates = Object.values(families)
    .flat()
    .filter((template) => template.includes('{swarm}'));
  const all = templates.flatMap((template) => [...readings(template, name, never, true)]);
  return all.filter(({ swarm }) => !isSwarm(swarm));
}

/** Whether an id has the shape that the layout says. */
export function isShaped({ shape }: Layout, id: string): boolean {
  const segments = id.split(':');
  if (segments.includes('')) return false;
  return shape === '+' || segments.length === (shape === null ? 1 : shape.split(':').length);
}

/** A name of a template. */
export function spell(template: string, id: string, swarm: string, star: () => string): string {
  return template.replace(/\{swarm\}|\{coordinator\}|\*/g, (token) =>
    token === '*' ? star() : token === '{swarm}' ? swarm : id,
  );
}

/** The schema as a configuration file has it. */
export function schemaOf({ shape, never, families }: Layout): object {
  return { ids: { ...(shape === null ? {} : { shape }), never }, ...families };
}
