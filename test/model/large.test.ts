import { holds } from './holds.ts';

// Each takes as long as a hundred small ones.
holds(
  'large',
  2,
  'of thousands of coordinators, roles in hundreds of swarms, megabytes, partitions, exactly what the promises say is left, and reported (P2, P4, P6, P7, P8, P9, P11)',
);
