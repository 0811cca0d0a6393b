import { decodeElement } from '../formats/codec-element'
import { decodeScale } from '../formats/codec-scale'
import { mxfp4 } from '../formats/mxfp4'
import { mxfp6E2m3 } from '../formats/mxfp6-e2m3'
import { mxfp6E3m2 } from '../formats/mxfp6-e3m2'
import { mxfp8E4m3 } from '../formats/mxfp8-e4m3'
import { mxfp8E5m2 } from '../formats/mxfp8-e5m2'
import type { FloatElement } from '../formats/number-format'
import { DTYPE_BITS, type Dtype } from './tensor-view'

/** Every dtype whose elements are numbers of the real line. */
export type DecodableDtype = Exclude<Dtype, 'C64'>

/** The variants without negative zero: its code is the only NaN, and the bias is one higher. */
const fnuz = (element: FloatElement): FloatElement => ({ ...element, bias: element.bias + 1, maxCode: 0x7f })
const FNUZ_NAN = 0x80

const ELEMENTS = {
  F4: mxfp4.element,
  F6_E2M3: mxfp6E2m3.element,
  F6_E3M2: mxfp6E3m2.element,
  F8_E4M3: mxfp8E4m3.element,
  F8_E5M2: mxfp8E5m2.element,
  F8_E4M3FNUZ: fnuz({ ...mxfp8E4m3.element, kind: 'float', exponentBits: 4, mantissaBits: 3, bias: 7 }),
  F8_E5M2FNUZ: fnuz({ ...mxfp8E5m2.element, kind: 'float', exponentBits: 5, mantissaBits: 2, bias: 15 }),
} as const

type CodeDtype = keyof typeof ELEMENTS | 'F8_E8M0' | 'U8' | 'I8' | 'BOOL'

const tables = new Map<CodeDtype, Float64Array>()

function codeValue(dtype: CodeDtype, code: number): number {
  switch (dtype) {
    case 'F8_E8M0':
      return decodeScale(code)
    case 'U8':
      return code
    case 'I8':
      return (code << 24) >> 24
    case 'BOOL':
      return Number(code !== 0)
    case 'F8_E4M3FNUZ':
    case 'F8_E5M2FNUZ':
      return code === FNUZ_NAN ? Number.NaN : decodeElement(ELEMENTS[dtype], code)
    default:
      return decodeElement(ELEMENTS[dtype], code)
  }
}

/** The value of every code of a dtype of at most 8 bits. All are f32 values, E8M0's smallest a subnormal one. */
export function codeValues(dtype: CodeDtype): Float64Array {
  const known = tables.get(dtype)
  if (known) return known
  const table = Float64Array.from({ length: 2 ** DTYPE_BITS[dtype] }, (_, code) => codeValue(dtype, code))
  tables.set(dtype, table)
  return table
}

/**
 * `count` codes of 4, 6 or 8 bits from a little-endian bit stream: code i in bits bitOffset + i · bits and up, of which
 * bit b is bit b % 8 of byte ⌊b / 8⌋. For FP4 that is element 2i in the low nibble, as every known producer writes it.
 */
export function unpackCodes(bytes: Uint8Array, bits: 4 | 6 | 8, count: number, bitOffset = 0): Uint8Array {
  if (bits === 8) return bytes.subarray(bitOffset / 8, bitOffset / 8 + count)
  const codes = new Uint8Array(count)
  const mask = 2 ** bits - 1
  for (let i = 0, at = bitOffset; i < count; i++, at += bits) {
    const byte = at >>> 3
    // Past the last byte lies nothing that the mask keeps.
    codes[i] = ((bytes[byte] | ((bytes[byte + 1] ?? 0) << 8)) >>> (at & 7)) & mask
  }
  return codes
}

/** The value of an IEEE 754 binary16. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (0x400 + fraction) * 2 ** (exponent - 25)
}

let halves: Float32Array | null = null

/** The value of every binary16. */
function halfValues(): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfValue(bits))
  return halves
}

/** The f32 whose upper halves these are. */
function upperHalves(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length)
  for (let i = 0; i < words.length; i++) bits[i] = words[i] << 16
  return new Float32Array(bits.buffer)
}

function lookUp(codes: Uint8Array | Uint16Array, table: Float32Array | Float64Array): Float32Array {
  const values = new Float32Array(codes.length)
  for (let i = 0; i < codes.length; i++) values[i] = table[codes[i]]
  return values
}

/**
 * A 64-bit integer as float64. Below 2^53 exact; beyond it cut by 11 bits, the last one kept set when anything was lost
 * (rounding to odd), so that rounding the result to f32 equals rounding the integer once.
 */
function wideInteger(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  if (magnitude < 1n << 53n) return Number(value)
  // 64-bit integers have at most 11 bits more than a float64.
  const cut = magnitude >> 11n
  const lost = (magnitude & 0x7ffn) === 0n ? 0n : 1n
  return Number(cut | lost) * (value < 0n ? -2048 : 2048)
}

function wideIntegers(integers: BigInt64Array | BigUint64Array): Float64Array {
  return Float64Array.from({ length: integers.length }, (_, i) => wideInteger(integers[i]))
}

/**
 * The first `count` elements of little-endian `bytes`, the first one at bit `bitOffset` (0 for dtypes of whole bytes).
 *
 * Exact for every dtype but 64-bit integers beyond 2^53 (see wideInteger). Storing the result as f32 rounds once, half
 * to even: F64 and wide integers lose bits, F64 magnitudes beyond the largest f32 become infinite and are then counted
 * like any other non-finite element; no integer is that large.
 */
export function decodeElements(
  dtype: DecodableDtype,
  bytes: ArrayBuffer,
  count: number,
  bitOffset = 0,
): Float32Array | Float64Array {
  switch (dtype) {
    case 'F64':
      return new Float64Array(bytes, 0, count)
    case 'F32':
      return new Float32Array(bytes, 0, count)
    case 'BF16':
      return upperHalves(new Uint16Array(bytes, 0, count))
    case 'F16':
      return lookUp(new Uint16Array(bytes, 0, count), halfValues())
    case 'I64':
      return wideIntegers(new BigInt64Array(bytes, 0, count))
    case 'U64':
      return wideIntegers(new BigUint64Array(bytes, 0, count))
    case 'I32':
      return new Float64Array(new Int32Array(bytes, 0, count))
    case 'U32':
      return new Float64Array(new Uint32Array(bytes, 0, count))
    case 'I16':
      return new Float32Array(new Int16Array(bytes, 0, count))
    case 'U16':
      return new Float32Array(new Uint16Array(bytes, 0, count))
    default:
      return lookUp(unpackCodes(new Uint8Array(bytes), DTYPE_BITS[dtype], count, bitOffset), codeValues(dtype))
  }
}
