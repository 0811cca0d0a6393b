import source from '../../../shaders/block_maxima.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

/** Cells a map of blocks is drawn with, at most. */
export const BLOCK_MAP_ROWS = 128
export const BLOCK_MAP_COLS = 256

export const blockMaximaKernel: Kernel = {
  name: 'block_maxima',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/** Pooled block maxima still on the GPU: [rows, cols] pairs of words (f32 bits of the maximum, 1 + row · blocks + block). */
export interface PooledMaxima {
  readonly cells: GPUBuffer
  readonly rows: number
  readonly cols: number
  /** Of one row of the tensor. */
  readonly blocks: number
}

/** Words of one cell. */
export const CELL_WORDS = 2

/**
 * max |x| of blocks of `blockSize` columns, pooled by maximum to at most 128 x 256 cells. `parts` are the rows of one
 * tensor, one matrix below the other. Cell (r, c) covers rows floor(r · rows / cells) up to the next cell's first, and
 * blocks likewise; no cell is empty. The block is the first of those with the maximum. Exact: NaN lies above infinity.
 */
export function blockMaxima(
  recorder: Recorder,
  arena: Arena,
  parts: readonly GpuMatrix[],
  blockSize: number,
): PooledMaxima {
  const totalRows = parts.reduce((sum, { rows }) => sum + rows, 0)
  const blocks = Math.ceil(parts[0].cols / blockSize)
  const rows = Math.min(totalRows, BLOCK_MAP_ROWS)
  const cols = Math.min(blocks, BLOCK_MAP_COLS)
  const cells = arena.buffer(4 * CELL_WORDS * rows * cols, 'block_maxima cells')
  recorder.clear(cells, 0, 4 * CELL_WORDS * rows * cols)
  let firstRow = 0
  for (const part of parts) {
    recorder.dispatch(blockMaximaKernel, {
      uniforms: [part.rows, part.cols, part.stride, blockSize, blocks, firstRow, totalRows, rows, cols],
      buffers: [part.buffer, cells],
      workgroups: Math.ceil((rows * cols) / WORKGROUP_SIZE),
    })
    firstRow += part.rows
  }
  return { cells, rows, cols, blocks }
}
