import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { readNonFinite, widen } from '../gpu/kernels/widen'
import { Recorder } from '../gpu/recorder'
import { uploadWords } from '../gpu/transfer'
import type { ByteSource } from '../io/byte-source'
import { checkFinite, type NonFiniteCounts } from '../io/non-finite'
import { checkDecodable, narrowF64, readTensorBytes } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'

/** A tensor and the open file it is in. */
export interface TensorSource {
  readonly source: ByteSource
  readonly tensor: TensorView
}

/** Half-open range of rows, a row being the last axis of a tensor. */
export interface RowRange {
  readonly start: number
  readonly end: number
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

/**
 * Rows [start, end) of a tensor as an f32 matrix on the GPU, its last axis along the columns, and how many of its
 * elements are not finite. The bytes go up as they stand in the file and are widened there (F64 is narrowed first).
 * Throws InputError TS-01 for a dtype without real numbers, UnsupportedError GP-02 beyond the adapter's limits.
 */
export async function uploadRows(
  { source, tensor }: TensorSource,
  range: RowRange,
  { gpu, arena, signal }: LoadContext,
): Promise<{ matrix: GpuMatrix; nonFinite: NonFiniteCounts }> {
  checkDecodable(tensor)
  const bytes = await readTensorBytes(source, tensor, range)
  signal.throwIfAborted()
  const { dtype } = tensor
  const words = dtype === 'F64' ? narrowF64(bytes) : wholeWords(bytes)
  const temporary = new Arena(gpu)
  try {
    const raw = uploadWords(gpu, temporary, words, `${tensor.name} as stored`)
    const recorder = new Recorder(gpu)
    const widened = widen(recorder, arena, raw, {
      dtype: dtype === 'F64' ? 'F32' : dtype,
      rows: range.end - range.start,
      cols: tensor.shape.at(-1) ?? 1,
    })
    recorder.submit()
    const nonFinite = await readNonFinite(gpu, widened.nonFinite)
    signal.throwIfAborted()
    return { matrix: widened.matrix, nonFinite }
  } finally {
    temporary.release()
  }
}

/** As `uploadRows`, for rows that must be finite. Throws InputError TS-04 saying how many are not, and where. */
export async function loadRows(from: TensorSource, range: RowRange, context: LoadContext): Promise<GpuMatrix> {
  const { matrix, nonFinite } = await uploadRows(from, range, context)
  checkFinite(from.tensor, nonFinite, { startRow: range.start, count: matrix.rows * matrix.cols })
  return matrix
}
