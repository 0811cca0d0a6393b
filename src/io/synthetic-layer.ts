/** A seeded linear layer with outlier channels, for asking when a rotation hurts (docs/activations.md). */
import { InputError } from '../core/errors'
import { type Matrix, zeros } from '../core/matrix'
import { createRandom, studentT } from '../core/random'
import { grouped } from './number-text'
import { MAX_SYNTHETIC_TOKENS, outlierChannels, TAIL_DEGREES } from './synthetic'

/** Controls of the seeded layer. */
export interface SyntheticLayerSpec {
  readonly outDim: number
  readonly inDim: number
  /** Rows of the calibration set, and as many of the evaluation set. */
  readonly tokens: number
  /** Channels of the activations multiplied by outlierStrength. */
  readonly outlierChannels: number
  readonly outlierStrength: number
  /**
   * α: the weight's columns at these channels are multiplied by outlierStrength^−α. 0: the weight knows nothing of the
   * outliers; 1: products of both are as large as everywhere; negative: large meets large.
   */
  readonly correlation: number
  /** Degrees of freedom of the Student t distribution of the activations: fewer, heavier tails. null: Gaussian. */
  readonly tailDegrees: number | null
  /** Outlier channels side by side from a multiple of 32, so that they share as few blocks as they can. */
  readonly clustered: boolean
  readonly seed: number
}

/** A layer on the CPU, in f32. */
export interface SyntheticLayer {
  /** [outDim, inDim] */
  readonly weight: Matrix
  /** [tokens, inDim] each, of one distribution. */
  readonly calibration: Matrix
  readonly evaluation: Matrix
  /** The outlier channels. */
  readonly channels: readonly number[]
}

/** Largest width and height: such a layer is for software adapters too. */
export const MAX_SYNTHETIC_DIM = 8192

/** Range of α. */
export const MAX_CORRELATION = 2

/** Largest factor on an outlier channel. */
export const MAX_OUTLIER_STRENGTH = 65_536

/** Outlier channels packed together begin at a multiple of this: the standard MX block. */
const CLUSTER_ALIGNMENT = 32

/** XORed into the seed, so that the parts of a layer are streams of their own ("wght", "eval", "clst"). */
const WEIGHT_STREAM = 0x77676874
const EVALUATION_STREAM = 0x6576616c
const CLUSTER_STREAM = 0x636c7374

/** Throws InputError AC-06 for a control out of range. */
export function checkSyntheticLayer(spec: SyntheticLayerSpec): void {
  const inside = (name: string, value: number, [min, max]: readonly [number, number]) => {
    if (value >= min && value <= max) return
    refuse(name, `expected ${grouped(min)} to ${grouped(max)}, found ${value}`)
  }
  const whole = (name: string, value: number, [min, max]: readonly [number, number]) => {
    if (Number.isInteger(value) && value >= min && value <= max) return
    refuse(name, `expected a whole number from ${grouped(min)} to ${grouped(max)}, found ${value}`)
  }
  whole('output channels', spec.outDim, [1, MAX_SYNTHETIC_DIM])
  whole('input channels', spec.inDim, [1, MAX_SYNTHETIC_DIM])
  whole('tokens', spec.tokens, [1, MAX_SYNTHETIC_TOKENS])
  whole('outlier channels', spec.outlierChannels, [0, spec.inDim])
  whole('seed', spec.seed, [0, 2 ** 32 - 1])
  inside('outlier strength', spec.outlierStrength, [1, MAX_OUTLIER_STRENGTH])
  inside('correlation', spec.correlation, [-MAX_CORRELATION, MAX_CORRELATION])
  if (spec.tailDegrees !== null) inside('tail degrees', spec.tailDegrees, TAIL_DEGREES)
}

function refuse(name: string, expectation: string): never {
  throw new InputError('AC-06', `synthetic layer: ${name}: ${expectation}.`)
}

/**
 * The layer of `spec`: weight N(0, 1/inDim), activations N(0, 1) or Student t, both f32; then the outlier channels of the
 * activations times the strength k and the weight's columns there times k^−α. The same spec gives the same bits. The
 * numbers under the factors depend on seed, shape and tail alone, so layers of two strengths differ in the factors only.
 *
 * Throws InputError AC-06 for a control out of range.
 */
export function generateLayer(spec: SyntheticLayerSpec): SyntheticLayer {
  checkSyntheticLayer(spec)
  const { outDim, inDim, tokens, outlierStrength, correlation, tailDegrees, seed } = spec
  const channels = channelsOf(spec)
  const factors = (factor: number) => {
    const all = new Float64Array(inDim).fill(1)
    for (const channel of channels) all[channel] = factor
    return all
  }
  const columns = factors(outlierStrength ** -correlation).map((factor) => factor / Math.sqrt(inDim))
  const gains = factors(outlierStrength)
  const stream = (word: number) => ({ seed: (seed ^ word) >>> 0 })
  const rows = { rows: tokens, gains, tailDegrees }
  return {
    weight: draw({ rows: outDim, gains: columns, tailDegrees: null, ...stream(WEIGHT_STREAM) }),
    calibration: draw({ ...rows, seed }),
    evaluation: draw({ ...rows, ...stream(EVALUATION_STREAM) }),
    channels,
  }
}

function channelsOf(spec: SyntheticLayerSpec): readonly number[] {
  const { outlierChannels: count, inDim, clustered, seed } = spec
  if (!clustered) return outlierChannels(spec, inDim)
  const places = Math.floor((inDim - count) / CLUSTER_ALIGNMENT) + 1
  const start = CLUSTER_ALIGNMENT * Math.floor(createRandom((seed ^ CLUSTER_STREAM) >>> 0).uniform() * places)
  return Array.from({ length: count }, (_, i) => start + i)
}

interface Draw {
  readonly rows: number
  /** One per column. */
  readonly gains: Float64Array
  readonly tailDegrees: number | null
  readonly seed: number
}

/**
 * A matrix of independent numbers times the gains of their columns: Student t, or Gaussian by Box-Muller with two uniform
 * numbers each, so that both kinds draw alike.
 */
function draw({ rows, gains, tailDegrees, seed }: Draw): Matrix {
  const random = createRandom(seed)
  const matrix = zeros(rows, gains.length)
  const gaussian = () => Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
  for (let i = 0; i < matrix.data.length; i++) {
    const value = tailDegrees === null ? gaussian() : studentT(random, tailDegrees)
    matrix.data[i] = value * gains[i % gains.length]
  }
  return matrix
}
