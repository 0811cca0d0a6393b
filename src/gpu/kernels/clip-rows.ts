import clipSource from '../../../shaders/clip_rows.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import { type GpuMatrix, STRIDE_MULTIPLE } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowExtremes } from './row-extremes'

const WORKGROUP_SIZE = 64

export const clipRowsKernel: Kernel = {
  name: 'clip_rows',
  code: clipSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write'],
}

export interface ClipBounds {
  /** True: one pair for all rows, extremes taken together with 0 (activations). False: a pair per row (weights). */
  readonly shared: boolean
  /** Pairs (low, high) of f32 factors: [1, 2] when shared, else [rows, 2]. */
  readonly bounds: GPUBuffer
  /** What `rowExtremes` gave for this matrix, when it is there already. */
  readonly extremes?: GPUBuffer
}

/**
 * Every row of `matrix` clamped to [low · min(row), high · max(row)]; with shared bounds to
 * [low · min(row, 0), high · max(row, 0)].
 *
 * Shapes: [rows, cols] -> same. Accuracy: one f32 product per bound, elements are otherwise unchanged.
 * Source: learnable clipping of FlatQuant, arXiv 2410.09426.
 */
export function clipRows(recorder: Recorder, arena: Arena, matrix: GpuMatrix, clip: ClipBounds): GpuMatrix {
  const extremes = clip.extremes ?? rowExtremes(recorder, arena, matrix)
  const out = arena.matrix(matrix.rows, matrix.cols, 'clipped rows')
  const blocks = matrix.stride / STRIDE_MULTIPLE
  recorder.dispatch(clipRowsKernel, {
    overrides: { SHARED: Number(clip.shared) },
    uniforms: [matrix.rows, matrix.cols, blocks],
    buffers: [matrix.buffer, extremes, clip.bounds, out.buffer],
    workgroups: Math.ceil((matrix.rows * blocks) / WORKGROUP_SIZE),
  })
  return out
}
