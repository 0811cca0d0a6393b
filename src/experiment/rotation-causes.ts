/** Why does a rotation hurt, or help, on this layer? The two measured causes, before and after the rotation. */
import { InputError } from '../core/errors'
import { completeOptions } from '../core/options'
import type { Progress } from '../core/progress'
import type { QuantConfig } from '../formats/number-format'
import type { MxChoices } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { Recorder } from '../gpu/recorder'
import type { Method } from '../methods/method'
import { METHODS, methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { type ChannelEnergies, channelEnergies } from './channel-energies'
import { gaussianNoise, rotationError } from './gaussian-noise'
import { type OutlierToken, readOutlierToken } from './outlier-token'
import type { MethodChoice } from './request'
import type { ComparisonLayer } from './run-comparison'
import { quantizersOf, settingOf } from './settings'

/** The MX choices hold for every MX operand. */
export interface RotationQuery extends MxChoices {
  /** Texts of formats; null leaves that operand as loaded. At least one is not null. */
  readonly weightFormat: string | null
  readonly activationFormat: string | null
  /** A rotation that rounds to nearest, such as quarot or block-hadamard. */
  readonly method: MethodChoice
  readonly seed: number
  /** Channels of one attention head, for rotations of heads; null: assumed, and said. */
  readonly headDim: number | null
}

/**
 * Where the output error comes from, channel by channel, as shares of ‖Y‖² on evaluation rows. N are noise energies and E, Ω
 * energies of a channel: the three arrays [in] add up to `predicted`².
 */
export interface NoiseAttribution {
  /** N^X_c Ω_c / ‖Y‖²: noise of the activations through the weight. */
  readonly activationNoise: Float32Array
  /** E_c N^W_c / ‖Y‖²: noise of the weight under the activations. */
  readonly weightNoise: Float32Array
  /** N^X_c N^W_c / ‖Y‖²: noise of both. */
  readonly bothNoise: Float32Array
  /** Relative output error that the sums predict, and the one measured. */
  readonly predicted: number
  readonly measured: number
}

export interface RotationCauses extends RotationQuery {
  readonly layerName: string
  readonly inDim: number
  /** Evaluation rows. */
  readonly tokens: number
  readonly before: NoiseAttribution
  readonly after: NoiseAttribution
  /** χ = ‖X‖ ‖W‖ / (√in ‖Y‖) */
  readonly chi: number
  /** κ: relative noise energy of Gaussian data in each format; 0 for an operand left as loaded. */
  readonly weightKappa: number
  readonly activationKappa: number
  /** χ √(κ_W + κ_X + κ_W κ_X): the error of a global rotation. Rotation helps where the error without one is larger. */
  readonly closedForm: number
  /** mean(E) mean(Ω) / mean(E Ω): above 1, large activations meet small weights. */
  readonly mismatch: number
  readonly token: OutlierToken
  /** What the rotation had to decide. */
  readonly notes: readonly string[]
}

/** What an explanation says while it goes: how far a learned rotation is trained, and what was found. */
export type ExplanationEvent =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'explained'; readonly causes: RotationCauses }

/** `onProgress` hears how far a learned rotation is trained. */
export interface ExplanationContext {
  readonly gpu: Gpu
  readonly signal: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** Methods that explainRotation can take apart: an orthogonal change of basis and rounding to nearest. */
export function explainableRotations(): readonly Method[] {
  return METHODS.filter(({ kind, mitigation }) => kind === 'rotation' && mitigation.id === ROUND_TO_NEAREST)
}

const ROUND_TO_NEAREST = 'round-to-nearest'

/** The query, checked and completed. Throws InputError RC-01, and what settings and options that do not exist throw. */
function planOf({ weightFormat, activationFormat, method: choice, ...mx }: RotationQuery) {
  const method = methodById(choice.id)
  if (!explainableRotations().includes(method)) {
    const known = explainableRotations().map(({ id }) => id)
    throw new InputError('RC-01', `causes of a rotation: expected one of ${known.join(', ')}, found "${method.id}".`)
  }
  if (weightFormat === null && activationFormat === null) {
    throw new InputError('RC-01', 'causes of a rotation: expected a format for weights or activations, found none.')
  }
  const { weight, activation } = quantizersOf(settingOf({ weightFormat, activationFormat, outputFormat: null }), mx)
  const options = completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), choice.options)
  return { method, options, config: { weight, activation } }
}

/** Throws the InputError that explainRotation would end with on any layer; returns otherwise. Touches no GPU. */
export function checkRotationQuery(query: RotationQuery): void {
  planOf(query)
}

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)

