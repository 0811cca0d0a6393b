/** What is known about the key-value cache without a GPU: whose outputs it stores, and how long a head may be. */
import { InputError } from '../core/errors'
import { assumedHeadDim, DEFAULT_HEAD_DIMS } from '../methods/head-size'

/** Blocks of a quantized output begin anew at each head, so heads are whole numbers of standard MX blocks. */
const HEAD_STEP = 32

/** What assumedHeadDim does with an output, in words. */
export const HEAD_GUESS = `${DEFAULT_HEAD_DIMS.join(' where it divides the output, else ')}, else the whole row`

/** What a head may be in an output of `outDim` channels: the multiples of 32 that divide it, and all of it. */
export function possibleHeadDims(outDim: number): readonly number[] {
  const multiples = Array.from({ length: Math.floor(outDim / HEAD_STEP) }, (_, i) => (i + 1) * HEAD_STEP)
  return [...new Set([...multiples.filter((size) => outDim % size === 0), outDim])]
}

/**
 * Channels of one head of an output of `outDim` channels. Throws InputError SE-02, naming what is possible, unless
 * `asked` divides `outDim` and is a multiple of 32 or all of it.
 */
export function headDimOf(outDim: number, asked: number | null): number {
  if (asked === null) return assumedHeadDim(outDim)
  const possible = possibleHeadDims(outDim)
  if (possible.includes(asked)) return asked
  throw new InputError(
    'SE-02',
    `head dimension: expected one of ${possible.join(', ')} (they divide the ${outDim} output channels), found ${asked}.`,
  )
}

const KEY_OR_VALUE = /(^|[._/-])([kv]_proj|attn_[kv]|w[kv]|to_[kv]|key|value|(key|value)_proj|kv_[a-z_]*proj)([./-]|$)/i

/** True when a weight's name reads as a key or value projection: `self_attn.k_proj.weight`, `attention.wv.weight`. */
export function looksLikeKeyOrValue(name: string): boolean {
  return KEY_OR_VALUE.test(name)
}
