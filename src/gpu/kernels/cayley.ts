import cayleyGradientSource from '../../../shaders/cayley_gradient.wgsl?raw'
import cayleyOperandSource from '../../../shaders/cayley_operand.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const cayleyOperandKernel: Kernel = {
  name: 'cayley_operand',
  code: cayleyOperandSource + workgroupIndex,
  bindings: ['read', 'write'],
}

export const cayleyGradientKernel: Kernel = {
  name: 'cayley_gradient',
  code: cayleyGradientSource + workgroupIndex,
  bindings: ['read', 'write'],
}

/**
 * I − K/2 in a new buffer, K = L − Lᵀ with L strictly below the diagonal of `theta`. The Cayley map of K is
 * Q = (I − K/2)⁻¹ (I + K/2) = 2 (I − K/2)⁻¹ − I. Shapes: [size, size]. Source: core/cayley.ts in float64.
 */
export function cayleyOperand(recorder: Recorder, arena: Arena, theta: GPUBuffer, size: number): GPUBuffer {
  return elementwise(recorder, arena, { kernel: cayleyOperandKernel, input: theta, size })
}

/** The gradient of theta from gKᵀ, in a new buffer: zero on and above the diagonal. Shapes: [size, size]. */
export function cayleyGradient(recorder: Recorder, arena: Arena, transposed: GPUBuffer, size: number): GPUBuffer {
  return elementwise(recorder, arena, { kernel: cayleyGradientKernel, input: transposed, size })
}

function elementwise(
  recorder: Recorder,
  arena: Arena,
  { kernel, input, size }: { kernel: Kernel; input: GPUBuffer; size: number },
): GPUBuffer {
  const out = arena.buffer(4 * size * size, kernel.name)
  recorder.dispatch(kernel, {
    uniforms: [size],
    buffers: [input, out],
    workgroups: Math.ceil((size * size) / WORKGROUP_SIZE),
  })
  return out
}
