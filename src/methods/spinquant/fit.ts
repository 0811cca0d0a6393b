import { InputError } from '../../core/errors'
import { describeHadamard, planHadamard } from '../../core/hadamard'
import { kroneckerShape } from '../../core/kronecker'
import { numberOption, type OptionValues } from '../../core/options'
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { type GpuMatrix, matrixBytes } from '../../gpu/gpu-matrix'
import { copyMatrix } from '../../gpu/kernels/copy-vec4'
import { Recorder } from '../../gpu/recorder'
import { readMatrix } from '../../gpu/transfer'
import type { Context, FitInput, FittedTransform, OnlineStep } from '../method'
import { kroneckerStep, matrixStep } from '../online'
import { trainingCurve, trainingNotes } from '../training/describe-training'
import { fewTokensNotes } from '../training/few-tokens'
import type { LearningProblem } from '../training/learner'
import { type Trained, train } from '../training/train'
import { denseForm, isDense, kroneckerForm, type RotationForm, withoutWeights } from './form'
import { rotationLearner } from './learner'
import { cleaned, startRotation } from './orthogonal'

const BF16_BYTES = 2
const BYTES_PER_MIB = 2 ** 20
/** Keeps the second factor independent of the first one, which may have its size. */
const FACTOR_STREAM = 0x66616374

/** Fits transforms/spinquant.ts. */
export async function fitSpinQuant(input: FitInput, context: Context): Promise<FittedTransform> {
  const { gpu, arena, signal } = context
  signal.throwIfAborted()
  const n = input.weight.cols
  const form = chooseForm(gpu, n, input.options)
  const scratch = new Arena(gpu)
  try {
    const start = startMatrices(gpu, scratch, form, { start: startOf(input.options), seed: context.seed })
    const training = await learn(input, { form, start }, context)
    const found = await Promise.all((training?.best ?? start).map((matrix) => cleaned(gpu, arena, matrix)))
    const matrices = found.map(({ rotation }) => rotation)
    const apply = (matrix: GpuMatrix) => rotated(gpu, arena, matrix, { form, matrices })
    return {
      weight: apply(input.weight),
      apply,
      online: [onlineStep(gpu, n, matrices)],
      clip: null,
      report: {
        notes: [
          describeForm(form, n),
          describeStart(form, startOf(input.options), context.seed),
          ...describeObjective(input),
          ...trainingNotes(training, 'the paper minimises the cross-entropy of the whole network'),
          `Largest entry of |RᵀR − I|: ${Math.max(...found.map(({ error }) => error)).toExponential(1)}.`,
          ...describeRows(form, input),
        ],
        training: trainingCurve(training),
        onlineOperations: form.sizes.reduce((sum, size) => sum + n * size, 0),
        onlineBytes: BF16_BYTES * form.sizes.reduce((sum, size) => sum + size * size, 0),
      },
    }
  } finally {
    scratch.release()
  }
}

/** Throws InputError MD-01 for a width without factors, MD-12 where a dense rotation does not fit a buffer. */
function chooseForm({ adapter }: Gpu, n: number, options: OptionValues): RotationForm {
  if (!isDense(n, options)) return kroneckerForm(kroneckerShape(n))
  const limit = Math.min(adapter.maxBindingBytes, adapter.maxBufferBytes)
  if (matrixBytes(n, n) > limit) {
    throw new InputError(
      'MD-12',
      `spinquant.form dense: expected a rotation of at most ${Math.floor(limit / BYTES_PER_MIB)} MiB on this device, ` +
        `found ${n} x ${n}, ${Math.ceil(matrixBytes(n, n) / BYTES_PER_MIB)} MiB. Use form kronecker or auto.`,
    )
  }
  return denseForm(n)
}

const startOf = (options: OptionValues) => (options.start === 'identity' ? 'identity' : 'hadamard')

const seedOf = (seed: number, index: number) => (index === 0 ? seed : seed ^ FACTOR_STREAM)

function startMatrices(
  gpu: Gpu,
  arena: Arena,
  { sizes }: RotationForm,
  { start, seed }: { start: 'hadamard' | 'identity'; seed: number },
): readonly GpuMatrix[] {
  return sizes.map((n, index) => startRotation(gpu, arena, { n, start, seed: seedOf(seed, index) }))
}

/** Null when nothing is quantized. The best state ends in the buffers of `start`. */
async function learn(
  input: FitInput,
  { form, start }: { form: RotationForm; start: readonly GpuMatrix[] },
  context: Context,
): Promise<Trained<readonly GpuMatrix[]> | null> {
  const { config, options } = input
  if (config.weight === null && config.activation === null) return null
  const problem: LearningProblem = withoutWeights(input) ? { ...input, config: { ...config, weight: null } } : input
  const steps = numberOption(options, 'steps')
  const rate = numberOption(options, 'learningRate')
  const createLearner = (inner: Arena) => {
    const recorder = new Recorder(context.gpu)
    const matrices = start.map((best) => ({ value: copyMatrix(recorder, inner, best), best }))
    recorder.submit()
    return rotationLearner(problem, form, matrices)
  }
  const rateAt = (step: number) => (rate * (1 + Math.cos((Math.PI * step) / steps))) / 2
  return await train(problem, createLearner, { steps, rateAt }, context)
}

function rotated(
  gpu: Gpu,
  arena: Arena,
  matrix: GpuMatrix,
  { form, matrices }: { form: RotationForm; matrices: readonly GpuMatrix[] },
): GpuMatrix {
  const recorder = new Recorder(gpu)
  const { values } = form.rotate(recorder, arena, matrix, matrices)
  recorder.submit()
  return values
}

function onlineStep(gpu: Gpu, channels: number, matrices: readonly GpuMatrix[]): OnlineStep {
  const [first, second] = matrices.map((matrix) => async () => (await readMatrix(gpu, matrix)).data)
  if (!second) return matrixStep(channels, first)
  return kroneckerStep({ a: matrices[0].rows, b: matrices[1].rows }, { left: first, right: second })
}

function describeForm({ sizes }: RotationForm, n: number): string {
  if (sizes.length === 1) return `Learned rotation R, one dense ${n} x ${n} matrix.`
  const [a, b] = sizes
  return `Kronecker rotation: R = R_a ⊗ R_b with learned factors ${a} x ${a} and ${b} x ${b}, not a dense ${n} x ${n} matrix.`
}

function describeStart({ sizes }: RotationForm, start: 'hadamard' | 'identity', seed: number): string {
  if (start === 'identity') return 'Started from the identity.'
  const matrices = sizes.map((n, index) => describeHadamard(planHadamard(n, seedOf(seed, index))))
  return `Started from a randomized Hadamard matrix, signs from seed ${seed}. ${matrices.join(' ')}`
}

function describeObjective(input: FitInput): readonly string[] {
  if (input.options.objective !== 'activations') return []
  if (input.config.activation === null) {
    return ['Activations are not quantized, so R was learned with quantized weights instead of activations alone.']
  }
  return ['R was learned with activations quantized alone, weights left as they are; the curve shows that error.']
}

function describeRows({ sizes }: RotationForm, { calibration }: FitInput): readonly string[] {
  return sizes.length > 1 ? [] : fewTokensNotes(calibration.rows, calibration.cols)
}
