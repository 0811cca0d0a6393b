import trainingState from '../../../shaders/lib/training_state.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/update_parameters.wgsl?raw'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const updateParametersKernel: Kernel = {
  name: 'update_parameters',
  code: source + workgroupIndex + trainingState,
  bindings: ['read', 'read', 'write', 'write', 'write'],
}

/** A learned tensor of `count` floats with everything its optimiser keeps. Lives as long as the training. */
export interface LearnedBuffer {
  readonly count: number
  readonly value: GPUBuffer
  readonly best: GPUBuffer
  /** [count, 2]: Adam's first and second moment, zero at the start. */
  readonly moments: GPUBuffer
}

/**
 * Keeps or restores the best state, or takes one AdamW step, as the training state says.
 * `gradient` is that of ½‖E‖² [count]; the kernel divides by the current ½‖E‖², so rates do not depend on the layer.
 */
export function updateParameters(
  recorder: Recorder,
  parameter: LearnedBuffer,
  gradient: GPUBuffer,
  { state, rate, decay }: { state: GPUBuffer; rate: number; decay: number },
): void {
  recorder.dispatch(updateParametersKernel, {
    uniforms: [parameter.count, f32(rate), f32(decay)],
    buffers: [state, gradient, parameter.value, parameter.best, parameter.moments],
    workgroups: Math.ceil(parameter.count / WORKGROUP_SIZE),
  })
}
