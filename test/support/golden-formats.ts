/** What the golden files of test/golden/formats say, in the shapes the kernels take. Runs in Node and in a browser. */
import type { Matrix } from '../../src/core/matrix'
import type { Quantizer, Rounding, ScaleRule } from '../../src/formats/number-format'
import { formatById } from '../../src/formats/registry'
import { oracleDecode } from '../oracle/mx'
import type { GoldenTensor } from './safetensors-bytes'

export interface GoldenCase {
  readonly id: string
  readonly file: string
  readonly input: string
  readonly format: string
  readonly mode: string
  readonly axis: number
  readonly block: number
  readonly scale_rule: ScaleRule
  readonly prescale: 0.75 | null
  readonly codes: string
  readonly scale: string
  readonly dq?: string
}

const FORMAT_IDS: Readonly<Record<string, string>> = {
  fp8_e4m3: 'mxfp8_e4m3',
  fp8_e5m2: 'mxfp8_e5m2',
  fp6_e3m2: 'mxfp6_e3m2',
  fp6_e2m3: 'mxfp6_e2m3',
  fp4_e2m1: 'mxfp4',
  int8: 'mxint8',
}
const ROUNDING_NAMES: Readonly<Record<string, Rounding>> = {
  even: 'half-even',
  nearest: 'half-away',
  floor: 'toward-zero',
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

export function quantizerOf(golden: GoldenCase): Quantizer {
  const format = { ...formatById(FORMAT_IDS[golden.format]), blockSize: golden.block }
  return {
    format,
    scaleRule: golden.scale_rule,
    rounding: ROUNDING_NAMES[golden.mode],
    preScale: golden.prescale,
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
    return byte === 255 ? Number.NaN : oracleDecode(FORMAT_IDS[golden.format], code) * 2 ** (byte - 127)
  })
  return { input, codes, scales, values }
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
