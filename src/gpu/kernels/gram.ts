import source from '../../../shaders/gram.wgsl?raw'
import registerTile from '../../../shaders/lib/register_tile.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Gpu } from '../device'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const TILE = 64

/** Longest sum held in registers before it is added to the output: bounds both the dispatch and the rounding error. */
const SLAB_ROWS = 1024

export const gramKernel: Kernel = {
  name: 'gram',
  code: source + workgroupIndex + registerTile,
  bindings: ['read', 'write'],
}

/** Rows of a matrix with `cols` columns that one `addGram` should take: its dispatch then stays short. */
export function gramSlabRows(gpu: Gpu, rows: number, cols: number): number {
  return Math.min(SLAB_ROWS, rowsPerDispatch(gpu, rows, cols * cols))
}

export interface GramRange {
  /** [n, n] */
  readonly target: GpuMatrix
  readonly begin: number
  readonly end: number
  /** To what `target` holds. */
  readonly adds?: boolean
}

/**
 * Adds the Gram matrix of rows begin … end − 1 of `x` to `target`: target += xᵀ · x; without `adds` it overwrites, as the
 * slab that begins at 0 does unless told otherwise. Half the work of `matmulTn` of the matrix with itself.
 *
 * Shapes: x [rows, n], target [n, n] -> same, symmetric to the bit, padding columns zero.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (rows + 2) · 2^-23 · Σ|x||x| per element.
 */
export function addGram(recorder: Recorder, x: GpuMatrix, { target, begin, end, adds = begin > 0 }: GramRange): void {
  const colTiles = Math.ceil(x.stride / TILE)
  recorder.dispatch(gramKernel, {
    uniforms: [begin, end, x.cols, x.stride / 4, colTiles, Number(adds)],
    buffers: [x.buffer, target.buffer],
    workgroups: colTiles * colTiles,
  })
}
