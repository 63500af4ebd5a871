/** cluster-key-slot comes without types. */
declare module 'cluster-key-slot' {
  /** The slot of a name; of a text, that of its UTF-8. */
  export default function slotOf(name: Uint8Array | string): number;
}
