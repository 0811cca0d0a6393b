import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { readNonFinite, type WidenableDtype, warmWiden, widen } from '../gpu/kernels/widen'
import { Recorder } from '../gpu/recorder'
import { uploadWords } from '../gpu/transfer'
import type { ByteSource } from '../io/byte-source'
import { addNonFinite, checkFinite, countNonFinite, NO_NON_FINITE, type NonFiniteCounts } from '../io/non-finite'
import { readRows } from '../io/read-values'
import { checkDecodable, readTensorBytes } from '../io/tensor-bytes'
import type { RowRange, TensorView } from '../io/tensor-view'

/** A tensor and the open file it is in. */
export interface TensorSource {
  readonly source: ByteSource
  readonly tensor: TensorView
}

export interface LoadContext {
  readonly gpu: Gpu
  /** Owns the matrices. */
  readonly arena: Arena
  readonly signal: AbortSignal
}

/** File bytes as whole 32-bit words; a half word at the end is filled up with zeros. */
function wholeWords(bytes: ArrayBuffer): Uint32Array<ArrayBuffer> {
  if (bytes.byteLength % 4 === 0) return new Uint32Array(bytes)
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4)
  padded.set(new Uint8Array(bytes))
  return new Uint32Array(padded.buffer)
}

/** F32 bytes decoded on the way to the GPU at a time. */
const CHUNK_BYTES = 16_000_000

interface Uploaded {
  readonly matrix: GpuMatrix
  readonly nonFinite: NonFiniteCounts
}

/** The dtype `widen` takes the tensor's bytes in, or null when they have to be decoded here. */
function widenable({ dtype, storage }: TensorView): WidenableDtype | null {
  return !storage && (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') ? dtype : null
}

/**
 * Rows [start, end) of a tensor as an f32 matrix on the GPU, its last axis along the columns, and how many of its
 * elements are not finite. F32, F16 and BF16 go up as they stand in the file and are widened there; all else is decoded
 * a few rows at a time (io/read-values.ts). Throws InputError TS-01 for complex numbers, PK-04 for packed parts that
 * contradict each other, UnsupportedError GP-02 beyond the adapter's limits.
 */
export async function uploadRows(from: TensorSource, range: RowRange, context: LoadContext): Promise<Uploaded> {
  checkDecodable(from.tensor)
  const dtype = widenable(from.tensor)
  return dtype ? uploadWidened(from, { range, dtype }, context) : uploadDecoded(from, range, context)
}

async function uploadWidened(
  { source, tensor }: TensorSource,
  { range, dtype }: { range: RowRange; dtype: WidenableDtype },
  { gpu, arena, signal }: LoadContext,
): Promise<Uploaded> {
  const compiled = warmWiden(gpu, dtype)
  compiled.catch(() => {}) // heard below, unless there is nothing to widen
  const bytes = await readTensorBytes(source, tensor, range)
  await compiled
  signal.throwIfAborted()
  const temporary = new Arena(gpu)
  try {
    const raw = uploadWords(gpu, temporary, wholeWords(bytes), `${tensor.name} as stored`)
    const recorder = new Recorder(gpu)
    const rows = range.end - range.start
    const widened = widen(recorder, arena, raw, { dtype, rows, cols: tensor.shape.at(-1) ?? 1 })
    recorder.submit()
    const nonFinite = await readNonFinite(gpu, widened.nonFinite)
    signal.throwIfAborted()
    return { matrix: widened.matrix, nonFinite }
  } finally {
    temporary.release()
  }
}

async function uploadDecoded(
  { source, tensor }: TensorSource,
  { start, end }: RowRange,
  { gpu, arena, signal }: LoadContext,
): Promise<Uploaded> {
  const matrix = arena.matrix(end - start, tensor.shape.at(-1) ?? 1, `${tensor.name} decoded`)
  const { cols, stride } = matrix
  // A column-major array is read whole for any of its rows, so all are asked for at once.
  const isWhole = tensor.storage?.kind === 'array' && tensor.storage.columnMajor
  const perChunk = isWhole ? end - start : Math.max(1, Math.floor(CHUNK_BYTES / (4 * stride)))
  let nonFinite = NO_NON_FINITE
  for (let row = start; row < end; row += perChunk) {
    const values = await readRows(() => source, tensor, { start: row, end: Math.min(row + perChunk, end) })
    signal.throwIfAborted()
    const done = row - start
    nonFinite = addNonFinite(nonFinite, countNonFinite(values), done * cols)
    gpu.device.queue.writeBuffer(matrix.buffer, 4 * done * stride, padRows(values, cols, stride))
  }
  return { matrix, nonFinite }
}

/** Rows of `cols` values with zeros behind each up to `stride`. */
function padRows(values: Float32Array<ArrayBuffer>, cols: number, stride: number): Float32Array<ArrayBuffer> {
  if (stride === cols) return values
  const padded = new Float32Array((values.length / cols) * stride)
  for (let row = 0; row * cols < values.length; row++) {
    padded.set(values.subarray(row * cols, (row + 1) * cols), row * stride)
  }
  return padded
}

/** As `uploadRows`, for rows that must be finite. Throws InputError TS-04 saying how many are not, and where. */
export async function loadRows(from: TensorSource, range: RowRange, context: LoadContext): Promise<GpuMatrix> {
  const { matrix, nonFinite } = await uploadRows(from, range, context)
  checkFinite(from.tensor, nonFinite, { startRow: range.start, count: matrix.rows * matrix.cols })
  return matrix
}
