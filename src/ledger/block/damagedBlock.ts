/** A block that can't be read: cut off, altered, or not written by this version. What was in it is lost, and nothing else is. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock';
}
