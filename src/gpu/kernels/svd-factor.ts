import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import sigmaGradientSource from '../../../shaders/sigma_gradient.wgsl?raw'
import svdFactorSource from '../../../shaders/svd_factor.wgsl?raw'
import svdGradientSource from '../../../shaders/svd_gradient.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const svdFactorKernel: Kernel = {
  name: 'svd_factor',
  code: svdFactorSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write', 'write'],
}

export const svdGradientKernel: Kernel = {
  name: 'svd_gradient',
  code: svdGradientSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'read', 'write'],
}

export const sigmaGradientKernel: Kernel = {
  name: 'sigma_gradient',
  code: sigmaGradientSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'read', 'read', 'write'],
}

/**
 * P = U diag(σ) Vᵀ, of which A = P⁻ᵀ = U diag(1/σ) Vᵀ. The rotations are held as N with U = 2 N − I (the inverse in
 * their Cayley maps). Shapes: nu, nv [size, size], sigma [size], no padding.
 */
export interface SvdFactor {
  readonly size: number
  readonly nu: GPUBuffer
  readonly sigma: GPUBuffer
  readonly nv: GPUBuffer
}

/** Gradients of P and A, [size, size] each. */
export interface FactorGradients {
  readonly gP: GPUBuffer
  readonly gA: GPUBuffer
}

/** Writes P and A [size, size] into `p` and `a`. f32 sums in index order. */
export function svdFactor(
  recorder: Recorder,
  { size, nu, sigma, nv }: SvdFactor,
  { p, a }: { p: GPUBuffer; a: GPUBuffer },
): void {
  recorder.dispatch(svdFactorKernel, {
    uniforms: [size],
    buffers: [nu, sigma, nv, p, a],
    workgroups: Math.ceil((size * size) / WORKGROUP_SIZE),
  })
}

/** gUᵀ or gVᵀ [size, size] in a new buffer. */
export function svdGradient(
  recorder: Recorder,
  arena: Arena,
  { size, nu, sigma, nv }: SvdFactor,
  { gP, gA, of }: FactorGradients & { of: 'u' | 'v' },
): GPUBuffer {
  const out = arena.buffer(4 * size * size, 'gradient of a rotation')
  recorder.dispatch(svdGradientKernel, {
    overrides: { OF_LEFT: Number(of === 'u') },
    uniforms: [size],
    buffers: [of === 'u' ? nv : nu, sigma, gP, gA, out],
    workgroups: Math.ceil((size * size) / WORKGROUP_SIZE),
  })
  return out
}

/** gσ [size] in a new buffer. */
export function sigmaGradient(
  recorder: Recorder,
  arena: Arena,
  { size, nu, sigma, nv }: SvdFactor,
  { gP, gA }: FactorGradients,
): GPUBuffer {
  const out = arena.buffer(4 * size, 'gradient of singular values')
  recorder.dispatch(sigmaGradientKernel, { uniforms: [size], buffers: [nu, sigma, nv, gP, gA, out], workgroups: size })
  return out
}
