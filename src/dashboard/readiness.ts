/** readiness: does every Redis we need really answer? Holds the connections to the targets that this process has only
 * for asking such questions: opened when first needed, kept, and closed with the dashboard. */
import type { Request, RequestHandler, Response } from 'express';
import type { Redis } from 'ioredis';
import type { TargetConfig } from '../config/resolve.ts';
import { Failure, sentenceOf } from '../domain/failure.ts';
import { derive } from '../schema/template.ts';
import { RUN_QUEUE } from '../queue/names.ts';
import { explainRefusal } from '../queue/refusal.ts';
import type { Queues } from '../queue/queues.ts';
import { connect } from '../redis/connection/connect.ts';
import { explain } from '../redis/connection/explain.ts';
import { isClusterNode } from '../redis/connection/cluster.ts';
import { infoAtOpening } from '../redis/connection/connectForRun.ts';
import { Serving } from '../redis/target/serving.ts';

/** Whoever asks is a probe with a timeout of its own, usually a few seconds. */
const ANSWER_MS = 2_000;

/** What `work` resolves to; fails (`UNREACHABLE`) when that takes longer than two seconds. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const sentence = `no answer within ${ANSWER_MS / 1000} seconds`;
    timer = setTimeout(() => reject(new Failure('UNREACHABLE', sentence)), ANSWER_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** PING fails while Redis refuses writes, reading does not; TIME is what a run starts with. One alone proves little. */
async function prove(redis: Redis, read: () => Promise<unknown>): Promise<void> {
  const ping = redis.ping().catch((error: unknown) => {
    // A user who may not PING may still do all that a run needs.
    if (!sentenceOf(error).startsWith('NOPERM')) throw error;
  });
  const got = read().catch((error: unknown) => {
    // A node of a cluster that knows who serves this key.
    if (!sentenceOf(error).startsWith('MOVED')) throw error;
  });
  await Promise.all([ping, redis.time(), got]);
}

/** A Redis that is full, or a replica, answers every question. */
async function proveWrites({ connection, prefix }: Pick<Queues, 'connection' | 'prefix'>): Promise<void> {
  await connection.set(`${prefix}:probe`, 1, 'PX', ANSWER_MS);
}

/** Connections to the targets, one each. Who asks is told when one is lost; the log has it from the runs that fail. */
export class Links {
  readonly #open = new Map<string, Promise<Redis>>();
  readonly #serving = new WeakMap<Redis, Serving>();
  readonly #closed = new AbortController();

  /** The connection to a target. Fails (`UNREACHABLE`) while it can't be reached; the next call tries again. */
  to(target: TargetConfig): Promise<Redis> {
    const known = this.#open.get(target.name);
    if (known !== undefined) return known;
    const opening = this.#connect(target);
    this.#open.set(target.name, opening);
    opening.catch(() => this.#open.delete(target.name));
    return opening;
  }

  /**
   * Asks a target whether who beats there is served; why it takes no writes, `null` where it does, or where that is nobody's matter: it
   * is only observed, or a cluster, of which one node is asked. Fails (`UNREACHABLE`) within two seconds where it does not answer.
   */
  async ask(target: TargetConfig): Promise<string | null> {
    return await inTime(this.to(target).then(async (redis) => await this.#whyNot(redis, target)));
  }

  async #whyNot(redis: Redis, { mode }: TargetConfig): Promise<string | null> {
    if (mode === 'observe' || isClusterNode(infoAtOpening(redis))) {
      await redis.time();
      return null;
    }
    const serving = this.#serving.get(redis) ?? new Serving(redis);
    this.#serving.set(redis, serving);
    await serving.ask();
    return serving.why?.startsWith('NOPERM') ? null : serving.why;
  }

  /** Closes all connections, those that are just being opened too. */
  async close(): Promise<void> {
    this.#closed.abort(new Failure('UNREACHABLE', 'nobody asks any more'));
    for (const opened of await Promise.allSettled(this.#open.values())) {
      if (opened.status === 'fulfilled') opened.value.disconnect();
    }
  }

  async #connect(target: TargetConfig): Promise<Redis> {
    const { signal } = this.#closed;
    signal.throwIfAborted();
    return await connect(target, { toPart: true, signal });
  }
}

/** Something that does not answer, and why, without secrets. The reason may name an address. */
interface Unready {
  readonly who: string;
  readonly why: string;
}

/** Whether Redis said it, in words for programs; who may ask what it says of its state is told that as it is. */
function isKnown(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOPERM');
}

/** What keeps this process from its work; empty when nothing does. Takes two seconds at most. */
export type Readiness = () => Promise<readonly Unready[]>;

/** Asks the queue's Redis and every target, all at once. Those who ask while another does share the answer. */
export function createReadiness(
  queues: Pick<Queues, 'connection' | 'prefix'>,
  targets: ReadonlyMap<string, TargetConfig>,
  links: Links,
): Readiness {
  const ask = async (
    who: string,
    question: Promise<unknown>,
    meaning: (error: unknown) => unknown,
  ): Promise<Unready | null> => {
    try {
      await inTime(question);
      return null;
    } catch (error) {
      // The library says which of its options gave up.
      const lost = error instanceof Error && error.name === 'MaxRetriesPerRequestError';
      return { who, why: lost ? 'the connection is lost' : sentenceOf(meaning(error)) };
    }
  };
  const askAll = async (): Promise<readonly Unready[]> => {
    const answers = await Promise.all([
      ask(
        'the queue',
        Promise.all([
          prove(queues.connection, () => queues.connection.get(`${queues.prefix}:${RUN_QUEUE}:id`)),
          proveWrites(queues),
        ]),
        explainRefusal,
      ),
      ...[...targets.values()].map((target) => {
        // A key that the schema covers, so that a user fenced to it may read it; nobody has that name.
        const key = derive(target.schema.heartbeat, { swarm: 'stalesweep', coordinator: 'stalesweep' });
        return ask(
          `target "${target.name}"`,
          // As runs read.
          links.to(target).then((redis) => prove(redis, () => redis.mget(key))),
          (error) => (isKnown(error) ? explain(error, target) : error),
        );
      }),
    ]);
    return answers.filter((answer) => answer !== null);
  };
  let asking: Promise<readonly Unready[]> | undefined;
  return () => {
    asking ??= askAll().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

/** `/healthz`: the process lives. */
export const answerHealth: RequestHandler = (_request, response) => {
  response.json({ status: 'ok' });
};

/** `/readyz`: 200, with what keeps runs from coming though every Redis answers, or 503 with the reason. Whoever may not know
 * addresses is told only what does not answer. */
export function answerReadiness(
  readiness: Readiness,
  warnings: () => Promise<readonly string[]>,
  mayKnow: (request: Request, response: Response) => Promise<boolean>,
): RequestHandler {
  return async (request, response) => {
    const [unready, told] = await Promise.all([readiness(), inTime(warnings()).catch(() => [])]);
    // Whoever resumes a paused queue does it here: a process that were not ready could not be reached.
    if (unready.length === 0) {
      response.json({ status: 'ok', ...(told.length > 0 ? { warnings: told } : {}) });
      return;
    }
    const all = await mayKnow(request, response);
    const reason = unready.map(({ who, why }) => `${who}: ${all ? why : 'not ready'}`).join('; ');
    response.status(503).json({ status: 'unavailable', reason });
  };
}
