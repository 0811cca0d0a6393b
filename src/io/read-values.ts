/** Tensors of any dtype and storage as numbers: slice by slice, or rows of a matrix as f32. */
import type { ByteSource } from './byte-source'
import { decodeElements } from './element-values'
import { readArrayRows, readArraySlice } from './npy/array-values'
import { readPackedRows } from './packing/decode'
import { readBytes } from './read-bytes'
import { checkDecodable } from './tensor-bytes'
import { DTYPE_BITS, type RowRange, type SourceOf, type TensorView } from './tensor-view'

const elementsOf = ({ shape }: TensorView) => shape.reduce((product, axis) => product * axis, 1)

/** Elements [first, first + count) of a tensor without `storage`, as decodeElements has them. */
async function readElements(source: ByteSource, view: TensorView, first: number, count: number) {
  const { dtype } = view
  if (dtype === 'C64' || !(dtype in DTYPE_BITS)) throw new Error(`readElements: no elements of dtype ${dtype}`)
  const plain = dtype as keyof typeof DTYPE_BITS & Parameters<typeof decodeElements>[0]
  const bits = DTYPE_BITS[plain]
  const begin = Math.floor((first * bits) / 8)
  const end = Math.ceil(((first + count) * bits) / 8)
  const bytes = await readBytes(source, view.byteOffset + begin, view.byteOffset + end)
  return decodeElements(plain, bytes, count, first * bits - 8 * begin)
}

/**
 * Rows [start, end) of a tensor as f32 [rows, cols], row-major. Reads their bytes (of a column-major array: all of them,
 * a panel at a time) and allocates a few times the result.
 *
 * Accuracy: every value is rounded to f32 once, half to even; see decodeElements and packing/decode.ts.
 * Throws InputError TS-01 for complex numbers, PK-04 for packed parts that contradict each other, FileError IO-01.
 */
export async function readRows(
  sourceOf: SourceOf,
  view: TensorView,
  { start, end }: RowRange,
): Promise<Float32Array<ArrayBuffer>> {
  checkDecodable(view)
  const { storage } = view
  if (storage?.kind === 'packed') return readPackedRows(sourceOf, { ...view, storage }, { start, end })
  if (storage?.kind === 'array') return readArrayRows(sourceOf(view), { ...view, storage }, { start, end })
  const cols = view.shape.at(-1) ?? 1
  const values = await readElements(sourceOf(view), view, start * cols, (end - start) * cols)
  return values instanceof Float32Array ? (values as Float32Array<ArrayBuffer>) : new Float32Array(values)
}

/**
 * All elements of a tensor in the order of the file, about `sliceElements` at a time; F64 and integers as float64.
 * Throws what readRows throws.
 */
export async function* valueSlices(
  sourceOf: SourceOf,
  view: TensorView,
  sliceElements: number,
): AsyncGenerator<Float32Array | Float64Array> {
  checkDecodable(view)
  const elements = elementsOf(view)
  const { storage } = view
  if (storage?.kind === 'packed') {
    const cols = view.shape.at(-1) ?? 1
    const rows = cols === 0 ? 0 : elements / cols
    const perSlice = Math.max(1, Math.floor(sliceElements / Math.max(cols, 1)))
    for (let start = 0; start < rows; start += perSlice) {
      yield await readRows(sourceOf, view, { start, end: Math.min(start + perSlice, rows) })
    }
    return
  }
  for (let first = 0; first < elements; first += sliceElements) {
    const count = Math.min(sliceElements, elements - first)
    yield storage
      ? await readArraySlice(sourceOf(view), { ...view, storage }, first, count)
      : await readElements(sourceOf(view), view, first, count)
  }
}
