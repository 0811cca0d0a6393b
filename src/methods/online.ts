/** The steps X goes through at inference, as data another program can repeat (docs/export.md). */
import type { HadamardPlan } from '../core/hadamard'
import type { Quantizer } from '../formats/number-format'
import type { Gpu } from '../gpu/device'
import { readFloats } from '../gpu/transfer'
import type { Clip, OnlineStep, OnlineTensor } from './method'
import { clipSetsRange } from './rounding/round-activations'

const tensor = (name: string, shape: readonly number[], data: ArrayLike<number>): OnlineTensor => ({
  name,
  shape,
  data: Float32Array.from(data),
})

/** x · diag(scale) */
export function scaleStep(scale: ArrayLike<number>): OnlineStep {
  return {
    kind: 'scale',
    facts: { channels: scale.length },
    tensors: async () => [tensor('scale', [scale.length], scale)],
  }
}

/** Random signs of a Hadamard matrix and the seed they come from; null: none. */
export type SeededSigns = { readonly values: Int8Array; readonly seed: number } | null

/** The outer factor as it multiplies runs from the right: [k, k'], orthogonal. */
function outerMatrix(plan: HadamardPlan): Float64Array {
  const { order } = plan
  if (plan.kind === 'mixed') return plan.rotation
  const base = plan.base ?? []
  return Float64Array.from({ length: order * order }, (_, i) => {
    return base[(i % order) * order + Math.floor(i / order)] / Math.sqrt(order)
  })
}

/** (x ⊙ signs) (outer ⊗ H_run / √run), H_run the Walsh-Hadamard matrix in natural order. */
export function hadamardStep(plan: HadamardPlan, signs: SeededSigns): OnlineStep {
  const { n, order, log2, kind } = plan
  return {
    kind: 'hadamard',
    facts: { channels: n, order, run: 2 ** log2, matrix: kind, seed: signs?.seed ?? null },
    tensors: async () => [
      ...(signs ? [tensor('signs', [n], signs.values)] : []),
      ...(order > 1 ? [tensor('outer', [order, order], outerMatrix(plan))] : []),
    ],
  }
}

/** (x ⊙ signs) (I ⊗ H_size / √size), H_size the Walsh-Hadamard matrix in natural order. */
export function blockHadamardStep(channels: number, size: number, signs: SeededSigns): OnlineStep {
  return {
    kind: 'block-hadamard',
    facts: { channels, size, seed: signs?.seed ?? null },
    tensors: async () => (signs ? [tensor('signs', [channels], signs.values)] : []),
  }
}

/** Reads the f32 values the GPU multiplies with. */
type ReadValues = () => Promise<ArrayLike<number>>

/** x (left ⊗ right): x as a matrix M [a, b] becomes leftᵀ · M · right. */
export function kroneckerStep(
  { a, b }: { readonly a: number; readonly b: number },
  factors: { readonly left: ReadValues; readonly right: ReadValues },
): OnlineStep {
  return {
    kind: 'kronecker',
    facts: { channels: a * b, a, b },
    tensors: async () => [tensor('left', [a, a], await factors.left()), tensor('right', [b, b], await factors.right())],
  }
}

/** x · matrix */
export function matrixStep(channels: number, read: ReadValues): OnlineStep {
  return {
    kind: 'matrix',
    facts: { channels },
    tensors: async () => [tensor('matrix', [channels, channels], await read())],
  }
}

/** Every run of `size` channels times its own matrix [size, size], or the one they share. */
export function blockMatrixStep(channels: number, size: number, matrices: ArrayLike<number>): OnlineStep {
  const shared = matrices.length === size * size && channels > size
  return {
    kind: 'block-matrix',
    facts: { channels, size, shared },
    tensors: async () => [tensor('matrix', shared ? [size, size] : [channels / size, size, size], matrices)],
  }
}

/**
 * How X' is clamped before it is rounded by `quantizer`: nothing where activations stay as they are, since the clip then
 * has no part in the product. `values`: elements are clamped; `range`: the scale of a row is taken from the clamped
 * range and the codes do the clamping (clipSetsRange).
 */
export function clipSteps(
  gpu: Gpu,
  { clip, channels }: { readonly clip: Clip | null; readonly channels: number },
  quantizer: Quantizer | null,
): readonly OnlineStep[] {
  if (!clip || !quantizer) return []
  const steps: OnlineStep[] = []
  const rows = clip.activation
  if (rows) {
    steps.push({
      kind: 'clip',
      facts: { channels, of: 'row', sets: clipSetsRange(quantizer) ? 'range' : 'values' },
      tensors: async () => [tensor('shares', [2], await readFloats(gpu, rows, 2))],
    })
  }
  const inBlocks = clip.activationBlocks
  if (inBlocks) {
    const { width, per, factors } = inBlocks
    const columns = width === 'row' ? channels : width
    const count = per === 'matrix' ? 1 : Math.ceil(channels / columns)
    steps.push({
      kind: 'clip',
      facts: { channels, of: 'block', width: columns, sets: 'values' },
      tensors: async () => [tensor('shares', [count], await readFloats(gpu, factors, count))],
    })
  }
  return steps
}
