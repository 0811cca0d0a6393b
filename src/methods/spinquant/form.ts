/** How the rotation R of SpinQuant is composed of learned orthogonal matrices. */
import type { KroneckerShape } from '../../core/kronecker'
import type { OptionValues } from '../../core/options'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { kroneckerLeft, kroneckerRight } from '../../gpu/kernels/kronecker'
import { kroneckerGradient } from '../../gpu/kernels/kronecker-gradient'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import { packRows, padRows } from '../../gpu/kernels/repack-rows'
import type { Recorder } from '../../gpu/recorder'
import type { RotationInput } from '../method'

/** Up to this width form 'auto' learns all of R: a step takes 16 n³ operations for it. */
const LARGEST_DENSE = 2048

/** Whether R of `n` channels is learned as one matrix. */
export const isDense = (n: number, { form }: OptionValues) =>
  form === 'dense' || (form === 'auto' && n <= LARGEST_DENSE)

/** Whether R is learned with weights as they are. */
export const withoutWeights = ({ config, options }: RotationInput) =>
  options.objective === 'activations' && config.activation !== null

/** One operand in the rotated basis, and the way back to the matrices it was rotated by. */
export interface RotatedOperand {
  /** matrix · R [rows, n] */
  readonly values: GpuMatrix
  /** From ∂/∂values to ∂/∂(each matrix of the form), in its order, the matrices taken as free of constraints. */
  gradients(recorder: Recorder, arena: Arena, gradient: GpuMatrix): readonly GpuMatrix[]
}

/** R as a function of square orthogonal matrices. */
export interface RotationForm {
  /** Sizes of the matrices. */
  readonly sizes: readonly number[]
  /** Multiplies and adds of rotating one row and of its part of the gradients. */
  readonly operationsPerRow: number
  rotate(recorder: Recorder, arena: Arena, matrix: GpuMatrix, matrices: readonly GpuMatrix[]): RotatedOperand
}

/** R [n, n] itself: X' = X R, gR = Xᵀ gX'. */
export function denseForm(n: number): RotationForm {
  return {
    sizes: [n],
    operationsPerRow: 4 * n * n,
    rotate: (recorder, arena, matrix, [rotation]) => ({
      values: matmulNn(recorder, arena, matrix, rotation),
      gradients: (then, inner, gradient) => [matmulTn(then, inner, matrix, gradient)],
    }),
  }
}

/** R = R_a ⊗ R_b for n = a · b channels: the factors of FlatQuant, both orthogonal. */
export function kroneckerForm({ a, b }: KroneckerShape): RotationForm {
  return {
    sizes: [a, b],
    operationsPerRow: 6 * a * b * (a + b),
    rotate: (recorder, arena, matrix, matrices) => {
      const [left, right] = matrices.map((factor) => packRows(recorder, arena, factor))
      const product = kroneckerRight(recorder, arena, matrix, { a, b, factor: right, transposed: false })
      return {
        values: kroneckerLeft(recorder, arena, product, { a, b, factor: left, transposed: false }),
        gradients: (then, inner, gradient) => {
          const back = kroneckerLeft(then, inner, gradient, { a, b, factor: left, transposed: true })
          const gLeft = kroneckerGradient(then, inner, { left: product, right: gradient }, { a, b, factor: 'left' })
          const gRight = kroneckerGradient(then, inner, { left: matrix, right: back }, { a, b, factor: 'right' })
          return [padRows(then, inner, gLeft, { rows: a, cols: a }), padRows(then, inner, gRight, { rows: b, cols: b })]
        },
      }
    },
  }
}
