import fakeQuantizeSource from '../../../shaders/fake_quantize.wgsl?raw'
import subgroupSource from '../../../shaders/fake_quantize_subgroup.wgsl?raw'
import chunk from '../../../shaders/lib/chunk.wgsl?raw'
import quarter from '../../../shaders/lib/quarter.wgsl?raw'
import type { IntegerQuantizer, Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { CHUNK_COLS, chunkOverrides, gridContext, gridFor, gridKernels, kernelFor, takesQuarters } from './grid'
import { literalFactor, preDivide, preMultiply } from './pre-scale'

const WORKGROUP_SIZE = 64

export const fakeQuantizeKernels = gridKernels({
  name: 'fake_quantize',
  code: fakeQuantizeSource + chunk,
  bindings: ['read', 'read', 'write'],
})

/** Four invocations per chunk; needs the feature `subgroups`. */
export const fakeQuantizeSubgroupKernels = gridKernels({
  name: 'fake_quantize_subgroup',
  code: subgroupSource + chunk + quarter,
  bindings: ['read', 'read', 'write'],
})

/**
 * `matrix` rounded to `quantizer`, as the f32 values a decoder would read back.
 *
 * Shapes: [rows, cols] -> [rows, cols]; blocks run along cols, the last of a row may be short.
 * Accuracy: bit-exact; magnitudes above the largest element saturate. Non-finite: the whole block becomes NaN, but
 * 16-bit floats keep their infinities and NaN.
 * Source: docs/formats.md; per family the sources named in src/formats/.
 */
export function fakeQuantize(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): GpuMatrix {
  const factor = literalFactor(quantizer)
  if (factor === null) return onGrid(recorder, arena, matrix, { quantizer })
  const multiplied = preMultiply(recorder, arena, matrix, factor)
  return preDivide(recorder, arena, onGrid(recorder, arena, multiplied, { quantizer }), factor)
}

/**
 * The same under integers with a scale per row, the range of every row given rather than its own: elements beyond take
 * the outermost codes. `ranges` as rowRanges leaves them [rows, 2]; a range of zero has scale 1.
 */
export function fakeQuantizeWithin(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { quantizer, ranges }: { quantizer: IntegerQuantizer & { group: 'row' }; ranges: GPUBuffer },
): GpuMatrix {
  return onGrid(recorder, arena, matrix, { quantizer, context: ranges })
}

function onGrid(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { quantizer, context }: { quantizer: Quantizer; context?: GPUBuffer },
): GpuMatrix {
  const { rows, cols, stride } = matrix
  const plan = gridFor(quantizer)
  const target = arena.matrix(rows, cols, `${quantizer.format.id} values`)
  const inQuarters = takesQuarters(recorder, plan)
  const invocations = ((rows * stride) / CHUNK_COLS) * (inQuarters ? 4 : 1)
  recorder.dispatch(kernelFor(inQuarters ? fakeQuantizeSubgroupKernels : fakeQuantizeKernels, plan), {
    overrides: chunkOverrides(plan),
    uniforms: [rows, cols, stride, 0, ...plan.words],
    buffers: [matrix.buffer, context ?? gridContext(recorder, arena, matrix, plan), target.buffer],
    workgroups: Math.ceil(invocations / WORKGROUP_SIZE),
  })
  return target
}
