/** What the block inspector reads from the operands of a loaded layer. */
import type { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { blockMaxima, CELL_WORDS } from '../gpu/kernels/block-maxima'
import { magnitudeMax } from '../gpu/kernels/magnitude-max'
import { Recorder } from '../gpu/recorder'
import { readFloats, readWords } from '../gpu/transfer'
import type { LoadedLayer } from './load-layer'

/** The side of the product a block is taken from. */
export type Operand = 'weight' | 'activations'

export interface BlockMapQuery {
  readonly operand: Operand
  /** Elements of one block, along `in`. */
  readonly blockSize: number
}

/** The largest magnitude per block, pooled by maximum to at most 128 x 256 cells. */
export interface BlockMap extends BlockMapQuery {
  /** Rows of the operand (output rows or tokens), its width, and blocks of one row. */
  readonly rows: number
  readonly inDim: number
  readonly blocks: number
  readonly mapRows: number
  readonly mapCols: number
  /** [mapRows, mapCols], row-major, in the unit of the operand. */
  readonly maxima: Float32Array
  /** Of each cell the block that holds its maximum, as row · blocks + block; the first where several do. */
  readonly at: Uint32Array
}

export interface RowQuery {
  readonly operand: Operand
  readonly row: number
}

/** One row of an operand, and what formats with a scale for the tensor need to know of the rest. */
export interface TensorRow extends RowQuery {
  /** [in] */
  readonly values: Float32Array
  /** Largest magnitude of the whole operand. */
  readonly tensorMax: number
}

/**
 * The matrices an operand lies in, one below the other. Tokens count through: calibration rows first, then those held
 * out, as they stand in the tensor they were taken from.
 */
function partsOf({ weight, calibration, evaluation }: LoadedLayer, operand: Operand): readonly GpuMatrix[] {
  if (operand === 'weight') return [weight]
  return calibration === evaluation ? [calibration] : [calibration, evaluation]
}

/** Maps the blocks of an operand. One submit, one read-back; scratch memory comes from `arena`. */
export async function mapBlocks(
  layer: LoadedLayer,
  { operand, blockSize }: BlockMapQuery,
  { gpu, arena }: { readonly gpu: Gpu; readonly arena: Arena },
): Promise<BlockMap> {
  const parts = partsOf(layer, operand)
  const recorder = new Recorder(gpu)
  const { cells, rows, cols, blocks } = blockMaxima(recorder, arena, parts, blockSize)
  recorder.submit()
  const words = await readWords(gpu, cells, CELL_WORDS * rows * cols)
  const maximumBits = Uint32Array.from({ length: rows * cols }, (_, cell) => words[CELL_WORDS * cell])
  return {
    operand,
    blockSize,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    inDim: parts[0].cols,
    blocks,
    mapRows: rows,
    mapCols: cols,
    maxima: new Float32Array(maximumBits.buffer),
    at: Uint32Array.from(maximumBits, (_, cell) => words[CELL_WORDS * cell + 1] - 1),
  }
}

/** Reads one row of an operand; a row beyond the last gives the last. One submit, one read-back. */
export async function readRow(
  layer: LoadedLayer,
  { operand, row }: RowQuery,
  { gpu, arena }: { readonly gpu: Gpu; readonly arena: Arena },
): Promise<TensorRow> {
  const parts = partsOf(layer, operand)
  const totalRows = parts.reduce((sum, { rows }) => sum + rows, 0)
  const wanted = Math.min(row, totalRows - 1)
  const part = wanted < parts[0].rows ? parts[0] : parts[1]
  const within = wanted < parts[0].rows ? wanted : wanted - parts[0].rows
  const { cols, stride } = part
  const recorder = new Recorder(gpu)
  const maxima = parts.map((each) => magnitudeMax(recorder, arena, each))
  const packed = arena.buffer(4 * (cols + maxima.length), 'row and maxima')
  recorder.copy(part.buffer, packed, 4 * cols, { from: 4 * within * stride })
  maxima.forEach((maximum, i) => {
    recorder.copy(maximum, packed, 4, { to: 4 * (cols + i) })
  })
  recorder.submit()
  const words = await readFloats(gpu, packed, cols + maxima.length)
  return { operand, row: wanted, values: words.slice(0, cols), tensorMax: Math.max(...words.subarray(cols)) }
}
