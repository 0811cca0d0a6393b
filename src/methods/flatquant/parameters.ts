import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import { readFloats } from '../../gpu/transfer'
import type { FactorParameters } from './factor'
import { uploadInverseForm } from './inverse-form'
import { type LearnedFactor, uploadLearned } from './learned-factor'
import { uploadSvdForm } from './svd-form'

/**
 * What FlatQuant learns for one layer with n = a · b channels, on the CPU.
 * Symbols: d = exp(θ) scales the channels, P = P1 ⊗ P2 mixes them; X' = (X · d) P, W' = (W / d) P⁻ᵀ.
 */
export interface FlatQuantParameters {
  /** θ [n], the logarithm of the channel scale. */
  readonly theta: Float32Array
  /** P1 [a, a] */
  readonly p1: FactorParameters
  /** P2 [b, b] */
  readonly p2: FactorParameters
  /** Logits (low, high) of the clip shared by all activation rows; null when activations are not quantized. */
  readonly activationClip: Float32Array | null
  /** Logits (low, high) per weight row [out, 2]; null when weights are not quantized. */
  readonly weightClip: Float32Array | null
}

/** The same on the GPU. */
export interface LearnedState {
  readonly theta: LearnedBuffer
  readonly p1: LearnedFactor
  readonly p2: LearnedFactor
  readonly activationClip: LearnedBuffer | null
  readonly weightClip: LearnedBuffer | null
}

/** Uploads `start` with zero moments; the best state is the start. Buffers belong to `arena`. */
export function uploadState(gpu: Gpu, arena: Arena, start: FlatQuantParameters): LearnedState {
  const learned = (values: Float32Array, label: string) => uploadLearned(gpu, arena, values, label)
  const factor = (parameters: FactorParameters) =>
    parameters.form === 'svd' ? uploadSvdForm(gpu, arena, parameters) : uploadInverseForm(gpu, arena, parameters.p)
  return {
    theta: learned(start.theta, 'theta'),
    p1: factor(start.p1),
    p2: factor(start.p2),
    activationClip: start.activationClip && learned(start.activationClip, 'activation clip'),
    weightClip: start.weightClip && learned(start.weightClip, 'weight clip'),
  }
}

/** Waits for the queue and returns the best state. */
export async function readBest(gpu: Gpu, state: LearnedState): Promise<FlatQuantParameters> {
  const read = (parameter: LearnedBuffer) => readFloats(gpu, parameter.best, parameter.count)
  const [theta, p1, p2, activationClip, weightClip] = await Promise.all([
    read(state.theta),
    state.p1.readBest(gpu),
    state.p2.readBest(gpu),
    state.activationClip && read(state.activationClip),
    state.weightClip && read(state.weightClip),
  ])
  return { theta, p1, p2, activationClip, weightClip }
}
