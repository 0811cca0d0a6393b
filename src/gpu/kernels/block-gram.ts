import gramSource from '../../../shaders/block_gram.wgsl?raw'
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

export const blockGramKernel: Kernel = {
  name: 'block_gram',
  code: gramSource + workgroupIndex,
  bindings: ['read', 'write'],
}

export const blockProductKernel: Kernel = {
  name: 'block_product',
  code: productSource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** The diagonal blocks of a Gram matrix: row k holds the `width` columns of its block, zeros beyond the last channel. */
export interface BlockGram {
  readonly width: number
  /** [stride, width] f32, stride that of the matrices it multiplies. */
  readonly buffer: GPUBuffer
}

/**
 * The diagonal blocks of xᵀ · x, `width` columns each.
 *
 * Shapes: x [rows, n]. Accuracy: f32 sums in the order of the rows, |error| ≤ (rows + 2) · 2^-23 · Σ|x||x| per element.
 */
export function blockGram(recorder: Recorder, arena: Arena, x: GpuMatrix, width: number): BlockGram {
  const { block4 } = blockLayout(x, width)
  const buffer = arena.buffer(4 * x.stride * width, 'block gram')
  recorder.dispatch(blockGramKernel, {
    uniforms: [x.rows, x.stride / 4, block4],
    buffers: [x.buffer, buffer],
    workgroups: Math.ceil(((x.stride / 4) * block4) / WORKGROUP_SIZE),
  })
  return { width, buffer }
}

/**
 * a · G for the block-diagonal G of `gram`, which must come from a matrix with as many columns.
 *
 * Shapes: a [rows, n] -> same. Accuracy: f32 sums in a fixed order, |error| ≤ (width + 2) · 2^-23 · Σ|a||G| per element.
 */
export function blockProduct(recorder: Recorder, arena: Arena, a: GpuMatrix, gram: BlockGram): GpuMatrix {
  const { block4 } = blockLayout(a, gram.width)
  const out = arena.matrix(a.rows, a.cols, 'block product')
  recorder.dispatch(blockProductKernel, {
    uniforms: [a.rows, a.stride / 4, block4],
    buffers: [a.buffer, gram.buffer, out.buffer],
    workgroups: Math.ceil((Math.ceil(a.rows / PRODUCT_ROWS) * a.stride) / 4 / WORKGROUP_SIZE),
  })
  return out
}
