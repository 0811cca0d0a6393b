import source from '../../../shaders/keep_smaller.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const keepSmallerKernel: Kernel = {
  name: 'keep_smaller',
  code: source + workgroupIndex,
  bindings: ['read', 'write', 'write'],
}

/** The smallest value seen at every place, and the candidate it came from: [count] f32 each. */
export interface SmallestSoFar {
  readonly best: GPUBuffer
  readonly choice: GPUBuffer
  readonly count: number
}

/**
 * Notes `candidate` wherever its `values` [count] are strictly smaller than the best so far; everywhere when it is the
 * first one.
 */
export function keepSmaller(
  recorder: Recorder,
  { best, choice, count }: SmallestSoFar,
  { values, candidate, isFirst }: { readonly values: GPUBuffer; readonly candidate: number; readonly isFirst: boolean },
): void {
  recorder.dispatch(keepSmallerKernel, {
    uniforms: [count, Number(isFirst), f32(candidate)],
    buffers: [values, best, choice],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
}
