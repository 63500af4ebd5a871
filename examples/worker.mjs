// Runs from a BullMQ queue of one's own, beside whatever else it does.
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createProcessor } from 'stalesweep';

const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const clean = createProcessor({ redis: connection, schema: 'swarm', staleAfter: '10m', maxStaleFraction: 0.9 });

const worker = new Worker('housekeeping', clean, { connection });
const queue = new Queue('housekeeping', { connection });
const events = new QueueEvents('housekeeping', { connection });

const job = await queue.add('sweep', { dryRun: true }, { attempts: 3, backoff: { type: 'exponential', delay: 2_000 } });
const report = await job.waitUntilFinished(events);
console.log(`${report.outcome}: ${report.coordinators.stale} stale, ${report.keys.found} keys would go`);

await Promise.all([worker.close(), queue.close(), events.close()]);
connection.disconnect();
