import type { DenseMatrix } from '../../core/linear-algebra'
import { numberOption, type OptionValues } from '../../core/options'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { kroneckerLeft, kroneckerRight } from '../../gpu/kernels/kronecker'
import { sigmoid } from '../../gpu/kernels/sigmoid'
import { Recorder } from '../../gpu/recorder'
import { uploadWords } from '../../gpu/transfer'
import type { Context, FitInput, FitReport, FittedTransform, OnlineStep } from '../method'
import { kroneckerStep, scaleStep } from '../online'
import { trainingCurve, trainingNotes } from '../training/describe-training'
import { cosineRate, type Trained, train } from '../training/train'
import { conditionNumber, type FactorMatrices, factorMatrices, type Parametrisation } from './factor'
import { flatquantLearner } from './learner'
import type { FlatQuantParameters } from './parameters'
import { shapeOf } from './shape'
import { startParameters } from './start'

const BF16_BYTES = 2

const FORM_NAMES: Readonly<Record<Parametrisation, string>> = {
  svd: 'learned as singular value decompositions with Cayley rotations',
  inverse: 'learned entry by entry and inverted',
}

function parametrisationOf(values: OptionValues): Parametrisation {
  return values.parametrisation === 'inverse' ? 'inverse' : 'svd'
}

/** Fits transforms/flatquant.ts. */
export async function fitFlatQuant(input: FitInput, context: Context): Promise<FittedTransform> {
  const { gpu, arena, signal, seed } = context
  signal.throwIfAborted()
  const start = await startParameters(gpu, input, shapeOf(input.weight.cols, input.options), {
    alpha: numberOption(input.options, 'alpha'),
    seed,
    parametrisation: parametrisationOf(input.options),
  })
  const steps = numberOption(input.options, 'steps')
  const learningRate = numberOption(input.options, 'learningRate')
  const nothingToLearn = input.config.weight === null && input.config.activation === null
  const training = nothingToLearn
    ? null
    : await train(
        input,
        (inner) => flatquantLearner(gpu, inner, input, start),
        { steps, rateAt: (step) => cosineRate(learningRate, step, steps) },
        context,
      )
  const parameters = training?.best ?? start
  const factors = { p1: factorMatrices(parameters.p1), p2: factorMatrices(parameters.p2) }
  const { activations, weights } = uploadBases(gpu, arena, { theta: parameters.theta, ...factors })
  return {
    weight: changeBasis(gpu, arena, input.weight, weights),
    apply: (matrix) => changeBasis(gpu, arena, matrix, activations),
    online: onlineOf(parameters, factors),
    clip: uploadClips(gpu, arena, parameters),
    report: describe(input, factors, training),
  }
}

/** x -> (x · scale)(left ⊗ right) */
interface Basis {
  readonly a: number
  readonly b: number
  readonly scale: GPUBuffer
  readonly left: GPUBuffer
  readonly right: GPUBuffer
}

interface Factors {
  readonly p1: FactorMatrices
  readonly p2: FactorMatrices
}

/** The basis of either operand; exponentials and inverses in float64, rounded once. */
function uploadBases(
  gpu: Gpu,
  arena: Arena,
  { theta, p1, p2 }: { theta: Float32Array } & Factors,
): { readonly activations: Basis; readonly weights: Basis } {
  const upload = (values: ArrayLike<number>, label: string) => uploadWords(gpu, arena, Float32Array.from(values), label)
  const basis = (scale: Float64Array, left: DenseMatrix, right: DenseMatrix): Basis => ({
    a: p1.p.rows,
    b: p2.p.rows,
    scale: upload(scale, 'channel scale'),
    left: upload(left.data, 'left factor'),
    right: upload(right.data, 'right factor'),
  })
  return {
    activations: basis(Float64Array.from(theta, Math.exp), p1.p, p2.p),
    weights: basis(
      Float64Array.from(theta, (value) => Math.exp(-value)),
      p1.a,
      p2.a,
    ),
  }
}

function onlineOf({ theta }: FlatQuantParameters, { p1, p2 }: Factors): readonly OnlineStep[] {
  const factors = { left: async () => p1.p.data, right: async () => p2.p.data }
  return [scaleStep(Float64Array.from(theta, Math.exp)), kroneckerStep({ a: p1.p.rows, b: p2.p.rows }, factors)]
}

function changeBasis(gpu: Gpu, arena: Arena, matrix: GpuMatrix, { a, b, scale, left, right }: Basis): GpuMatrix {
  const recorder = new Recorder(gpu)
  const product = kroneckerRight(recorder, arena, matrix, {
    a,
    b,
    factor: right,
    transposed: false,
    channelScale: scale,
  })
  const changed = kroneckerLeft(recorder, arena, product, { a, b, factor: left, transposed: false })
  recorder.submit()
  return changed
}

function uploadClips(
  gpu: Gpu,
  arena: Arena,
  { activationClip, weightClip }: FlatQuantParameters,
): FittedTransform['clip'] {
  const recorder = new Recorder(gpu)
  const share = (logits: Float32Array | null, label: string) =>
    logits && sigmoid(recorder, arena, uploadWords(gpu, arena, Float32Array.from(logits), label), logits.length)
  const clip = {
    activation: share(activationClip, 'activation clip'),
    weight: share(weightClip, 'weight clip'),
    activationBlocks: null,
    weightBlocks: null,
  }
  recorder.submit()
  return clip.activation || clip.weight ? clip : null
}

function describe({ weight, options }: FitInput, { p1, p2 }: Factors, training: Trained<unknown> | null): FitReport {
  const [a, b] = [p1.p.rows, p2.p.rows]
  const notes = [
    `Kronecker factors ${a} x ${a} and ${b} x ${b}, ${FORM_NAMES[parametrisationOf(options)]}; ` +
      `condition numbers ${conditionNumber(p1).toFixed(2)} and ${conditionNumber(p2).toFixed(2)} (1: a rotation).`,
    ...trainingNotes(training, 'the paper minimises the output error of a decoder block'),
  ]
  return {
    notes,
    training: trainingCurve(training),
    onlineOperations: weight.cols * (a + b),
    onlineBytes: BF16_BYTES * (a * a + b * b + weight.cols),
  }
}
