/** Memory of the learned affine transform. */
import { type MethodSize, matrixClass, operandBytes, roundedCopies, type TransformMemory, wordsClass } from '../memory'
import type { RotationInput } from '../method'
import { shapeOf } from './shape'

/** Rows of a factor's gradient that are added up apart (kronecker-gradient.ts). */
const MAX_CHUNKS = 64
const MIN_ROWS_PER_CHUNK = 4

/** Square matrices of the size of a factor: what is learned with its moments and best state, and the steps of its inverses. */
const FACTOR_MATRICES = 42

/** Matrices that changeBasis leaves for one: scaled, and multiplied from either side. */
const COPIES = 3

/** The gradient of a factor of `size` from `rows` rows, and its parts. */
export function kroneckerGradientBytes(rows: number, size: number): number {
  const chunks = Math.ceil(rows / Math.max(MIN_ROWS_PER_CHUNK, Math.ceil(rows / MAX_CHUNKS)))
  return wordsClass(chunks * size * size) + wordsClass(size * size)
}

/** Of transforms/flatquant.ts. */
export function flatquantMemory(size: MethodSize, { config, options }: RotationInput): TransformMemory {
  const { inDim, outDim } = size
  const { a, b } = shapeOf(inDim, options)
  const bases = 2 * (wordsClass(inDim) + wordsClass(a * a) + wordsClass(b * b))
  const clips = config.weight ? 2 * wordsClass(2 * outDim) : 0
  const kept = bases + COPIES * operandBytes(size).w + clips
  return {
    fitting: Math.max(kept, stepBytes(size, config, { a, b })),
    shared: [],
    kept,
    applied: (rows) => COPIES * matrixClass(rows, inDim),
    clips: { weight: config.weight !== null, activations: config.activation !== null },
  }
}

/** A step of learner.ts, with what the training holds. */
function stepBytes(
  size: MethodSize,
  { weight, activation }: RotationInput['config'],
  { a, b }: { readonly a: number; readonly b: number },
): number {
  const { inDim, outDim, tokens } = size
  if (!weight && !activation) return 0
  const { w, x, y } = operandBytes(size)
  const factors = FACTOR_MATRICES * (wordsClass(a * a) + wordsClass(b * b)) + 16 * wordsClass(inDim)
  const side = (rows: number, operand: number, quantizer: typeof weight) => {
    // Scaled, through both factors and back; clamped, rounded, two floats per row and block, and extremes.
    const rounding = quantizer ? (1 + roundedCopies(quantizer)) * operand + clipBytes(rows, inDim) : 0
    return 6 * operand + rounding + kroneckerGradientBytes(rows, a) + kroneckerGradientBytes(rows, b)
  }
  const clips = weight ? 7 * wordsClass(2 * outDim) : 0
  const slabs = wordsClass((Math.ceil(tokens / 32) + Math.ceil(outDim / 32)) * inDim)
  return factors + clips + slabs + side(tokens, x, activation) + side(outDim, w, weight) + 2 * y
}

/** Gradients of row clips by block, and the extremes of rows. */
function clipBytes(rows: number, cols: number): number {
  return wordsClass(2 * rows * Math.ceil(cols / 32)) + wordsClass(4 * rows) + wordsClass(2 * rows)
}
