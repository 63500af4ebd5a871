import { holds } from './holds.ts';

holds(
  'own',
  24,
  'with any schema, of any keyspace exactly what the promises say is left, and reported (P2, P4, P5, P7, P8, P11)',
);
