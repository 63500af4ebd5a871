/** burst: many small commands that travel together and are answered one by one: sent alone, each would cost both sides a system call.
 *  Others' commands may come between them, as between any two.
 */
import { Bulk } from './bulk.ts';
import type { Redis } from '../connection/ioredis.ts';
import { EncodedCommand, type Reply } from './wire.ts';

/** So many bytes go at once, a longer command alone: Redis reads them in pieces of 16 KB, and serves others between those. */
const MOST_BYTES = 64 * 1024;
const SPARE_BYTES = 16 * 1024;

/** Answers with what is in a stream, or waits for it as long as the connection stands; writes nothing, so it is done where memory is full. */
const ASKING_FOR_PASS = ['xread', 'COUNT', '1', 'BLOCK', '0', 'STREAMS'];

/** Commands of one name, as they travel. */
export class Burst {
  readonly commands = new Bulk(MOST_BYTES + SPARE_BYTES);
  /** How many commands it holds. */
  count = 0;
  /** How many go before them. */
  readonly unasked: number;
  readonly #name: Buffer;

  /**
   * @param pass a stream that shows that they come in time: once it has expired none of them is done. Redis has the connection wait there
   * for something in it, and with it all that comes behind, until whoever sent them ends it; where it has ended already, all goes with it
   */
  constructor(
    readonly name: string,
    pass: string | null = null,
  ) {
    this.#name = Buffer.from(name, 'latin1');
    this.unasked = pass === null ? 0 : 1;
    if (pass === null) return;
    this.commands.beginCommand(ASKING_FOR_PASS.length + 2);
    for (const word of [...ASKING_FOR_PASS, pass, '0-0']) this.commands.addText(word);
  }

  get isFull(): boolean {
    return this.commands.bytes.length >= MOST_BYTES;
  }

  /** Opens a command: so many arguments are to be added to `commands`, not counting its name. */
  open(args: number): void {
    this.count++;
    this.commands.beginCommand(args + 1);
    this.commands.add(this.#name);
  }

  /** Lets go of the bytes, for others to write over. */
  clear(): void {
    this.commands.clear();
  }
}

/** Where the commands behind the first go, whose bytes went with it. */
const NOWHERE = { write: () => true } as unknown as NonNullable<Parameters<Redis['sendCommand']>[1]>;

/** Stands for all commands of a burst where replies are awaited: each of them comes to it in turn. */
export class BurstCommand extends EncodedCommand {
  readonly #replies: (Reply | Error)[] = [];
  #ended = false;

  constructor(
    burst: Burst,
    private readonly most = burst.unasked + burst.count,
  ) {
    super(burst.name, burst.commands.bytes, null);
    const { resolve, reject } = this;
    const take = (reply: Reply | Error) => {
      if (this.#ended) return;
      this.#replies.push(reply);
      if (this.#replies.length < this.most) return;
      this.#ended = true;
      resolve(this.#replies);
    };
    this.resolve = (reply) => take(reply as Reply);
    this.reject = (error) => {
      // Of one command; anything else is of the connection, and so of all.
      if (error.name === 'ReplyError') take(error);
      else if (!this.#ended) {
        this.#ended = true;
        reject(error);
      }
    };
  }

  /** Sends it over an open connection, else rejects; resolves to the replies in their order, bulk strings as bytes, errors of Redis in their places. */
  async over(redis: Redis): Promise<readonly (Reply | Error)[]> {
    // Kept until a connection is ready, the first would go without the others.
    if (redis.status !== 'ready') throw new Error('the connection is not open');
    const answered = redis.sendCommand(this) as Promise<readonly (Reply | Error)[]>;
    for (let i = 1; i < this.most && !this.#ended; i++) redis.sendCommand(this, NOWHERE);
    return await answered;
  }
}
