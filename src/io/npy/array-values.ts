/** Elements of NumPy arrays that are big-endian or column-major. */
import type { ByteSource } from '../byte-source'
import { type DecodableDtype, decodeElements } from '../element-values'
import { readBytes } from '../read-bytes'
import { type ArrayStorage, DTYPE_BITS, type RowRange, type TensorView } from '../tensor-view'

export type ArrayView = TensorView & { readonly storage: ArrayStorage }

/** Bytes of a column-major array read at a time. */
const PANEL_BYTES = 8_000_000

/** Turns elements of `size` bytes around, in place. */
function swapBytes(bytes: ArrayBuffer, size: number): void {
  const view = new Uint8Array(bytes)
  for (let at = 0; at < view.length; at += size) view.subarray(at, at + size).reverse()
}

/** Elements [first, first + count) in the order of the file. */
export async function readArraySlice(source: ByteSource, view: ArrayView, first: number, count: number) {
  // The reader of the header lets no dtype in that is not listed here.
  const dtype = view.dtype as DecodableDtype
  const size = DTYPE_BITS[dtype] / 8
  const begin = view.byteOffset + first * size
  const bytes = await readBytes(source, begin, begin + count * size)
  if (view.storage.bigEndian) swapBytes(bytes, size)
  return decodeElements(dtype, bytes, count)
}

/**
 * Rows [start, end) of an array as f32 [rows, cols], row-major. A column-major array [a, b, cols] has its row (i, j) at
 * i + a · j of every column; it is read whole, a few columns at a time.
 */
export async function readArrayRows(
  source: ByteSource,
  view: ArrayView,
  { start, end }: RowRange,
): Promise<Float32Array<ArrayBuffer>> {
  const cols = view.shape.at(-1) ?? 1
  if (!view.storage.columnMajor) {
    return new Float32Array(await readArraySlice(source, view, start * cols, (end - start) * cols))
  }
  const [slowest, inner] = view.shape.length === 3 ? view.shape : [1, view.shape[0]]
  const rows = slowest * inner
  const values = new Float32Array((end - start) * cols)
  const perPanel = Math.max(1, Math.floor(PANEL_BYTES / ((rows * DTYPE_BITS[view.dtype as DecodableDtype]) / 8)))
  for (let first = 0; first < cols; first += perPanel) {
    const count = Math.min(perPanel, cols - first)
    const panel = await readArraySlice(source, view, first * rows, count * rows)
    for (let row = start; row < end; row++) {
      const at = Math.floor(row / inner) + slowest * (row % inner)
      for (let col = 0; col < count; col++) values[(row - start) * cols + first + col] = panel[col * rows + at]
    }
  }
  return values
}
