import { completeOptions, type OptionValues } from '../../src/core/options'
import type { QuantConfig } from '../../src/formats/number-format'
import { Arena } from '../../src/gpu/arena'
import type { Gpu } from '../../src/gpu/device'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../../src/gpu/kernels/output-error-sums'
import { Recorder } from '../../src/gpu/recorder'
import type { Context, FitInput, FittedTransform, Transform } from '../../src/methods/method'
import { clipWeight } from '../../src/methods/rounding/clip-weight'
import { roundActivations } from '../../src/methods/rounding/round-activations'

/** A layer on the GPU with held-out rows. */
export interface FitLayer {
  readonly weight: GpuMatrix
  readonly calibration: GpuMatrix
  readonly evaluation: GpuMatrix
}

/** The input of a fit with its reference output, and `options` completed by defaults. */
export function fitInput(
  gpu: Gpu,
  arena: Arena,
  {
    layer,
    config,
    transform,
    options,
    headDim = null,
  }: {
    layer: FitLayer
    config: QuantConfig
    transform: Transform
    options?: OptionValues
    headDim?: number | null
  },
): FitInput {
  const recorder = new Recorder(gpu)
  const reference = matmulNt(recorder, arena, layer.calibration, layer.weight)
  recorder.submit()
  const { weight, calibration } = layer
  return {
    weight,
    calibration,
    reference,
    config,
    options: completeOptions({ id: transform.id, code: 'MD-03' }, transform.options, options ?? {}),
    headDim,
  }
}

/** A context for tests: seed 0, progress ignored, nothing cancelled, unless `given`. */
export function fitContext(gpu: Gpu, arena: Arena, given: Partial<Context> = {}): Context {
  return { gpu, arena, seed: 0, onProgress: () => {}, signal: new AbortController().signal, ...given }
}

/** ‖X̂ Ŵᵀ − X Wᵀ‖ / ‖X Wᵀ‖ of `rows` with both sides clipped and rounded as `config` and the fit say. */
export async function outputError(
  gpu: Gpu,
  {
    fitted,
    rows,
    weight,
    config,
  }: { fitted: FittedTransform; rows: GpuMatrix; weight: GpuMatrix; config: QuantConfig },
): Promise<number> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const { clip } = fitted
    const { activation: quantizer } = config
    const transformed = fitted.apply(rows)
    const x = quantizer ? roundActivations(recorder, arena, transformed, { quantizer, clip }) : transformed
    const clipped = clipWeight(recorder, arena, fitted.weight, clip)
    const w = config.weight ? fakeQuantize(recorder, arena, clipped, config.weight) : fitted.weight
    const reference = matmulNt(recorder, arena, rows, weight)
    const sums = outputErrorSums(recorder, arena, reference, matmulNt(recorder, arena, x, w))
    recorder.submit()
    const { errorEnergy, referenceEnergy } = await readOutputErrors(gpu, sums)
    return Math.sqrt(errorEnergy / referenceEnergy)
  } finally {
    arena.release()
  }
}
