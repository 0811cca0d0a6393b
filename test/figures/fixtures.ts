import { createRandom } from '../../src/core/random'
import type {
  ActivationProfile,
  MethodFailure,
  MethodResult,
  OutputErrors,
  ScaleAnalysis,
} from '../../src/experiment/result'

const TOKENS = 16
const CHANNELS = 24
const BINS = 64

/** Profiles a [TOKENS, CHANNELS] matrix the slow way, by the definitions of result.ts. */
export function profileOf(values: readonly number[], tokens = TOKENS, channels = CHANNELS): ActivationProfile {
  const maxAbsolute = Math.max(...values.map(Math.abs))
  const range = 2 ** (Math.floor(Math.log2(maxAbsolute)) + 1)
  const counts = new Float64Array(BINS)
  for (const value of values) counts[Math.floor(((value + range) / (2 * range)) * BINS)] += 1
  const column = (c: number) => Array.from({ length: tokens }, (_, t) => values[t * channels + c])
  const columns = Array.from({ length: channels }, (_, c) => column(c))
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const moment = (k: number) => values.reduce((sum, x) => sum + (x - mean) ** k, 0) / values.length
  return {
    histogram: { range, counts },
    map: { rows: tokens, cols: channels, values: Float32Array.from(values, Math.abs), tokens, channels },
    channelMax: Float32Array.from(columns, (one) => Math.max(...one.map(Math.abs))),
    channelRms: Float32Array.from(columns, (one) => Math.sqrt(one.reduce((sum, x) => sum + x * x, 0) / tokens)),
    maxAbsolute,
    kurtosis: moment(4) / moment(2) ** 2,
    count: values.length,
  }
}

/** Seeded normal numbers; the channels of `outliers` are that many times larger. */
function activations(seed: number, scale: number, outliers: Readonly<Record<number, number>> = {}): number[] {
  const random = createRandom(seed)
  return Array.from({ length: TOKENS * CHANNELS }, (_, i) => random.normal() * scale * (outliers[i % CHANNELS] ?? 1))
}

function errors(outputRelativeError: number, tokens: number): OutputErrors {
  const outputSqnrDb = -20 * Math.log10(outputRelativeError)
  return { outputRelativeError, outputSqnrDb, gain: 0.99, cosine: 0.98, maxAbsoluteError: 1.5, tokens }
}

const identity = (method: string, setting: string) => ({
  method,
  setting,
  weightFormat: 'mxfp4',
  activationFormat: 'mxfp4',
  outputFormat: null,
  headDim: null,
  scaleRule: 'floor',
  rounding: 'half-even',
  blockSize: 32,
  preScale: 0.75,
  preScaleVariant: 'exact' as const,
  seed: 7,
  options: {},
})

interface ResultSpec {
  readonly method: string
  readonly setting?: string
  readonly error: number
  readonly profile: ActivationProfile
  readonly training?: MethodResult['training']
  readonly scaleAnalysis?: ScaleAnalysis | null
}

/** A result with the numbers given and plausible ones for the rest; the calibration error is 0.9 of the other. */
export function resultOf({
  method,
  setting = 'W4A4',
  error,
  profile,
  training = null,
  scaleAnalysis = null,
}: ResultSpec): MethodResult {
  return {
    kind: 'result',
    ...identity(method, setting),
    calibration: errors(error * 0.9, 48),
    evaluation: errors(error, TOKENS),
    weight: { sqnrDb: 18.8, clippedPercent: 0, flushedPercent: 9.8 },
    activation: { sqnrDb: 16.9, clippedPercent: 0.12, flushedPercent: 31.2 },
    bitsPerElement: 4.25,
    onlineBytes: 0,
    onlineOperations: 0,
    elapsedMs: 420,
    profile,
    training,
    scaleAnalysis,
    notes: [],
  }
}

/** What each method's activations look like: one loud channel, evened out, halfway between. */
const PROFILES = {
  rtn: profileOf(activations(1, 1, { 5: 40 })),
  quarot: profileOf(activations(2, 4)),
  flatquant: profileOf(activations(3, 1, { 5: 4 })),
}

const TRAINING = { steps: [0, 50, 100, 150], losses: [0.31, 0.16, 0.101, 0.104], bestStep: 100 }

const SWEPT_FACTORS = [0.5, 0.6, 0.75, 0.9, 1]
const SWEPT_BLOCKS = [8, 16, 32, 64, 128]

/** A scale analysis around an output error: fp32 scales take off the shares given, and curves bend by `bend` dB. */
export function analysisOf(
  error: number,
  [w, x, both]: readonly [number, number, number],
  bend: number,
): ScaleAnalysis {
  const sqnr = -20 * Math.log10(error)
  const preScaled = (factor: number) => sqnr - bend * (factor - 0.9) ** 2
  const powerOfTwo = 10 ** (-preScaled(1) / 20)
  const without = (share: number) => powerOfTwo * Math.sqrt(1 - share)
  return {
    weightScales: { firstExponent: -6, counts: [12, 80, 36], zeroBlocks: 0, blocks: 128 },
    activationScales: { firstExponent: -5, counts: [2, 20, 0, 30, 9], zeroBlocks: 3, blocks: 64 },
    split: {
      powerOfTwo,
      weightFp32: without(w),
      activationFp32: without(x),
      bothFp32: without(both),
      scaleShare: both,
    },
    preScaleSweep: { variant: 'exact', values: SWEPT_FACTORS, outputSqnrDb: SWEPT_FACTORS.map(preScaled) },
    blockSizeSweep: { values: SWEPT_BLOCKS, outputSqnrDb: SWEPT_BLOCKS.map((n) => sqnr - bend * Math.log2(n / 32)) },
  }
}

/** Of each method: RTN loses least to powers of two, FlatQuant would be worse off with fp32 scales of W. */
const ANALYSES = {
  rtn: analysisOf(0.1964, [0.1, 0.12, 0.2], 0.5),
  quarot: analysisOf(0.2841, [0.25, 0.3, 0.45], 1.5),
  flatquant: analysisOf(0.1013, [-0.04, 0.2, 0.15], 0.8),
}

/** RTN, QuaRot and FlatQuant under W4A4, their scales analysed. */
export const W4A4: readonly MethodResult[] = [
  resultOf({ method: 'rtn', error: 0.1964, profile: PROFILES.rtn, scaleAnalysis: ANALYSES.rtn }),
  resultOf({ method: 'quarot', error: 0.2841, profile: PROFILES.quarot, scaleAnalysis: ANALYSES.quarot }),
  resultOf({
    method: 'flatquant',
    error: 0.1013,
    profile: PROFILES.flatquant,
    training: TRAINING,
    scaleAnalysis: ANALYSES.flatquant,
  }),
]

/** The same three, and FlatQuant with GPTQ, under two settings, harsh one first. */
export const TWO_SETTINGS: readonly MethodResult[] = [
  ...W4A4,
  resultOf({ method: 'flatquant+gptq', error: 0.0952, profile: PROFILES.flatquant, training: TRAINING }),
  resultOf({ method: 'rtn', setting: 'W8A8', error: 0.0277, profile: PROFILES.rtn }),
  resultOf({ method: 'quarot', setting: 'W8A8', error: 0.0279, profile: PROFILES.quarot }),
  resultOf({ method: 'flatquant', setting: 'W8A8', error: 0.0221, profile: PROFILES.flatquant }),
]

export const FAILURE: MethodFailure = {
  kind: 'failure',
  ...identity('mr-gptq', 'W4A4'),
  error: { kind: 'gpu', code: 'GP-01', message: 'the device ran out of memory' },
}
