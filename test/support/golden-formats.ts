/** What the golden files of test/golden/formats say, in the shapes the kernels take. Runs in Node and in a browser. */
import type { Matrix } from '../../src/core/matrix'
import { int4 } from '../../src/formats/int4'
import { int8 } from '../../src/formats/int8'
import { mxfp4 } from '../../src/formats/mxfp4'
import { mxfp6E2m3 } from '../../src/formats/mxfp6-e2m3'
import { mxfp6E3m2 } from '../../src/formats/mxfp6-e3m2'
import { mxfp8E4m3 } from '../../src/formats/mxfp8-e4m3'
import { mxfp8E5m2 } from '../../src/formats/mxfp8-e5m2'
import { mxint8 } from '../../src/formats/mxint8'
import {
  BLOCK_SIZES,
  type BlockError,
  type IntegerQuantizer,
  type IntegerScheme,
  type MxFormat,
  type MxQuantizer,
  type NvfpQuantizer,
  type Rounding,
  type ScaleRule,
} from '../../src/formats/number-format'
import { nvfp4 } from '../../src/formats/nvfp4'
import { oracleDecode } from '../oracle/mx'
import type { GoldenTensor } from './safetensors-bytes'

interface CaseFacts {
  readonly id: string
  readonly file: string
  readonly input: string
  readonly axis: number
}

/** MX blocks: scale bytes and values must agree bit for bit. */
export interface GoldenCase extends CaseFacts {
  readonly kind: 'mx'
  readonly format: string
  readonly mode: string
  readonly block: number
  readonly scale_rule: ScaleRule
  readonly prescale: 0.75 | null
  readonly flush_subnormal_blocks: boolean
  readonly codes: string
  readonly scale: string
  readonly dq?: string
}

/** MX elements under one fp32 scale per block. */
export interface HighPrecisionCase extends CaseFacts {
  readonly kind: 'hp_scale'
  readonly format: string
  readonly mode: string
  readonly block: number
  readonly codes: string
  readonly scale: string
  readonly dq: string
  readonly near: string
}

/** NVFP4: two levels, one (g1), or four-over-six by one of three errors. */
export interface NvfpCase extends CaseFacts {
  readonly kind: 'nvfp4' | 'nvfp4_g1' | 'nvfp4_46_mse' | 'nvfp4_46_mae' | 'nvfp4_46_max'
  readonly block: 16
  readonly codes: string
  readonly scale: string
  readonly gs: string
  readonly dq: string
  readonly near: string
  readonly ambiguous?: string
}

/** Integers per row (`group` null) or group of 32. */
export interface IntegerCase extends CaseFacts {
  readonly kind: 'int'
  readonly bits: 4 | 8
  readonly scheme: string
  readonly group: 32 | null
  readonly q: string
  readonly scale: string
  readonly zero: string
  readonly dq: string
  readonly near: string
}

export type RealScaleCase = HighPrecisionCase | NvfpCase | IntegerCase

/** The cases of index.json, parsed or as text: those with power-of-two scales and those with real-valued ones. */
export function goldenCases(index: string | { readonly cases: readonly unknown[] }): {
  mx: GoldenCase[]
  real: RealScaleCase[]
} {
  const { cases } = (typeof index === 'string' ? JSON.parse(index) : index) as {
    cases: (GoldenCase | RealScaleCase)[]
  }
  return {
    mx: cases.filter((golden) => golden.kind === 'mx'),
    real: cases.filter((golden) => golden.kind !== 'mx'),
  }
}

