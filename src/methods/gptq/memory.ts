/** What GPTQ needs beside the weight, before it runs. */
import { matrixBytes } from '../../gpu/gpu-matrix'
import { ERROR_COLS } from '../../gpu/kernels/gptq-columns'
import { gridFor } from '../../gpu/kernels/grid'
import { literalFactor } from '../../gpu/kernels/pre-scale'
import {
  blockWords,
  type MethodSize,
  type MitigationMemory,
  matrixClass,
  operandBytes,
  type TransformMemory,
} from '../memory'
import type { RotationInput } from '../method'
import { factorPlace } from './factor'
import { gramFits, slabRows } from './factor-slabs'
import { GRAM } from './hessian'
import { gptqChoices } from './options'
import { factorName } from './quantize-weight'

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

/** As compensate. */
export function compensationMemory(
  size: MethodSize,
  { config, options }: RotationInput,
  { clips }: Pick<TransformMemory, 'clips'>,
): MitigationMemory {
  const { inDim, outDim, limitBytes } = size
  const quantizer = config.weight
  if (!quantizer) return { working: 0, shared: [], kept: 0, rank: 0 }
  const { w } = operandBytes(size)
  const literal = literalFactor(quantizer) === null ? 0 : w
  const { block } = gridFor(quantizer)
  const kept = w + literal + 2 * blockWords(outDim, inDim, block)
  const scratch = clips.weight ? w : 0
  const choices = gptqChoices(options)
  const factor = factorBytes(size, choices.damping)
  // In processing order, errors of a run of columns; multiplied first under a literal pre-scale.
  const walking = kept + literal + w + matrixClass(outDim, ERROR_COLS)
  if (!gramFits(inDim, limitBytes)) {
    const coupling = 3 * w
    const working = scratch + Math.max(factor.finding, factor.kept + walking + coupling)
    return { working, shared: [], kept, rank: 0 }
  }
  const gram = matrixClass(inDim, inDim)
  return {
    working: scratch + Math.max(factor.finding - gram - factor.kept, walking),
    shared: [
      { name: GRAM, bytes: gram },
      { name: factorName({ ...choices, quantizer }), bytes: factor.kept },
    ],
    kept,
    rank: 0,
  }
}

/** gptqMemory where the factor is computed as factorPlace says. */
function factorBytes({ inDim, limitBytes, isSoftware }: MethodSize, damping: number): GptqMemory {
  const onGpu = factorPlace({ adapter: { isSoftware } }, inDim, damping) === 'gpu'
  if (!gramFits(inDim, limitBytes) || onGpu) {
    const memory = gptqMemory(inDim, limitBytes)
    return 'needs' in memory ? { largest: 0, kept: 0, finding: 0 } : memory
  }
  const whole = matrixClass(inDim, inDim)
  return { largest: whole, kept: whole, finding: 2 * whole }
}
