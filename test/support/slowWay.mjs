/** slow way: a proxy in a process of its own, which delays what passes as a network does: half the round trip each way, and up to
 * so much more at random. Nothing overtakes on a connection. Its own work must not look like the worker's or Redis'.
 *
 *      node slowWay.mjs REDIS_PORT ROUND_TRIP_MS JITTER_MS       prints its port, then passes bytes until stdin closes
 */
import { connect, createServer } from 'node:net';

const [redisPort, roundTripMs, jitterMs] = process.argv.slice(2).map(Number);

const pass = (from, to) => {
  let last = 0;
  const late = [];
  let timer;
  const flush = () => {
    timer = undefined;
    const now = performance.now();
    while (late.length > 0 && late[0].at <= now) to.write(late.shift().bytes);
    if (late.length > 0) timer = setTimeout(flush, Math.max(0, late[0].at - performance.now()));
  };
  from.setNoDelay(true);
  from.on('data', (bytes) => {
    last = Math.max(last, performance.now() + roundTripMs / 2 + (Math.random() * jitterMs) / 2);
    late.push({ at: last, bytes });
    timer ??= setTimeout(flush, last - performance.now());
  });
  from.on('error', () => {});
  from.on('close', () => {
    clearTimeout(timer);
    to.destroy();
  });
};

const server = createServer((client) => {
  const redis = connect(redisPort, '127.0.0.1');
  pass(client, redis);
  pass(redis, client);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
