/** In which order columns are quantized: as they lie, by falling diagonal, or whole blocks by their largest diagonal. */
export type ColumnOrder = 'natural' | 'act-order' | 'group-order'

/**
 * The channel at each place of the processing order, for a Gram matrix with this `diagonal`. Equal elements keep their
 * natural order, so that results repeat. 'group-order' keeps blocks of `blockSize` channels together and sorts inside them
 * too; a short last block stays last, so that every block starts at a multiple of `blockSize`.
 */
export function processingOrder(
  order: ColumnOrder,
  diagonal: ArrayLike<number>,
  blockSize: number,
): Uint32Array<ArrayBuffer> {
  const channels = Uint32Array.from({ length: diagonal.length }, (_, channel) => channel)
  const falling = (a: number, b: number) => diagonal[b] - diagonal[a] || a - b
  if (order === 'natural') return channels
  if (order === 'act-order') return channels.sort(falling)
  const blocks: Uint32Array[] = []
  for (let begin = 0; begin < channels.length; begin += blockSize) {
    blocks.push(channels.slice(begin, begin + blockSize).sort(falling))
  }
  // The first channel of a sorted block has its largest diagonal.
  const isShort = (block: Uint32Array) => Number(block.length < blockSize)
  blocks.sort((a, b) => isShort(a) - isShort(b) || falling(a[0], b[0]))
  return Uint32Array.from(blocks.flatMap((block) => [...block]))
}
