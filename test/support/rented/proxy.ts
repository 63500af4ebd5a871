/** proxy: a Redis as a service rents it out: a real one behind a door that lets through what the service takes, and answers the rest
 * in the service's own words. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { argumentsIn, Values } from './resp.ts';

/** What becomes of a command: it passes; or it is answered here, in RESP; or its reply is changed; or nothing ever comes of it. */
export type Verdict = 'pass' | 'vanish' | { readonly answer: string } | { readonly change: (reply: string) => string };

/** What the door does with a command: its name in capitals, then its arguments, a character a byte. One for each server. */
export type Rule = (command: readonly string[]) => Verdict;

export class RentedRedis {
  readonly url: string;
  /** Every command that came, in order. */
  readonly commands: (readonly string[])[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly redisPort: number,
    private readonly rule: Rule,
  ) {
    this.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket: Socket) => this.#serve(socket));
  }

  static async open(redisPort: number, rule: Rule): Promise<RentedRedis> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RentedRedis(server, redisPort, rule);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #serve(client: Socket): void {
    const redis = connect(this.redisPort, '127.0.0.1');
    /** For each reply that Redis owes, what is to be done with it; answers of our own wait for their turn. */
    const owed: (((reply: string) => string) | string)[] = [];
    const settle = () => {
      for (; typeof owed[0] === 'string'; owed.shift()) client.write(owed[0], 'latin1');
    };
    const [requests, replies] = [new Values(), new Values()];
    client.on('data', (bytes) => {
      for (const request of requests.take(bytes)) {
        const [name = '', ...args] = argumentsIn(request);
        const command = [name.toUpperCase(), ...args];
        this.commands.push(command);
        const verdict = this.rule(command);
        if (verdict === 'vanish') continue;
        if (verdict === 'pass' || 'change' in verdict) {
          owed.push(verdict === 'pass' ? (reply) => reply : verdict.change);
          redis.write(request);
        } else owed.push(verdict.answer);
      }
      settle();
    });
    redis.on('data', (bytes) => {
      for (const reply of replies.take(bytes)) {
        const next = owed.shift();
        if (typeof next === 'function') client.write(next(reply.toString('latin1')), 'latin1');
        settle();
      }
    });
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
