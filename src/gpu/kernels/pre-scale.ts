import f32Bits from '../../../shaders/lib/f32_bits.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/pre_scale.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const WORD = 2 ** 32
/** A float64 of 0.5 or more is a multiple of 2^-53. */
const FACTOR_BITS = 53n

export const preScaleKernel: Kernel = {
  name: 'pre_scale',
  code: source + f32Bits + workgroupIndex,
  bindings: ['read', 'write'],
}

/** The factor of a literal pre-scale, which multiplies the tensor itself; null where there is none. */
export function literalFactor(quantizer: Quantizer): number | null {
  if (quantizer.family !== 'mx' || quantizer.preScale?.variant !== 'literal') return null
  return quantizer.preScale.factor === 1 ? null : quantizer.preScale.factor
}

/** `numerator` · 2^exponent / factor cut to an integer, its lowest bit set where a fraction was cut. */
function cutQuotient(numerator: bigint, factor: bigint): number {
  const quotient = (numerator << FACTOR_BITS) / factor
  return Number(quotient | ((numerator << FACTOR_BITS) % factor === 0n ? 0n : 1n))
}

function dispatch(recorder: Recorder, arena: Arena, matrix: GpuMatrix, factor: number, divide: boolean): GpuMatrix {
  const out = arena.matrix(matrix.rows, matrix.cols, divide ? 'pre-scale undone' : 'pre-scaled')
  const count = (matrix.rows * matrix.stride) / 4
  const fraction = BigInt(factor * 2 ** Number(FACTOR_BITS))
  const words = fraction << (64n - FACTOR_BITS)
  recorder.dispatch(preScaleKernel, {
    overrides: { DIVIDE: Number(divide) },
    uniforms: [
      count,
      0,
      Number(words % BigInt(WORD)),
      Number(words / BigInt(WORD)),
      cutQuotient(1n << 28n, fraction),
      cutQuotient(3n << 27n, fraction),
    ],
    buffers: [matrix.buffer, out.buffer],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
  return out
}

/**
 * `matrix` · factor, each element rounded once to nearest even; infinities and NaN stay. `factor`: a float64 from 0.5
 * to below 1. Shapes: [rows, cols] -> same.
 */
export function preMultiply(recorder: Recorder, arena: Arena, matrix: GpuMatrix, factor: number): GpuMatrix {
  return dispatch(recorder, arena, matrix, factor, false)
}

/** `values` / factor for E2M1 values under power-of-two scales, rounded likewise. Shapes: [rows, cols] -> same. */
export function preDivide(recorder: Recorder, arena: Arena, values: GpuMatrix, factor: number): GpuMatrix {
  return dispatch(recorder, arena, values, factor, true)
}
