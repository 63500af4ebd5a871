/** A block that can't be read: cut off, altered, or not written by this version. What was in it is as if never seen. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock';
}
