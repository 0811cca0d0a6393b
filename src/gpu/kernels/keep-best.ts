import source from '../../../shaders/keep_best.wgsl?raw'
import trainingState from '../../../shaders/lib/training_state.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 256

export const keepBestKernel: Kernel = {
  name: 'keep_best',
  code: source + workgroupIndex + trainingState,
  bindings: ['read', 'write', 'write'],
}

/** A learned matrix and the best of its values so far, of one shape. Lives as long as the training. */
export interface LearnedMatrix {
  readonly value: GpuMatrix
  readonly best: GpuMatrix
}

/** Copies value to best after an improvement and best to value after a divergence, as the training `state` says. */
export function keepBest(recorder: Recorder, { value, best }: LearnedMatrix, state: GPUBuffer): void {
  const count4 = (value.rows * value.stride) / 4
  recorder.dispatch(keepBestKernel, {
    uniforms: [count4],
    buffers: [state, value.buffer, best.buffer],
    workgroups: Math.ceil(count4 / WORKGROUP_SIZE),
  })
}
