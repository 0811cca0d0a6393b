/** Channels of one attention head: what is assumed where nobody has said. */

/** Channels per head when none are named: the first of these that divides the width, else the whole row. */
export const DEFAULT_HEAD_DIMS: readonly number[] = [128, 64]

/** The head size assumed in rows of `channels` channels. */
export function assumedHeadDim(channels: number): number {
  return DEFAULT_HEAD_DIMS.find((size) => channels % size === 0) ?? channels
}
