import f32Bits from '../../../shaders/lib/f32_bits.wgsl?raw'
import fp32Scale from '../../../shaders/lib/fp32_scale.wgsl?raw'
import realScale from '../../../shaders/lib/real_scale.wgsl?raw'
import source from '../../../shaders/tensor_scale.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { divisorOverrides } from './fp32-divisor'

export const tensorScaleKernel: Kernel = {
  name: 'tensor_scale',
  code: source + fp32Scale + realScale + f32Bits,
  bindings: ['read', 'write'],
}

/**
 * The fp32 scale of a tensor in NVFP4, as one word in a buffer: maximum / divisor, rounded once. `maximum` is what
 * magnitudeMax returns. 1 where the quotient is 0, NaN where the tensor holds a NaN or an infinity.
 */
export function tensorScale(recorder: Recorder, arena: Arena, maximum: GPUBuffer, divisor: number): GPUBuffer {
  const scale = arena.buffer(4, 'tensor scale')
  recorder.dispatch(tensorScaleKernel, {
    overrides: divisorOverrides(divisor),
    uniforms: [0],
    buffers: [maximum, scale],
    workgroups: 1,
  })
  return scale
}
