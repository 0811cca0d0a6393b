/** One training step of each learned method, beside the layer's own product. */
import { kroneckerShape } from '../../core/kronecker'
import type { Matrix } from '../../core/matrix'
import { parseFormat } from '../../formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../formats/quantizer'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { copyMatrix } from '../../gpu/kernels/copy-vec4'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadMatrix } from '../../gpu/transfer'
import { blockAffineLearner } from '../../methods/block-affine/learner'
import { startParameters as startBlockAffine } from '../../methods/block-affine/start'
import { flatquantLearner } from '../../methods/flatquant/learner'
import { startParameters as startFlatQuant } from '../../methods/flatquant/start'
import { denseForm } from '../../methods/spinquant/form'
import { rotationLearner } from '../../methods/spinquant/learner'
import { startRotation } from '../../methods/spinquant/orthogonal'
import type { Learner } from '../../methods/training/learner'
import { createBook, recordStep } from '../../methods/training/train'
import type { BenchCase } from './entry'
import type { Subject } from './interleave'
import { layerProductCase } from './layer-product-case'

const BLOCK = 32
const SEED = 0
const ALPHA = 0.3
/** Small: what a step costs does not depend on it, and the state stays near its start however often it is repeated. */
const RATE = 1e-4
/** Losses that are kept; later steps overwrite all but the first. */
const HISTORY = 1024
/** Steps of the check before timing, and how far their squared errors may rise above the start. */
const CHECKED_STEPS = 3
const LARGEST_RISE = 1.05

const quantizer = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)

/** Makes a learner whose buffers live in the benchmark's arena. */
type Prepare = () => Promise<Learner<unknown>>

/**
 * The product X Wᵀ of a layer, weight [out, in] and x [tokens, in], and a step of FlatQuant, SpinQuant (dense) and block
 * affine on it under MXFP4 W4A4. Operations of a step are those of the cost model in docs/performance.md, so that the
 * rate of a row says what of the product's speed is left.
 */
export function trainingCases(
  gpu: Gpu,
  arena: Arena,
  { weight, x }: { readonly weight: Matrix; readonly x: Matrix },
  signal: AbortSignal,
): BenchCase[] {
  const [w, calibration] = [uploadMatrix(gpu, arena, weight, 'bench w'), uploadMatrix(gpu, arena, x, 'bench x')]
  const recorder = new Recorder(gpu)
  const reference = matmulNt(recorder, arena, calibration, w)
  recorder.submit()
  const problem = { weight: w, calibration, reference, config: { weight: quantizer, activation: quantizer } }
  const { rows: out, cols: n } = weight
  const { a, b } = kroneckerShape(n)
  const products = 6 * x.rows * n * out
  const step = (name: string, transforms: number, prepare: Prepare): BenchCase => ({
    subject: stepSubject(gpu, arena, { name: `${name} step`, prepare, signal }),
    work: { kind: 'operations', operations: products + transforms },
  })
  return [
    layerProductCase(gpu, problem, { weight, x }),
    step('flatquant', 8 * (x.rows + out) * n * (a + b), async () => {
      const options = { alpha: ALPHA, seed: SEED, parametrisation: 'svd' } as const
      return flatquantLearner(gpu, arena, problem, await startFlatQuant(gpu, problem, { a, b }, options))
    }),
    step('spinquant', 4 * (x.rows + out) * n ** 2 + 20 * n ** 3, async () => {
      const best = startRotation(gpu, arena, { n, start: 'hadamard', seed: SEED })
      const copying = new Recorder(gpu)
      const value = copyMatrix(copying, arena, best)
      copying.submit()
      return rotationLearner(problem, denseForm(n), [{ value, best }])
    }),
    step('block affine', 4 * (x.rows + out) * n * BLOCK, async () => {
      return blockAffineLearner(
        gpu,
        arena,
        problem,
        await startBlockAffine(gpu, problem, { alpha: ALPHA, size: BLOCK }),
      )
    }),
  ]
}

/** Takes steps one after the other, each in a submit of its own, from a learner made at the first of them. */
function stepSubject(
  gpu: Gpu,
  arena: Arena,
  { name, prepare, signal }: { name: string; prepare: Prepare; signal: AbortSignal },
): Subject {
  const book = createBook(gpu, arena, HISTORY)
  let learner: Promise<Learner<unknown>> | null = null
  let taken = 0
  const run = async (repetitions: number) => {
    learner ??= prepare()
    const ready = await learner
    for (let i = 0; i < repetitions; i++, taken++) {
      signal.throwIfAborted()
      const recorder = new Recorder(gpu)
      const at = taken === 0 ? 0 : 1 + ((taken - 1) % HISTORY)
      recordStep(recorder, { learner: ready, book }, { step: at, rate: RATE })
      recorder.submit()
    }
    await gpu.device.queue.onSubmittedWorkDone()
  }
  return {
    name,
    run,
    async verify() {
      await run(CHECKED_STEPS)
      const [start, ...later] = await readFloats(gpu, book.history, CHECKED_STEPS)
      const wrong = later.find((energy) => !(energy > 0 && energy <= LARGEST_RISE * start))
      return wrong === undefined ? null : `squared error: expected at most ${LARGEST_RISE} · ${start}, found ${wrong}`
    },
  }
}
