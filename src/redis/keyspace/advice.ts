/** advice: what a look at a keyspace has to say to whoever configured it. */

/** What is wrong, and what to do about it. */
export interface Advice {
  readonly message: string;
  readonly advice: string;
}