const FORMATS: Readonly<Record<string, MxFormat>> = {
  fp8_e4m3: mxfp8E4m3,
  fp8_e5m2: mxfp8E5m2,
  fp6_e3m2: mxfp6E3m2,
  fp6_e2m3: mxfp6E2m3,
  fp4_e2m1: mxfp4,
  int8: mxint8,
}
const ROUNDING_NAMES: Readonly<Record<string, Rounding>> = {
  even: 'half-even',
  nearest: 'half-away',
  floor: 'toward-zero',
}
const SCHEMES: Readonly<Record<string, IntegerScheme>> = { sym_max: 'sym-max', sym_half: 'sym-half', asym: 'asym' }
const BLOCK_ERRORS: Readonly<Record<NvfpCase['kind'], BlockError | null>> = {
  nvfp4: null,
  nvfp4_g1: null,
  nvfp4_46_mse: 'mse',
  nvfp4_46_mae: 'mae',
  nvfp4_46_max: 'max',
}

/** A tensor as rows along `axis`: the block axis moved last, all others flattened in order. */
export function rowsAlong<T extends Float32Array | Uint8Array>(
  data: T,
  shape: readonly number[],
  axis: number,
): { rows: number; cols: number; data: T } {
  const at = axis < 0 ? axis + shape.length : axis
  const cols = shape[at]
  const inner = shape.slice(at + 1).reduce((product, n) => product * n, 1)
  const moved = data.slice() as T
  for (let i = 0; i < data.length; i++) {
    const outer = Math.floor(i / (inner * cols))
    const col = Math.floor(i / inner) % cols
    moved[(outer * inner + (i % inner)) * cols + col] = data[i]
  }
  return { rows: data.length / cols, cols, data: moved }
}

export function quantizerOf(golden: GoldenCase): MxQuantizer {
  return {
    family: 'mx',
    format: FORMATS[golden.format],
    blockSize: golden.block,
    scaleRule: golden.scale_rule,
    rounding: ROUNDING_NAMES[golden.mode],
    preScale: golden.prescale === null ? null : { factor: golden.prescale, variant: 'exact' },
    flushSubnormalBlocks: golden.flush_subnormal_blocks,
  }
}

/** The MX cases a quantizer can be made for: no blocks of 4, no pre-scale of wider elements. The codec takes all. */
export function onGpu(cases: readonly GoldenCase[]): GoldenCase[] {
  return cases.filter(({ block, prescale, format }) => {
    return BLOCK_SIZES.includes(block) && (prescale === null || FORMATS[format].element.bits === 4)
  })
}

/** The quantizer of a case with real-valued scales. */
export function realScaleQuantizer(golden: RealScaleCase): MxQuantizer | NvfpQuantizer | IntegerQuantizer {
  switch (golden.kind) {
    case 'hp_scale':
      return {
        family: 'mx',
        format: FORMATS[golden.format],
        blockSize: golden.block,
        scaleRule: 'fp32',
        rounding: ROUNDING_NAMES[golden.mode],
        preScale: null,
        flushSubnormalBlocks: false,
      }
    case 'int':
      return {
        family: 'integer',
        format: golden.bits === 4 ? int4 : int8,
        group: golden.group ?? 'row',
        scheme: SCHEMES[golden.scheme],
      }
    default:
      return {
        family: 'nvfp',
        format: nvfp4,
        fourOverSix: BLOCK_ERRORS[golden.kind],
        tensorScale: golden.kind !== 'nvfp4_g1',
      }
  }
}

export interface GoldenData {
  readonly input: Matrix
  readonly codes: Uint8Array
  readonly scales: Uint8Array
  /** [rows, cols]: decoded from codes and scales by the oracle, and equal to the file's values where it has them. */
  readonly values: Float32Array
}

function need(tensors: Map<string, GoldenTensor>, name: string): GoldenTensor {
  const tensor = tensors.get(name)
  if (!tensor) throw new Error(`golden file: no tensor "${name}"`)
  return tensor
}

