/** Memory of the affine maps in blocks. */
import type { Quantizer } from '../../formats/number-format'
import { scaleBlock } from '../channel-scaling/scale-block'
import {
  blockWords,
  type MethodSize,
  matrixClass,
  operandBytes,
  roundedCopies,
  type TransformMemory,
  wordsClass,
} from '../memory'
import type { RotationInput } from '../method'
import { hadamardSize } from '../rotation/block'

/** Buffers of the size of all blocks: values, best and two moments of them and of their inverses; gradients, and Newton's steps. */
const BLOCK_BUFFERS = 9 + 14

/** Of transforms/block-affine.ts. */
export function blockAffineMemory(size: MethodSize, { config, options }: RotationInput): TransformMemory {
  const { inDim, outDim } = size
  const block = hadamardSize(config, String(options.size))
  const blocks = matrixClass(block, inDim)
  const logits = config.weight ? 2 * blockWords(outDim, inDim, scaleBlock(config.weight) ?? block) : 0
  const kept = 2 * blocks + operandBytes(size).w + logits
  return {
    fitting: Math.max(kept, stepBytes(size, config, block)),
    shared: [],
    kept,
    applied: (rows) => matrixClass(rows, inDim),
    clips: { weight: config.weight !== null, activations: config.activation !== null },
  }
}

/** A step of learner.ts, with what the training holds. */
function stepBytes(size: MethodSize, { weight, activation }: RotationInput['config'], block: number): number {
  const { inDim, outDim, tokens } = size
  if (!weight && !activation) return 0
  const { w, x, y } = operandBytes(size)
  // Scaled, multiplied, gradient; clamped, rounded, largest magnitudes and gradients of blocks.
  const side = (rows: number, operand: number, quantizer: Quantizer | null) => {
    if (!quantizer) return 3 * operand
    const width = scaleBlock(quantizer) ?? block
    return (4 + roundedCopies(quantizer)) * operand + 2 * blockWords(rows, inDim, width)
  }
  // Logits with moments and best state, and the shares they stand for.
  const clip = weight ? 4 * blockWords(outDim, inDim, scaleBlock(weight) ?? block) : 0
  const learned = clip === 0 ? 0 : clip + wordsClass(2 * outDim * Math.ceil(inDim / block))
  const blocks = BLOCK_BUFFERS * matrixClass(block, inDim)
  return blocks + learned + side(tokens, x, activation) + side(outDim, w, weight) + 2 * y
}
