/** reading: what was read of a heartbeat, where its schema says that it stands. What kinds there are is for redis/kinds. */

/** There is none any more. */
export const ABSENT: unique symbol = Symbol('absent');
/** Something is there that can hold no heartbeat of this kind. */
export const OTHER_TYPE: unique symbol = Symbol('other type');

/** The bytes that tell of the last beat, or why there are none. */
export type Reading = Buffer | typeof ABSENT | typeof OTHER_TYPE;