export function dataOf(golden: GoldenCase, tensors: Map<string, GoldenTensor>): GoldenData {
  const x = need(tensors, golden.input)
  const along = <T extends Float32Array | Uint8Array>(data: T, shape = x.shape) => rowsAlong(data, shape, golden.axis)
  const input = along(x.floats())
  const codes = along(need(tensors, golden.codes).bytes).data
  const scaleTensor = need(tensors, golden.scale)
  const scales = along(scaleTensor.bytes, scaleTensor.shape).data
  if (golden.dq) return { input, codes, scales, values: along(need(tensors, golden.dq).floats()).data }
  const blocks = Math.ceil(input.cols / golden.block)
  const values = Float32Array.from(codes, (code, i) => {
    const row = Math.floor(i / input.cols)
    const byte = scales[row * blocks + Math.floor((i % input.cols) / golden.block)]
    return byte === 255 ? Number.NaN : oracleDecode(FORMATS[golden.format].id, code) * 2 ** (byte - 127)
  })
  return { input, codes, scales, values }
}

/** Codes and scales of a matrix under real-valued scales: what is recorded, and what a test found. */
export interface RealScaleCodes {
  /** [rows, cols]: raw codes of float elements, q of integers (signed, or unsigned with a zero point). */
  readonly codes: Int16Array
  /** [rows, blocks]: values of the block scales as f32; of NVFP4 the E4M3 byte. */
  readonly scales: Float32Array
  /** [rows, blocks]: zero points, 0 where there is none. */
  readonly zeros: Int16Array
  readonly values: Float32Array
}

export interface RealScaleData extends RealScaleCodes {
  readonly input: Matrix
  /** Elements in one block: the row for integers per row. */
  readonly blockSize: number
  /** NVFP4's fp32 scale, 1 elsewhere. */
  readonly tensorScale: number
  /** 1 where an adjacent code is as right as the recorded one. */
  readonly near: Uint8Array
  /** [rows, blocks]: 1 where either candidate of four-over-six is right. */
  readonly ambiguous: Uint8Array
}

function shorts({ bytes }: GoldenTensor): Int16Array {
  return new Int16Array(bytes.slice().buffer)
}

/** The recorded answer of a case with real-valued scales. All of them have their blocks along the last axis. */
export function realScaleData(golden: RealScaleCase, tensors: Map<string, GoldenTensor>): RealScaleData {
  const x = need(tensors, golden.input)
  const input = rowsAlong(x.floats(), x.shape, golden.axis)
  const scale = need(tensors, golden.scale)
  const blocks = scale.shape.reduce((product, n) => product * n, 1)
  const isNvfp = golden.kind !== 'int' && golden.kind !== 'hp_scale'
  const ambiguous = isNvfp && golden.ambiguous ? need(tensors, golden.ambiguous).bytes : new Uint8Array(blocks)
  return {
    input,
    blockSize: golden.kind === 'int' ? (golden.group ?? input.cols) : golden.block,
    codes: golden.kind === 'int' ? shorts(need(tensors, golden.q)) : Int16Array.from(need(tensors, golden.codes).bytes),
    scales: isNvfp ? Float32Array.from(scale.bytes) : scale.floats(),
    zeros: golden.kind === 'int' ? shorts(need(tensors, golden.zero)) : new Int16Array(blocks),
    values: need(tensors, golden.dq).floats(),
    tensorScale: isNvfp ? need(tensors, golden.gs).floats()[0] : 1,
    near: need(tensors, golden.near).bytes,
    ambiguous,
  }
}

/** f32 bits with one NaN and one zero, so that bit patterns can be compared as the conventions say. */
export function comparableBits(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.slice().buffer)
  return bits.map((word, i) => (Number.isNaN(values[i]) ? 0x7fc00000 : values[i] === 0 ? 0 : word))
}

const SMALLEST_NORMAL = 0x00800000

const SHOWN = 5

/**
 * Where `found` is not what the golden values are, the first few: all bits must agree, but a pre-scaled value that is
 * subnormal may be one unit in the last place off (index.json, conventions).
 */
