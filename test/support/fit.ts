import { completeOptions, type OptionValues } from '../../src/core/options'
import type { QuantConfig, Quantizer } from '../../src/formats/number-format'
import { Arena } from '../../src/gpu/arena'
import type { Gpu } from '../../src/gpu/device'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { clipRows } from '../../src/gpu/kernels/clip-rows'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../../src/gpu/kernels/output-error-sums'
import { Recorder } from '../../src/gpu/recorder'
import type { Context, FitInput, FittedTransform, Transform } from '../../src/methods/method'

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
  }: { layer: FitLayer; config: QuantConfig; transform: Transform; options?: OptionValues },
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
    const rounded = (
      matrix: GpuMatrix,
      quantizer: Quantizer | null,
      clip: { shared: boolean; bounds: GPUBuffer | null },
    ) => {
      if (!quantizer) return matrix
      const clipped = clip.bounds ? clipRows(recorder, arena, matrix, { ...clip, bounds: clip.bounds }) : matrix
      return fakeQuantize(recorder, arena, clipped, quantizer)
    }
    const x = rounded(fitted.apply(rows), config.activation, { shared: true, bounds: fitted.clip?.activation ?? null })
    const w = rounded(fitted.weight, config.weight, { shared: false, bounds: fitted.clip?.weight ?? null })
    const reference = matmulNt(recorder, arena, rows, weight)
    const sums = outputErrorSums(recorder, arena, reference, matmulNt(recorder, arena, x, w))
    recorder.submit()
    const { errorEnergy, referenceEnergy } = await readOutputErrors(gpu, sums)
    return Math.sqrt(errorEnergy / referenceEnergy)
  } finally {
    arena.release()
  }
}