function attribute({ x, xNoise, w, wNoise, output }: ChannelEnergies): NoiseAttribution {
  const share = (left: Float64Array, right: Float64Array) =>
    left.map((value, c) => (value * right[c]) / output.reference)
  const parts = [share(xNoise, w), share(x, wNoise), share(xNoise, wNoise)]
  const [activationNoise, weightNoise, bothNoise] = parts.map((part) => Float32Array.from(part))
  return {
    activationNoise,
    weightNoise,
    bothNoise,
    predicted: Math.sqrt(parts.reduce((total, part) => total + sum(part), 0)),
    measured: Math.sqrt(output.error / output.reference),
  }
}

/** mean(E) mean(Ω) / mean(E Ω) */
function mismatchOf({ x, w }: ChannelEnergies): number {
  return (sum(x) * sum(w)) / (x.length * sum(x.map((value, c) => value * w[c])))
}

/** Every sum of the attribution must be a number: squares beyond f32 would make it meaningless. */
function checkEnergies({ x, xNoise, w, wNoise, output }: ChannelEnergies): void {
  const channel = [x, xNoise, w, wNoise]
    .map((sums) => sums.findIndex((value) => !Number.isFinite(value)))
    .find((c) => c >= 0)
  if (channel !== undefined || !Number.isFinite(output.error)) {
    const where = channel === undefined ? 'in the output' : `at channel ${channel}`
    throw new InputError(
      'RC-02',
      `causes of a rotation: expected sums of squares within f32, found an overflow ${where}.`,
    )
  }
  if (output.reference === 0) {
    throw new InputError('RC-02', 'causes of a rotation: expected an output that is not zero everywhere.')
  }
}

/**
 * Takes the error of rounding to nearest on the evaluation rows of `layer` apart, as they are and after the rotation of
 * `query`. Sums run on the GPU; a few numbers per channel are read back. Scratch memory (about twice the layer) comes from
 * the pool and goes back before this returns. Throws InputError RC-01 for a method that is no rotation rounding to nearest
 * or two operands left as loaded, RC-02 for values whose squares leave f32, MD-01 and MD-08 for widths the rotation
 * cannot have. Definitions: docs/metrics.md, "Why a rotation hurts".
 */
export async function explainRotation(
  layer: ComparisonLayer,
  query: RotationQuery,
  { gpu, signal, onProgress = () => {} }: ExplanationContext,
): Promise<RotationCauses> {
  const { method, options, config } = planOf(query)
  const { weight, evaluation, calibration } = layer
  const arena = new Arena(gpu)
  const product = (rows: GpuMatrix) => {
    const recorder = new Recorder(gpu)
    const reference = matmulNt(recorder, arena, rows, weight)
    recorder.submit()
    return reference
  }
  try {
    const reference = product(evaluation)
    const fitReference = calibration === evaluation ? reference : product(calibration)
    const fitted = await method.transform.fit(
      { weight, calibration, reference: fitReference, config, options, headDim: query.headDim },
      { gpu, arena, signal, seed: query.seed, onProgress },
    )
    const rotated = fitted.apply(evaluation)
    const plain = { activations: evaluation, weight, reference }
    const token = await readOutlierToken(gpu, { plain: evaluation, rotated, fitted }, config.activation)
    const [before, after] = [
      await channelEnergies(gpu, plain, config),
      await channelEnergies(gpu, { activations: rotated, weight: fitted.weight, reference }, config),
    ]
    checkEnergies(before)
    checkEnergies(after)
    return {
      ...describe(query, layer),
      ...(await predict(gpu, before, config)),
      token,
      before: attribute(before),
      after: attribute(after),
      notes: fitted.report.notes,
    }
  } finally {
    arena.release()
  }
}

function describe(query: RotationQuery, { name, evaluation }: ComparisonLayer) {
  return { ...query, layerName: name, inDim: evaluation.cols, tokens: evaluation.rows }
}

/** What can be said before anything is rotated. */
async function predict(gpu: Gpu, energies: ChannelEnergies, config: QuantConfig) {
  const inDim = energies.x.length
  const [weightKappa, activationKappa] = await gaussianNoise(gpu, [config.weight, config.activation], inDim)
  const { chi, error } = rotationError(
    { x: sum(energies.x), w: sum(energies.w), y: energies.output.reference, inDim },
    { weight: weightKappa, activation: activationKappa },
  )
  return { chi, weightKappa, activationKappa, closedForm: error, mismatch: mismatchOf(energies) }
}
