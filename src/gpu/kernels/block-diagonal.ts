import crossSource from '../../../shaders/block_cross.wgsl?raw'
import productSource from '../../../shaders/block_product.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { blockLayout } from './block-layout'

const WORKGROUP_SIZE = 64
/** Rows of a product that one invocation owns. */
const PRODUCT_ROWS = 4

export const blockCrossKernel: Kernel = {
  name: 'block_cross',
  code: crossSource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

export const blockProductKernel: Kernel = {
  name: 'block_product',
  code: productSource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** A block-diagonal matrix, block under block: row k holds the `width` columns of its block, zeros beyond the last channel. */
export interface BlockDiagonal {
  readonly width: number
  /** [stride, width] f32, stride that of the matrices it multiplies. */
  readonly buffer: GPUBuffer
}

/** The two factors of blockCross; equal, they give the blocks of a Gram matrix. */
export interface CrossFactors {
  readonly left: GpuMatrix
  readonly right: GpuMatrix
}

/**
 * The diagonal blocks of leftᵀ · right, `width` columns each.
 *
 * Shapes: left, right [rows, n]. Accuracy: f32 sums in the order of the rows, |error| ≤ (rows + 2) · 2^-23 · Σ|left||right|
 * per element.
 */
export function blockCross(
  recorder: Recorder,
  arena: Arena,
  { left, right }: CrossFactors,
  width: number,
): BlockDiagonal {
  const { rows, stride } = left
  const { block4 } = blockLayout(left, width)
  const buffer = arena.buffer(4 * stride * width, 'block cross product')
  recorder.dispatch(blockCrossKernel, {
    uniforms: [rows, stride / 4, block4],
    buffers: [left.buffer, right.buffer, buffer],
    workgroups: Math.ceil(((stride / 4) * block4) / WORKGROUP_SIZE),
  })
  return { width, buffer }
}

/**
 * a · G for a block-diagonal G with as many rows as `a` has columns.
 *
 * Shapes: a [rows, n] -> same. Accuracy: f32 sums in a fixed order, |error| ≤ (width + 2) · 2^-23 · Σ|a||G| per element.
 */
export function blockProduct(recorder: Recorder, arena: Arena, a: GpuMatrix, g: BlockDiagonal): GpuMatrix {
  const { block4 } = blockLayout(a, g.width)
  const out = arena.matrix(a.rows, a.cols, 'block product')
  recorder.dispatch(blockProductKernel, {
    uniforms: [a.rows, a.stride / 4, block4],
    buffers: [a.buffer, g.buffer, out.buffer],
    workgroups: Math.ceil((Math.ceil(a.rows / PRODUCT_ROWS) * a.stride) / 4 / WORKGROUP_SIZE),
  })
  return out
}
