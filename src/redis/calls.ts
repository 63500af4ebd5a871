/** calls: every command that goes to a target, counted and timed. Names and values travel byte for byte. */
import { Bulk, giveBuffer, takeBuffer } from './bulk.ts';
import { connectBeside } from './connect.ts';
import { Command, type Redis } from './ioredis.ts';

/** One reply as Redis sends it; bulk strings are byte strings (latin1), or Buffers for those who asked for bytes. */
export type Reply = string | number | null | Buffer | Reply[];

/** A text is sent as latin1, one byte a character; a bulk stands for all its arguments. */
export type Argument = string | number | Bulk;

/** A command and its arguments. */
export type Order = readonly [name: string, args: readonly Argument[]];

/** Told of every call: its name and how long Redis was busy with it, as far as the worker can see. */
export type CallObserver = (call: string, ms: number) => void;

export interface Answer {
  readonly reply: Reply;
  readonly ms: number;
}

/** A command that travels as it was encoded here: ioredis would send texts as UTF-8, and a bulk one by one. */
class EncodedCommand extends Command {
  constructor(
    name: string,
    private readonly encoded: Buffer,
    replyEncoding: 'latin1' | null,
  ) {
    super(name, [], { replyEncoding });
  }

  override toWritable(): Buffer {
    return this.encoded;
  }
}

/** A command as it travels: so many bytes of a buffer that is to be given back. */
const encode = (name: string, args: readonly Argument[]): { buffer: Buffer; length: number } => {
  const parts: Bulk[] = [];
  let open: Bulk | null = null;
  for (const arg of [name, ...args]) {
    if (arg instanceof Bulk) {
      parts.push(arg);
      open = null;
      continue;
    }
    if (open === null) {
      open = new Bulk();
      parts.push(open);
    }
    open.addText(String(arg));
  }
  const head = `*${parts.reduce((sum, { count }) => sum + count, 0)}\r\n`;
  const buffer = takeBuffer(parts.reduce((sum, { bytes }) => sum + bytes.length, head.length));
  let length = buffer.write(head, 'latin1');
  for (const { bytes } of parts) length += bytes.copy(buffer, length);
  return { buffer, length };
};

/** How a target wants to be treated. */
export interface Manners {
  /** How long to rest after a call, in lengths of that call. */
  readonly nice: number;
  /** How long one call may keep Redis busy, in ms. */
  readonly callBudget: number;
}

/** From here on the way takes longer than most calls do. */
export const LONG_WAY_MS = 1;
/** However long a call took, nobody rests longer than this. */
const LONGEST_REST_MS = 1_000;
const AT_EASE: Manners = { nice: 0, callBudget: Number.POSITIVE_INFINITY };

export class Calls {
  /** Commands sent. */
  count = 0;
  slowestMs = 0;
  /** What a call takes that asks for nothing, in ms: the way there and back. Known once it was measured. */
  latencyMs = 0;
  #lastReplyAt = 0;
  #underWay = 0;
  #restMs = 0;

  constructor(
    private readonly redis: Redis,
    private readonly manners: Manners = AT_EASE,
    private readonly observe: CallObserver = () => {},
  ) {}

  /**
   * Sends one command; resolves to its reply and the time until that came, in ms: Redis took no longer than that. What is
   * told of it, as slow or to rest for, is the time since it was sent, or since the reply before it where it had to queue
   * behind that one; replies that a busy worker reads in one go share the time they waited.
   */
  async send(name: string, args: readonly Argument[], replyEncoding: 'latin1' | null = 'latin1'): Promise<Answer> {
    return await this.#send(this.redis, name, args, replyEncoding);
  }

  /**
   * Sends commands in one go, so that nobody else's come between them on that connection. Resolves once all are answered,
   * to the reply of each or the error in its place, and the time the slowest took, in ms.
   * @param beside another connection of `connectBeside`
   */
  async sendTogether(
    orders: readonly Order[],
    beside?: Redis,
  ): Promise<{ replies: readonly (Reply | Error)[]; ms: number }> {
    const sent = orders.map(([name, args]) => this.#send(beside ?? this.redis, name, args, 'latin1'));
    const results = await Promise.allSettled(sent);
    const replies = results.map((result) =>
      result.status === 'fulfilled' ? result.value.reply : (result.reason as Error),
    );
    return {
      replies,
      ms: Math.max(0, ...results.map((result) => (result.status === 'fulfilled' ? result.value.ms : 0))),
    };
  }

  /** Opens a second connection to the very server of the first, with which it ends (P10). */
  async connectBeside(): Promise<Redis> {
    const beside = await connectBeside(this.redis);
    try {
      // The first one still answers: nobody else can have come back at this address meanwhile.
      await this.#send(this.redis, 'time', [], 'latin1');
      return beside;
    } catch (error) {
      beside.disconnect();
      throw error;
    }
  }

  async #send(redis: Redis, name: string, args: readonly Argument[], replyEncoding: 'latin1' | null): Promise<Answer> {
    const { buffer, length } = encode(name, args);
    const command = new EncodedCommand(name, buffer.subarray(0, length), replyEncoding);
    const sentAt = performance.now();
    this.count++;
    const share = ++this.#underWay;
    const reply = (await (redis.sendCommand(command) as Promise<Reply>).finally(() => this.#underWay--)) as Reply;
    const repliedAt = performance.now();
    // Redis answers what it has read to the end; what it did not answer may yet be sent.
    giveBuffer(buffer);
    const ms = Math.max(repliedAt - Math.max(sentAt, this.#lastReplyAt), (repliedAt - sentAt) / share);
    this.#lastReplyAt = repliedAt;
    this.slowestMs = Math.max(this.slowestMs, ms);
    // What a long way takes is no work.
    const wayMs = this.latencyMs > LONG_WAY_MS ? this.latencyMs : 0;
    this.#restMs += Math.min(Math.max(0, ms - wayMs) * this.manners.nice, LONGEST_REST_MS);
    this.observe(name, ms);
    return { reply, ms: repliedAt - sentAt };
  }

  /** Measures the latency: the least of a few calls, since any one of them may have met a busy moment. */
  async measureLatency(): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) least = Math.min(least, (await this.send('time', [])).ms);
    this.latencyMs = least;
  }

  /** Whether it is time to rest. A timer can't wait for less than a millisecond, so small debts are saved up. */
  get owesRest(): boolean {
    return this.#restMs >= 1;
  }

  /** Rests for as long as `nice` asks, after what has been sent since the last rest. */
  async rest(): Promise<void> {
    if (!this.owesRest) return;
    const debtMs = this.#restMs;
    this.#restMs = 0;
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, debtMs));
    const overslept = Math.max(0, performance.now() - startedAt - debtMs);
    // Who was stopped for minutes has not rested in advance.
    this.#restMs = Math.max(this.#restMs - overslept, -LONGEST_REST_MS);
  }
}
