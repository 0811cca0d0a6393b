import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/small_product.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const smallProductKernel: Kernel = {
  name: 'small_product',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write'],
}

/** factor · left · right + addendFactor · addend, all [size, size] without padding, or `count` of each in a row. */
export interface SmallProduct {
  readonly size: number
  /** 1 when left out. */
  readonly count?: number
  readonly left: GPUBuffer
  /** Use leftᵀ. */
  readonly leftTransposed?: boolean
  readonly right: GPUBuffer
  readonly factor: number
  readonly addend: GPUBuffer
  readonly addendFactor: number
}

/** The [count, size, size] result of a SmallProduct in a new buffer. f32 sums in index order. */
export function smallProduct(recorder: Recorder, arena: Arena, call: SmallProduct): GPUBuffer {
  const { size, count = 1, left, right, addend } = call
  const elements = count * size * size
  const out = arena.buffer(4 * elements, 'small product')
  recorder.dispatch(smallProductKernel, {
    overrides: { LEFT_TRANSPOSED: Number(call.leftTransposed ?? false) },
    uniforms: [size, count, f32(call.factor), f32(call.addendFactor)],
    buffers: [left, right, addend, out],
    workgroups: Math.ceil(elements / WORKGROUP_SIZE),
  })
  return out
}
