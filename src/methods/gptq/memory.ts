/** What GPTQ needs beside the weight, before it runs. */
import { matrixBytes } from '../../gpu/gpu-matrix'
import { gramFits, slabRows } from './factor-slabs'

export interface GptqMemory {
  /** The largest single buffer. */
  readonly largest: number
  /** What is kept while the weight is walked: the factor. */
  readonly kept: number
  /** What finding it takes at most, the factor included. */
  readonly finding: number
}

/** Bytes GPTQ needs for `channels` within `limitBytes` a buffer, or the bytes of the smallest buffer that does not fit. */
export function gptqMemory(channels: number, limitBytes: number): GptqMemory | { readonly needs: number } {
  const whole = matrixBytes(channels, channels)
  if (gramFits(channels, limitBytes)) {
    // Gram matrix, remaining, pair; then the triangle in place of what was eliminated.
    return { largest: whole, kept: whole, finding: 3 * whole }
  }
  const rows = slabRows(channels, limitBytes)
  if (rows === 0) return { needs: matrixBytes(128, channels) }
  const slab = matrixBytes(rows, channels)
  const blocks = matrixBytes(channels, rows)
  // Slabs and triangles; while one slab is propagated, three strips as tall as all slabs, and a factorisation.
  return { largest: slab, kept: whole + blocks, finding: whole + 4 * blocks + 4 * matrixBytes(rows, rows) }
}
