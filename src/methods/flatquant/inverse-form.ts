import type { DenseMatrix } from '../../core/linear-algebra'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { smallProduct } from '../../gpu/kernels/small-product'
import type { FactorGradients } from '../../gpu/kernels/svd-factor'
import type { Recorder } from '../../gpu/recorder'
import { readFloats } from '../../gpu/transfer'
import { factorMatrices } from './factor'
import { followInverse, type LearnedFactor, uploadLearned } from './learned-factor'

/**
 * A step of Adam moves every entry of P by about the rate, hence P by at most rate · size in norm. Newton's iteration
 * converges below 1; at 0.5 it has room.
 */
const LARGEST_MOVE = 0.5

/** Uploads P as its own parameter, `learned` = [P], with A = P⁻ᵀ carried along. Source: FlatQuant's direct inverse. */
export function uploadInverseForm(gpu: Gpu, arena: Arena, start: DenseMatrix): LearnedFactor {
  const size = start.rows
  const p = uploadLearned(gpu, arena, start.data, 'P')
  const a = uploadLearned(gpu, arena, factorMatrices({ form: 'inverse', p: start }).a.data, 'A')
  return {
    size,
    p: p.value,
    a: a.value,
    learned: [p],
    carried: [a],
    largestRate: LARGEST_MOVE / size,
    gradients: (recorder, inner, given) => [throughInverse(recorder, inner, { size, inverse: a.value, ...given })],
    follow: (recorder, inner) =>
      followInverse(recorder, inner, { size, matrix: p.value, transposed: true, inverse: a }),
    readBest: async () => {
      const data = Float64Array.from(await readFloats(gpu, p.best, p.count))
      return { form: 'inverse', p: { rows: size, cols: size, data } }
    },
  }
}

/** gP − A gAᵀ A: the total gradient of P when A = P⁻ᵀ; of `count` matrices, 1 when left out. */
export function throughInverse(
  recorder: Recorder,
  arena: Arena,
  { size, count, gP, gA, inverse }: FactorGradients & { size: number; count?: number; inverse: GPUBuffer },
): GPUBuffer {
  const inner = smallProduct(recorder, arena, {
    size,
    count,
    left: gA,
    leftTransposed: true,
    right: inverse,
    factor: 1,
    addend: gP,
    addendFactor: 0,
  })
  return smallProduct(recorder, arena, {
    size,
    count,
    left: inverse,
    right: inner,
    factor: -1,
    addend: gP,
    addendFactor: 1,
  })
}
