/** unsettled: why heartbeats of a chunk stay whose things were removed; the next run goes on from there. */
import { Failure } from '../../../domain/failure.ts';

/** What was removed may come back with a failover. */
export function unfollowed(): Failure {
  const sentence =
    'no replica has heard in time of what was removed at a node of the cluster, which could fail over now';
  return new Failure('UNREACHABLE', `${sentence}: so heartbeats stay, and the next run goes on from there`);
}

/** Some of it is there again. */
export function putBackMeanwhile(): Failure {
  const sentence = 'somebody has put back meanwhile what this run had set aside, as one does who takes it for killed';
  return new Failure('UNREACHABLE', `${sentence}: so heartbeats stay, and the next run goes on from there`);
}
