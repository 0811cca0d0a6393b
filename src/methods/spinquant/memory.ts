/** Memory of the learned rotation. */
import { kroneckerShape } from '../../core/kronecker'
import { kroneckerGradientBytes } from '../flatquant/memory'
import { type MethodSize, matrixClass, NO_CLIPS, operandBytes, roundedCopies, type TransformMemory } from '../memory'
import type { RotationInput } from '../method'
import { isDense, withoutWeights } from './form'

/** Square matrices of a Cayley step: S, six points and sums, one product in passing, two of the last correction, Q Sᵀ. */
const CAYLEY_MATRICES = 10

/** Of transforms/spinquant.ts. */
export function spinquantMemory(size: MethodSize, input: RotationInput): TransformMemory {
  const { inDim } = size
  const { w } = operandBytes(size)
  const dense = isDense(inDim, input.options)
  const { a, b } = dense ? { a: inDim, b: 0 } : kroneckerShape(inDim)
  const rotation = matrixClass(a, a) + (dense ? 0 : matrixClass(b, b))
  const copies = dense ? 1 : 2
  // R is kept as it was found and as it was cleaned.
  const after = 2 * rotation + copies * w
  return {
    fitting: Math.max(after + 3 * rotation, stepBytes(size, input, { a, b, rotation, dense })),
    shared: [],
    kept: rotation + copies * w,
    applied: (rows) => copies * matrixClass(rows, inDim),
    clips: NO_CLIPS,
  }
}

/** A step of learner.ts, with what the training holds: where R started or was best, and where it is. */
function stepBytes(
  size: MethodSize,
  input: RotationInput,
  {
    a,
    b,
    rotation,
    dense,
  }: { readonly a: number; readonly b: number; readonly rotation: number; readonly dense: boolean },
): number {
  const { outDim, tokens } = size
  const { weight, activation } = input.config
  if (!weight && !activation) return 0
  const { w, x, y } = operandBytes(size)
  const learned = withoutWeights(input) ? null : weight
  // Rotated, rounded, gradient; through two factors a product more on the way there and back.
  const perOperand = dense ? 2 : 4
  const operands = (perOperand + roundedCopies(learned)) * w + (perOperand + roundedCopies(activation)) * x
  const gradients = dense ? 3 * rotation : factorGradients([outDim, tokens], a, b) + 5 * rotation
  const largest = Math.max(a, b)
  const cayley = CAYLEY_MATRICES * matrixClass(largest, largest)
  return 2 * rotation + operands + 2 * y + gradients + cayley
}

/** Gradients of both factors from both operands, by chunk. */
function factorGradients(rows: readonly number[], a: number, b: number): number {
  return rows.reduce((sum, count) => sum + kroneckerGradientBytes(count, a) + kroneckerGradientBytes(count, b), 0)
}
