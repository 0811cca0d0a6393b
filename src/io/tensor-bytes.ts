import { InputError } from '../core/errors'
import type { ByteSource } from './byte-source'
import type { DecodableDtype } from './element-values'
import { quoted } from './number-text'
import { readBytes } from './read-bytes'
import { PACKED_BITS, type PackedType, storedBits, type TensorView } from './tensor-view'

/** Dtypes of real numbers: what a weight or activations may be stored as, packed tensors besides. */
export const REAL_DTYPES = [
  'F32',
  'F16',
  'BF16',
  'F64',
  'F8_E4M3',
  'F8_E5M2',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'F6_E2M3',
  'F6_E3M2',
  'F4',
] as const satisfies readonly DecodableDtype[]

/** A tensor whose elements can be read as numbers: of every dtype but complex, and packed ones. */
export type DecodableView = TensorView & { readonly dtype: DecodableDtype | PackedType }

/** A tensor of real numbers, which can be quantized. */
export type RealView = TensorView & { readonly dtype: (typeof REAL_DTYPES)[number] | PackedType }

const isPackedType = (dtype: string): boolean => Object.hasOwn(PACKED_BITS, dtype)

/** True for tensors whose elements can be read as numbers. */
export function decodable(view: TensorView): view is DecodableView {
  return view.dtype !== 'C64'
}

/** True for tensors of real numbers: floats of any width, and packed tensors. Integers and scales are not. */
export function isReal(view: TensorView): view is RealView {
  return isPackedType(view.dtype) || REAL_DTYPES.some((dtype) => dtype === view.dtype)
}

/**
 * The tensor as a matrix. A weight is [out, in] and must have two axes; activations are [..., in], their leading axes
 * folded into tokens. Throws InputError TS-01 (dtype) and TS-02 (axes, or an axis of length 0).
 */
export function matrixShape(view: TensorView, role: 'weight' | 'activations'): { rows: number; cols: number } {
  checkReal(view)
  const { shape } = view
  const what = `tensor ${quoted(view.name)}`
  const listed = `(${shape.join(', ')})`
  const fits = role === 'weight' ? shape.length === 2 : shape.length >= 2
  if (!fits) {
    const expected = role === 'weight' ? 'expected 2 dimensions' : 'expected 2 or more dimensions'
    const slices = role === 'weight' && shape.length === 3 ? ` Choose a slice, 0 … ${shape[0] - 1}.` : ''
    throw new InputError('TS-02', `${what}: ${expected}, found ${shape.length} ${listed}.${slices}`)
  }
  if (shape.includes(0)) throw new InputError('TS-02', `${what}: expected at least one element, found shape ${listed}.`)
  const cols = shape[shape.length - 1]
  return { rows: shape.slice(0, -1).reduce((product, axis) => product * axis, 1), cols }
}

/** Throws InputError TS-01 when the tensor's elements cannot be read as numbers. */
export function checkDecodable(view: TensorView): asserts view is DecodableView {
  if (decodable(view)) return
  const message = `dtype ${view.dtype} holds complex numbers, which are not read. Choose another tensor.`
  throw new InputError('TS-01', `tensor ${quoted(view.name)}: ${message}`)
}

/** Throws InputError TS-01 when the tensor holds no real numbers. */
export function checkReal(view: TensorView): asserts view is RealView {
  checkDecodable(view)
  if (isReal(view)) return
  const scales = view.dtype === 'F8_E8M0' ? 'holds scales, no numbers' : 'holds no real numbers'
  const message = `dtype ${view.dtype} ${scales} that can be quantized. Choose a floating-point tensor.`
  throw new InputError('TS-01', `tensor ${quoted(view.name)}: ${message}`)
}

/**
 * The bytes of a tensor as they stand in the file, or of rows [start, end) of it, a row being its last axis. Reads
 * exactly those bytes. Throws FileError IO-01 when they cannot be read, RangeError for rows outside the tensor, rows
 * that do not end on a byte, and tensors whose bytes are not their elements in order (`storage`).
 */
export async function readTensorBytes(
  source: ByteSource,
  view: TensorView,
  rows?: { readonly start: number; readonly end: number },
): Promise<ArrayBuffer> {
  const { byteOffset, byteLength } = view
  if (view.storage) throw new RangeError(`tensor ${quoted(view.name)}: its bytes are not its elements in order`)
  if (!rows) return readBytes(source, byteOffset, byteOffset + byteLength)
  const cols = view.shape.at(-1) ?? 1
  const rowBytes = (cols * storedBits(view.dtype)) / 8
  if (!(rows.start >= 0 && rows.start <= rows.end && rows.end * rowBytes <= byteLength) || rowBytes % 1 !== 0) {
    throw new RangeError(`tensor ${quoted(view.name)}: no rows ${rows.start} … ${rows.end} in ${byteLength} bytes`)
  }
  return readBytes(source, byteOffset + rows.start * rowBytes, byteOffset + rows.end * rowBytes)
}
