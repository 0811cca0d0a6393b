import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import type { QuantConfig } from '../../src/formats/number-format'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { uploadMatrix } from '../../src/gpu/transfer'
import type { Context, FitInput, Transform } from '../../src/methods/method'
import { completeOptions, type OptionValues } from '../../src/methods/options'
import type { TestGpu } from './gpu'

/** A Gaussian matrix with a few channels 20 times larger, as activations have them. */
export function gaussianMatrix(rows: number, cols: number, seed: number): Matrix {
  const random = createRandom(seed)
  const data = Float32Array.from({ length: rows * cols }, (_, i) => random.normal() * (i % cols === 3 ? 20 : 1))
  return { rows, cols, data }
}

/** What `transform.fit` takes for a layer on the CPU; the reference product is computed on the GPU. */
export function fitInput(
  t: TestGpu,
  transform: Transform,
  layer: { weight: Matrix; calibration: Matrix; config: QuantConfig; options?: OptionValues },
): FitInput {
  const weight = uploadMatrix(t.gpu, t.arena, layer.weight, 'weight')
  const calibration = uploadMatrix(t.gpu, t.arena, layer.calibration, 'calibration')
  const reference = matmulNt(t.recorder, t.arena, calibration, weight)
  t.recorder.submit()
  const options = completeOptions(transform.id, transform.options, layer.options ?? {})
  return { weight, calibration, reference, config: layer.config, options }
}

export function fitContext(t: TestGpu, seed: number): Context {
  return { gpu: t.gpu, arena: t.arena, signal: new AbortController().signal, onProgress: () => {}, seed }
}
