import gradientSource from '../../../shaders/clip_gradient.wgsl?raw'
import sumsSource from '../../../shaders/clip_sums.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
/** Columns one invocation of clip_sums adds up. */
const BLOCK_COLS = 32

export const clipSumsKernel: Kernel = {
  name: 'clip_sums',
  code: sumsSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write', 'write'],
}

export const clipGradientKernel: Kernel = {
  name: 'clip_gradient',
  code: gradientSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write', 'write'],
}

/** What clipRows was given and made its bounds from. */
export interface ClippedRows {
  /** Before the clip [rows, cols]. */
  readonly values: GpuMatrix
  /** From rowExtremes(values). */
  readonly extremes: GPUBuffer
  /** Pairs (low, high) of clip shares s(c): one per row, or one in all when `shared`. */
  readonly bounds: GPUBuffer
  /** One pair for all rows, extremes clamped at zero (activations). */
  readonly shared: boolean
}

/** Gradient sums (below, above) of what a clip cut off: [rows, blocks, 2]. */
export interface ClipSums {
  readonly buffer: GPUBuffer
  /** Per row. */
  readonly blocks: number
}

/**
 * Turns `gradient`, ∂L/∂(clipRows), into ∂L/∂(values) in place: none for elements outside the bounds, whose sums go to
 * each row's extremes and to the clip. Returns the gradient of the clip logits (low, high) row by row; with a shared
 * pair the caller sums over rows.
 *
 * Shapes: gradient [rows, cols] -> [rows, 2]. Accuracy: f32 sums over a row in a fixed order.
 */
export function clipGradient(recorder: Recorder, arena: Arena, gradient: GpuMatrix, clip: ClippedRows): GPUBuffer {
  const { rows, stride } = gradient
  const blocks = Math.ceil(stride / BLOCK_COLS)
  const sums: ClipSums = { buffer: arena.buffer(8 * rows * blocks, 'clip sums'), blocks }
  recorder.dispatch(clipSumsKernel, {
    overrides: { SHARED: Number(clip.shared), BLOCK: BLOCK_COLS / 4 },
    uniforms: [rows, stride / 4, blocks],
    buffers: [clip.values.buffer, clip.extremes, clip.bounds, gradient.buffer, sums.buffer],
    workgroups: Math.ceil((rows * blocks) / WORKGROUP_SIZE),
  })
  return passClipSums(recorder, arena, gradient, clip, sums)
}

/** Adds to `gradient` what each row's extremes receive of `sums`, and returns the gradient of the clip logits [rows, 2]. */
export function passClipSums(
  recorder: Recorder,
  arena: Arena,
  gradient: GpuMatrix,
  { extremes, bounds, shared }: ClippedRows,
  { buffer, blocks }: ClipSums,
): GPUBuffer {
  const { rows, stride } = gradient
  const rowGradient = arena.buffer(8 * rows, 'clip gradient')
  recorder.dispatch(clipGradientKernel, {
    overrides: { SHARED: Number(shared) },
    uniforms: [rows, stride, blocks],
    buffers: [extremes, bounds, buffer, gradient.buffer, rowGradient],
    workgroups: Math.ceil(rows / WORKGROUP_SIZE),
  })
  return rowGradient
}
