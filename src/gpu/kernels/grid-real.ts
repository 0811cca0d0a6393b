/** The grids under scales that are not powers of two: NVFP4, MX elements with an fp32 scale, integers. */
import e2m1Table from '../../../shaders/lib/e2m1_table.wgsl?raw'
import fp32Scale from '../../../shaders/lib/fp32_scale.wgsl?raw'
import e2m1Real from '../../../shaders/lib/grid_e2m1_real.wgsl?raw'
import gridInteger from '../../../shaders/lib/grid_integer.wgsl?raw'
import gridMxFp32 from '../../../shaders/lib/grid_mx_fp32.wgsl?raw'
import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import quotient from '../../../shaders/lib/quotient.wgsl?raw'
import realScale from '../../../shaders/lib/real_scale.wgsl?raw'
import scaleFp32E2m1 from '../../../shaders/lib/scale_fp32_e2m1.wgsl?raw'
import scaleNvfp4 from '../../../shaders/lib/scale_nvfp4.wgsl?raw'
import { type IntegerQuantizer, type MxQuantizer, type NvfpQuantizer, ROUNDINGS } from '../../formats/number-format'
import { uploadWords } from '../transfer'
import { divisorOverrides } from './fp32-divisor'
import type { GridLibrary, GridPlan } from './grid-plan'
import { magnitudeMax } from './magnitude-max'
import { elementOverrides } from './mx-overrides'
import { rowRanges } from './row-ranges'
import { tensorScale } from './tensor-scale'

const NVFP4: GridLibrary = { name: 'nvfp4', code: scaleNvfp4 + e2m1Real + e2m1Table + realScale }
const E2M1_FP32: GridLibrary = { name: 'e2m1_fp32', code: scaleFp32E2m1 + fp32Scale + e2m1Real + e2m1Table + realScale }
const MX_FP32: GridLibrary = { name: 'mx_fp32', code: gridMxFp32 + mxElement + quotient + fp32Scale + realScale }
const INTEGER: GridLibrary = { name: 'integer', code: gridInteger + quotient + fp32Scale + realScale }

export const REAL_LIBRARIES: readonly GridLibrary[] = [NVFP4, E2M1_FP32, MX_FP32, INTEGER]

/** Largest block scale the tensor scale aims at: that of E4M3, or with four over six one that leaves room for 1.5 times. */
const E4M3_TOP = 448
const FOUR_OVER_SIX_TOP = 256
const ONE_BITS = 0x3f800000

/** NVFP4: the context is the fp32 scale of the tensor. */
export function nvfpGrid({ format, fourOverSix, tensorScale: isScaled, tensorMaximum }: NvfpQuantizer): GridPlan {
  const divisor = format.element.maxFinite * (fourOverSix === null ? E4M3_TOP : FOUR_OVER_SIX_TOP)
  const maximumOf: NonNullable<GridPlan['context']> = (recorder, arena, matrix) =>
    tensorMaximum === undefined
      ? magnitudeMax(recorder, arena, matrix)
      : uploadWords(recorder.gpu, arena, Float32Array.of(tensorMaximum), 'maximum of the tensor')
  return {
    library: NVFP4,
    overrides: {},
    words: [],
    block: format.blockSize,
    codeBits: 4,
    scaleBytes: 1,
    candidates: fourOverSix === null ? 1 : 2,
    errorKind: fourOverSix ?? 'mse',
    context: (recorder, arena, matrix) =>
      isScaled
        ? tensorScale(recorder, arena, maximumOf(recorder, arena, matrix), divisor)
        : uploadWords(recorder.gpu, arena, new Uint32Array([ONE_BITS]), 'tensor scale'),
  }
}

/** MX elements with the scale of figure 4 of arXiv 2601.09555: an f32 per block, no E8M0. */
export function fp32Grid(quantizer: MxQuantizer): GridPlan {
  const { element } = quantizer.format
  const isE2m1 = element.bits === 4
  return {
    library: isE2m1 ? E2M1_FP32 : MX_FP32,
    overrides: {
      ...(isE2m1 ? { ROUNDING: ROUNDINGS.indexOf(quantizer.rounding) } : elementOverrides(quantizer)),
      ...divisorOverrides(element.maxFinite),
      FLUSH: Number(quantizer.flushSubnormalBlocks),
    },
    words: [],
    block: quantizer.blockSize,
    codeBits: isE2m1 ? 4 : 8,
    scaleBytes: 4,
    candidates: 1,
    errorKind: 'mse',
    context: null,
  }
}

/** Steps of the scale in the largest magnitude, or in the whole range under 'asym'. */
export function integerSteps({ format, scheme }: IntegerQuantizer): number {
  const steps = 2 ** format.element.bits - 1
  return { 'sym-max': (steps - 1) / 2, 'sym-half': steps / 2, asym: steps }[scheme]
}

/** Integers per row (the context is the range of every row) or group. */
export function integerGrid(quantizer: IntegerQuantizer): GridPlan {
  const { format, group, scheme } = quantizer
  const { bits } = format.element
  const isAsymmetric = scheme === 'asym'
  return {
    library: INTEGER,
    overrides: {
      INTEGER_BITS: bits,
      ASYMMETRIC: Number(isAsymmetric),
      PER_ROW: Number(group === 'row'),
      ...divisorOverrides(integerSteps(quantizer)),
    },
    words: [],
    block: group,
    codeBits: bits,
    scaleBytes: isAsymmetric ? 8 : 4,
    candidates: 1,
    errorKind: 'mse',
    context: group === 'row' ? rowRanges : null,
  }
}
