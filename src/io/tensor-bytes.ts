import { InputError } from '../core/errors'
import type { ByteSource } from './byte-source'
import { quoted } from './number-text'
import { readBytes } from './read-bytes'
import { type DecodableDtype, DTYPE_BITS, type TensorView } from './tensor-view'

/** Dtypes that are read as numbers today. F64 is narrowed on the CPU (narrowF64), the others widened on the GPU. */
export const DECODABLE: readonly DecodableDtype[] = ['F32', 'F16', 'BF16', 'F64']

/** A tensor whose elements can be read as numbers. */
export type DecodableView = TensorView & { readonly dtype: DecodableDtype }

/** True for tensors of real numbers in a dtype of DECODABLE. */
export function decodable(view: TensorView): view is DecodableView {
  return DECODABLE.some((dtype) => dtype === view.dtype)
}

/**
 * The tensor as a matrix. A weight is [out, in] and must have two axes; activations are [..., in], their leading axes
 * folded into tokens. Throws InputError TS-01 (dtype) and TS-02 (axes, or an axis of length 0).
 */
export function matrixShape(view: TensorView, role: 'weight' | 'activations'): { rows: number; cols: number } {
  checkDecodable(view)
  const { shape } = view
  const what = `tensor ${quoted(view.name)}`
  const listed = `(${shape.join(', ')})`
  const fits = role === 'weight' ? shape.length === 2 : shape.length >= 2
  if (!fits) {
    const expected = role === 'weight' ? 'expected 2 dimensions' : 'expected 2 or more dimensions'
    const slices = role === 'weight' && shape.length === 3 ? ' A stack of matrices cannot be opened as one weight.' : ''
    throw new InputError('TS-02', `${what}: ${expected}, found ${shape.length} ${listed}.${slices}`)
  }
  if (shape.includes(0)) throw new InputError('TS-02', `${what}: expected at least one element, found shape ${listed}.`)
  const cols = shape[shape.length - 1]
  return { rows: shape.slice(0, -1).reduce((product, axis) => product * axis, 1), cols }
}

/** Throws InputError TS-01 when the tensor's elements cannot be read as numbers. */
export function checkDecodable(view: TensorView): asserts view is DecodableView {
  if (decodable(view)) return
  const real = view.dtype.startsWith('F')
  const reason = real ? 'is not read yet' : 'holds no real numbers that can be quantized'
  const advice = real ? `Choose a tensor in ${DECODABLE.join(', ')}.` : 'Choose a floating-point tensor.'
  throw new InputError('TS-01', `tensor ${quoted(view.name)}: dtype ${view.dtype} ${reason}. ${advice}`)
}

/**
 * The bytes of a tensor as they stand in the file, or of rows [start, end) of it, a row being its last axis. Reads
 * exactly those bytes. Throws FileError IO-01 when they cannot be read, RangeError for rows outside the tensor.
 */
export async function readTensorBytes(
  source: ByteSource,
  view: TensorView,
  rows?: { readonly start: number; readonly end: number },
): Promise<ArrayBuffer> {
  const { byteOffset, byteLength } = view
  if (!rows) return readBytes(source, byteOffset, byteOffset + byteLength)
  const cols = view.shape.at(-1) ?? 1
  const rowBytes = (cols * DTYPE_BITS[view.dtype]) / 8
  if (!(rows.start >= 0 && rows.start <= rows.end && rows.end * rowBytes <= byteLength) || rowBytes % 1 !== 0) {
    throw new RangeError(`tensor ${quoted(view.name)}: no rows ${rows.start} … ${rows.end} in ${byteLength} bytes`)
  }
  return readBytes(source, byteOffset + rows.start * rowBytes, byteOffset + rows.end * rowBytes)
}

/**
 * F64 little-endian bytes as f32, each value rounded to nearest, ties to even. Magnitudes beyond the largest f32
 * become infinite and are then counted and located like any other non-finite element.
 */
export function narrowF64(bytes: ArrayBuffer): Float32Array<ArrayBuffer> {
  return Float32Array.from(new Float64Array(bytes))
}
