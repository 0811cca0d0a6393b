import type { Matrix } from '../../src/core/matrix'
import type { OptionValues } from '../../src/core/options'
import { createRandom } from '../../src/core/random'
import type { QuantConfig } from '../../src/formats/number-format'
import { uploadMatrix } from '../../src/gpu/transfer'
import type { Context, FitInput, Transform } from '../../src/methods/method'
import { fitContext as contextOf, fitInput as inputOf } from './fit'
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
  { weight, calibration, config, options, headDim }: FixtureLayer,
): FitInput {
  const rows = uploadMatrix(t.gpu, t.arena, calibration, 'calibration')
  const layer = { weight: uploadMatrix(t.gpu, t.arena, weight, 'weight'), calibration: rows, evaluation: rows }
  return inputOf(t.gpu, t.arena, { layer, config, transform, options, headDim })
}

interface FixtureLayer {
  readonly weight: Matrix
  readonly calibration: Matrix
  readonly config: QuantConfig
  readonly options?: OptionValues
  readonly headDim?: number | null
}

export function fitContext(t: TestGpu, seed: number): Context {
  return contextOf(t.gpu, t.arena, { seed })
}
