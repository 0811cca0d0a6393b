import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/magnitude_map.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

/** Cells a surface is drawn with, at most. */
export const MAP_ROWS = 128
export const MAP_COLS = 256

export const magnitudeMapKernel: Kernel = {
  name: 'magnitude_map',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/** Pooled magnitudes still on the GPU: [rows, cols] f32 without padding. */
export interface PooledMagnitudes {
  readonly cells: GPUBuffer
  readonly rows: number
  readonly cols: number
}

/** Where the rows of a matrix stand among `total` rows. */
export interface RowPlace {
  readonly first: number
  readonly total: number
}

/**
 * max |x| over a grid of min(rows, 128) x min(cols, 256) cells; cell (r, c) covers rows floor(r · rows / mapRows) up to
 * the next cell's first, and columns likewise. Exact. With `place`, `matrix` is some rows of a taller one: the grid is
 * that of all its rows, and 0 where they are others'.
 */
export function magnitudeMap(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  place: RowPlace = { first: 0, total: matrix.rows },
): PooledMagnitudes {
  const rows = Math.min(place.total, MAP_ROWS)
  const cols = Math.min(matrix.cols, MAP_COLS)
  const cells = arena.buffer(4 * rows * cols, 'magnitude_map cells')
  recorder.dispatch(magnitudeMapKernel, {
    uniforms: [matrix.rows, matrix.cols, matrix.stride, rows, cols, place.first, place.total],
    buffers: [matrix.buffer, cells],
    workgroups: Math.ceil((rows * cols) / WORKGROUP_SIZE),
  })
  return { cells, rows, cols }
}