export function mismatches(found: Float32Array, expected: Float32Array, preScaled = false): string[] {
  const a = comparableBits(found)
  const b = comparableBits(expected)
  if (a.length !== b.length) return [`expected ${b.length} values, found ${a.length}`]
  const bad: string[] = []
  for (let i = 0; i < b.length; i++) {
    if (a[i] === b[i]) continue
    const isSubnormal = (b[i] & 0x7fffffff) < SMALLEST_NORMAL
    if (!(preScaled && isSubnormal && Math.abs(a[i] - b[i]) <= 1)) {
      bad.push(`${i}: expected ${expected[i]}, found ${found[i]}`)
      if (bad.length === SHOWN) break
    }
  }
  return bad
}

/** Largest distance in ulp of a scale and of a value from the recorded one (index.json, conventions). */
const SCALE_ULPS = 2
const VALUE_ULPS = 3

/** Position of a code among the codes in order of their values: adjacent codes differ by one. */
function rankOf(golden: RealScaleCase, code: number): number {
  if (golden.kind === 'int') return code
  const signBit = golden.kind === 'hp_scale' ? 2 ** (FORMATS[golden.format].element.bits - 1) : 8
  if (golden.kind === 'hp_scale' && FORMATS[golden.format].element.kind === 'fixed') {
    return code < signBit ? code : code - 2 * signBit
  }
  return code < signBit ? code : signBit - code
}

function ulpsApart(a: number, b: number): number {
  const [left, right] = comparableBits(new Float32Array([a, b]))
  return a * b < 0 ? Infinity : Math.abs(left - right)
}

/**
 * Where codes, scales and values found for a case break its conventions, the first few. Codes must agree outside
 * `near`, where a neighbour is as good; f32 scales within 2 ulp, E4M3 bytes and zero points exactly; values within
 * 3 ulp where the codes agree. A block marked ambiguous is left out when it has the other scale. `exactly`: none of
 * this latitude.
 */
export function realScaleMismatches(
  golden: RealScaleCase,
  found: RealScaleCodes,
  expected: RealScaleData,
  exactly = false,
): string[] {
  const { input, blockSize } = expected
  const [scaleUlps, valueUlps] = exactly ? [0, 0] : [SCALE_ULPS, VALUE_ULPS]
  const near = exactly ? new Uint8Array(expected.near.length) : expected.near
  const ambiguous = exactly ? new Uint8Array(expected.ambiguous.length) : expected.ambiguous
  const perRow = Math.ceil(input.cols / blockSize)
  const bad: string[] = []
  const isNvfp = golden.kind !== 'int' && golden.kind !== 'hp_scale'
  expected.scales.forEach((scale, block) => {
    const right = isNvfp ? found.scales[block] === scale : ulpsApart(found.scales[block], scale) <= scaleUlps
    const start = Math.floor(block / perRow) * input.cols + (block % perRow) * blockSize
    const nearZero = golden.kind === 'int' && near[start] === 1
    const zeroRight = Math.abs(found.zeros[block] - expected.zeros[block]) <= (nearZero ? 1 : 0)
    if (!(right || ambiguous[block] === 1) || !zeroRight) {
      bad.push(`block ${block}: expected scale ${scale}, found ${found.scales[block]}`)
    }
  })
  expected.values.forEach((value, i) => {
    const block = Math.floor(i / input.cols) * perRow + Math.floor((i % input.cols) / blockSize)
    if (ambiguous[block] === 1 && found.scales[block] !== expected.scales[block]) return
    const apart = Math.abs(rankOf(golden, found.codes[i]) - rankOf(golden, expected.codes[i]))
    if (apart > (near[i] === 1 ? 1 : 0)) bad.push(`${i}: expected code ${expected.codes[i]}, found ${found.codes[i]}`)
    else if (apart === 0 && ulpsApart(found.values[i], value) > valueUlps) {
      bad.push(`${i}: expected ${value}, found ${found.values[i]}`)
    }
  })
  const all = found.values.length === expected.values.length && found.scales.length === expected.scales.length
  return all ? bad.slice(0, SHOWN) : [`expected ${expected.values.length} values, found ${found.values.length}`]
}
