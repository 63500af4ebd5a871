/** slow way: a proxy in a process of its own, which delays what passes as a network does: half the round trip each way, and up to
 * so much more at random. Nothing overtakes on a connection. Its own work must not look like the worker's or Redis'.
 * It may also end each connection after so many bytes, both ways together, a number drawn anew for each.
 *
 *      node slowWay.mjs REDIS_PORT ROUND_TRIP_MS JITTER_MS [LEAST_BYTES MOST_BYTES]
 *
 * Prints its port, then `cut` for each connection that it ended; passes bytes until stdin closes.
 */
import { connect, createServer } from 'node:net';

const [redisPort, roundTripMs, jitterMs, leastBytes = Infinity, mostBytes = leastBytes] = process.argv
  .slice(2)
  .map(Number);

/** What of these bytes still passes on a connection. */
const admit = (line, bytes) => {
  const admitted = bytes.subarray(0, Math.min(bytes.length, line.left));
  line.left -= bytes.length;
  return admitted;
};

const pass = (from, to, line) => {
  let last = 0;
  const late = [];
  let timer;
  const flush = () => {
    timer = undefined;
    const now = performance.now();
    while (late.length > 0 && late[0].at <= now) {
      to.write(admit(line, late.shift().bytes));
      if (line.left > 0 || line.cut) continue;
      line.cut = true;
      console.log('cut');
      from.destroy();
      // What was written before still arrives.
      to.end();
    }
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
    if (!line.cut) to.destroy();
  });
};

const server = createServer((client) => {
  const redis = connect(redisPort, '127.0.0.1');
  const line = { left: leastBytes + Math.floor(Math.random() * (mostBytes - leastBytes || 0)), cut: false };
  pass(client, redis, line);
  pass(redis, client, line);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
