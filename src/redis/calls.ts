/** calls: every command that goes to a target, counted and timed. Names and values travel as latin1, byte for byte. */
import { Command, type Redis } from 'ioredis';

/** One reply as Redis sends it. */
export type Reply = string | number | null | Reply[];

/** Told of every call: its name and how long Redis was busy with it, as far as the worker can see. */
export type CallObserver = (call: string, ms: number) => void;

const NOT_ASCII = /[\u0080-\u00ff]/;

/** ioredis writes strings as UTF-8; bytes above 0x7f must go as they are. */
const asBytes = (text: string): string | Buffer => (NOT_ASCII.test(text) ? Buffer.from(text, 'latin1') : text);

export class Calls {
  /** Commands sent. */
  count = 0;
  slowestMs = 0;
  #lastReplyAt = 0;
  #underWay = 0;
  #restMs = 0;

  constructor(
    private readonly redis: Redis,
    private readonly nice: number,
    private readonly observe: CallObserver = () => {},
  ) {}

  /**
   * Sends one command; resolves to its reply and the time it took, in ms: since it was sent, or since the reply before
   * it where it had to queue behind that one. Replies that a busy worker reads in one go share the time they waited.
   */
  async send(name: string, args: readonly (string | number)[]): Promise<{ reply: Reply; ms: number }> {
    const encoded = args.map((arg) => (typeof arg === 'string' ? asBytes(arg) : String(arg)));
    const command = new Command(name, encoded, { replyEncoding: 'latin1' });
    const sentAt = performance.now();
    this.count++;
    const share = ++this.#underWay;
    const reply = (await (this.redis.sendCommand(command) as Promise<Reply>).finally(() => this.#underWay--)) as Reply;
    const repliedAt = performance.now();
    const ms = Math.max(repliedAt - Math.max(sentAt, this.#lastReplyAt), (repliedAt - sentAt) / share);
    this.#lastReplyAt = repliedAt;
    this.slowestMs = Math.max(this.slowestMs, ms);
    this.#restMs += ms * this.nice;
    this.observe(name, ms);
    return { reply, ms };
  }

  /** Rests for as long as `nice` asks, after what has been sent since the last rest. */
  async rest(): Promise<void> {
    // A timer can't wait for less than a millisecond, so small debts are saved up.
    if (this.#restMs < 1) return;
    const debtMs = this.#restMs;
    this.#restMs = 0;
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, debtMs));
    this.#restMs -= Math.max(0, performance.now() - startedAt - debtMs);
  }

  async close(): Promise<void> {
    this.redis.disconnect();
  }
}
