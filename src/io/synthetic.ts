import { InputError } from '../core/errors'
import { type Matrix, zeros } from '../core/matrix'
import { createRandom, type Random, studentT } from '../core/random'
import { grouped } from './number-text'

/** One token of which some channels are far above everything else, as attention sinks are. */
export interface MassiveToken {
  readonly channels: number
  /** Of these channels, in root mean squares of the row. */
  readonly size: number
}

/** Controls of the seeded activation generator (docs/activations.md). */
export interface SyntheticSpec {
  readonly tokens: number
  /** Channels multiplied by outlierGain. */
  readonly outlierChannels: number
  readonly outlierGain: number
  /** Degrees of freedom of a Student t distribution: fewer, heavier tails. null: Gaussian. */
  readonly tailDegrees: number | null
  /** Correlation of neighbouring channels before the gains, 0 … 0.99; that of channels d apart is its d-th power. */
  readonly correlation: number
  /** null: no token is massive. */
  readonly massive: MassiveToken | null
  readonly seed: number
}

export const DEFAULT_SYNTHETIC: SyntheticSpec = {
  tokens: 512,
  outlierChannels: 6,
  outlierGain: 20,
  tailDegrees: null,
  correlation: 0,
  massive: null,
  seed: 0,
}

/** Most tokens generated: beyond this the numbers no longer move and the worker only gets slower. */
export const MAX_SYNTHETIC_TOKENS = 8192

/** Range of the degrees of freedom: with 2 and fewer the variance is infinite; beyond 100 nothing differs from a Gaussian. */
export const TAIL_DEGREES = [2, 100] as const

export const MAX_CHANNEL_CORRELATION = 0.99

/** XORed into the seed of the channel choice ("outl"), so that it and the values are two streams. */
const CHANNEL_STREAM = 0x6f75746c

/** XORed into the seed of the massive token ("mass"). */
const MASSIVE_STREAM = 0x6d617373

/**
 * Seeded activations [tokens, inDim]: rows z ~ N(0, 1) or Student t, correlated along the channels where asked, each
 * divided by its root mean square and multiplied by `gain`, the gain of the norm before the layer (null: 1); then the
 * outlier channels times their gain, and one massive token. The same spec gives the same bits; the values under the
 * outliers do not depend on how many there are, and a larger number of outlier channels contains the smaller one.
 *
 * Throws InputError AC-04 for a control out of range. A gain of another length than inDim is a caller's bug.
 */
export function generateActivations(spec: SyntheticSpec, inDim: number, gain: ArrayLike<number> | null = null): Matrix {
  checkSynthetic(spec, inDim)
  if (gain && gain.length !== inDim) throw new InputError('BUG', `gain: expected ${inDim} values, found ${gain.length}`)
  const { tokens, outlierGain, seed } = spec
  const matrix = zeros(tokens, inDim)
  const random = createRandom(seed)
  const row = new Float64Array(inDim)
  const factors = Float64Array.from({ length: inDim }, (_, k) => (gain ? gain[k] : 1))
  for (const channel of chosenChannels(spec, inDim, gain)) factors[channel] *= outlierGain
  for (let token = 0; token < tokens; token++) {
    drawRow(row, spec, random)
    const rms = rootMeanSquare(row)
    for (let k = 0; k < inDim; k++) matrix.data[token * inDim + k] = (row[k] / rms) * factors[k]
  }
  if (spec.massive) addMassiveToken(matrix, spec.massive, seed)
  return matrix
}

/** One row before it is normalised; neighbours follow each other as a first-order autoregression. */
function drawRow(row: Float64Array, { tailDegrees, correlation }: SyntheticSpec, random: Random): void {
  const fresh = Math.sqrt(1 - correlation * correlation)
  for (let k = 0; k < row.length; k++) {
    const value = tailDegrees === null ? random.normal() : studentT(random, tailDegrees)
    row[k] = k === 0 || correlation === 0 ? value : correlation * row[k - 1] + fresh * value
  }
}

function rootMeanSquare(row: ArrayLike<number>): number {
  let squares = 0
  for (let k = 0; k < row.length; k++) squares += row[k] * row[k]
  return Math.sqrt(squares / row.length)
}

/** Sets the first channels of a seeded shuffle, of a token drawn before them, to `size` root mean squares, signs kept. */
function addMassiveToken({ rows, cols, data }: Matrix, { channels, size }: MassiveToken, seed: number): void {
  const own = (seed ^ MASSIVE_STREAM) >>> 0
  const token = Math.floor(createRandom(own).uniform() * rows)
  const row = data.subarray(token * cols, (token + 1) * cols)
  const level = size * rootMeanSquare(row)
  for (const channel of outlierChannels({ outlierChannels: channels, seed: own }, cols)) {
    row[channel] = row[channel] < 0 ? -level : level
  }
}

/** The channels that become outliers: those with the largest gain, ties in the order of the seed; without a gain, seeded. */
function chosenChannels(spec: SyntheticSpec, inDim: number, gain: ArrayLike<number> | null): readonly number[] {
  if (!gain) return outlierChannels(spec, inDim)
  const order = outlierChannels({ outlierChannels: inDim, seed: spec.seed }, inDim)
  return order.sort((a, b) => Math.abs(gain[b]) - Math.abs(gain[a])).slice(0, spec.outlierChannels)
}

/** The channels that `spec` makes outliers, in the order drawn: the head of a seeded Fisher-Yates shuffle. */
export function outlierChannels(spec: Pick<SyntheticSpec, 'outlierChannels' | 'seed'>, inDim: number): number[] {
  const random = createRandom((spec.seed ^ CHANNEL_STREAM) >>> 0)
  const channels = Array.from({ length: inDim }, (_, k) => k)
  for (let drawn = 0; drawn < spec.outlierChannels; drawn++) {
    const pick = drawn + Math.floor(random.uniform() * (inDim - drawn))
    const channel = channels[pick]
    channels[pick] = channels[drawn]
    channels[drawn] = channel
  }
  return channels.slice(0, spec.outlierChannels)
}

/**
 * The caption of synthetic data: "synthetic: 512 tokens, 6 outlier channels x 20, seed 0". `gain`: the name of the norm's
 * gain the rows were multiplied by.
 */
export function describeSynthetic(spec: SyntheticSpec, gain: string | null = null): string {
  const { tokens, outlierChannels: channels, outlierGain, tailDegrees, correlation, massive, seed } = spec
  const counted = (count: number, noun: string) => (count === 1 ? `1 ${noun}` : `${grouped(count)} ${noun}s`)
  const parts = [
    counted(tokens, 'token'),
    ...(gain === null ? [] : [`gain of ${gain}`]),
    channels === 0 ? 'no outlier channels' : `${counted(channels, 'outlier channel')} x ${outlierGain}`,
    ...(tailDegrees === null ? [] : [`Student t with ${tailDegrees} degrees of freedom`]),
    ...(correlation === 0 ? [] : [`channel correlation ${correlation}`]),
    ...(massive ? [`one massive token, ${counted(massive.channels, 'channel')} at ${massive.size} rms`] : []),
    `seed ${seed}`,
  ]
  return `synthetic: ${parts.join(', ')}`
}

function checkSynthetic(spec: SyntheticSpec, inDim: number): void {
  const refuse = (name: string, expected: string): never => {
    throw new InputError('AC-04', `synthetic activations: ${name}: expected ${expected}.`)
  }
  const whole = (name: string, value: number, [min, max]: readonly [number, number]) => {
    if (Number.isInteger(value) && value >= min && value <= max) return
    refuse(name, `a whole number from ${grouped(min)} to ${grouped(max)}, found ${value}`)
  }
  const inside = (name: string, value: number, [min, max]: readonly [number, number]) => {
    if (!(value >= min && value <= max)) refuse(name, `${min} to ${max}, found ${value}`)
  }
  const factor = (name: string, value: number) => {
    if (!(value > 0 && value <= 1e6)) refuse(name, `a number above 0 and at most 1,000,000, found ${value}`)
  }
  whole('tokens', spec.tokens, [1, MAX_SYNTHETIC_TOKENS])
  whole('outlier channels', spec.outlierChannels, [0, inDim])
  whole('seed', spec.seed, [0, 2 ** 32 - 1])
  factor('outlier gain', spec.outlierGain)
  if (spec.tailDegrees !== null) inside('degrees of freedom', spec.tailDegrees, TAIL_DEGREES)
  inside('channel correlation', spec.correlation, [0, MAX_CHANNEL_CORRELATION])
  if (spec.massive) {
    whole('massive channels', spec.massive.channels, [1, inDim])
    factor('massive size', spec.massive.size)
  }
}
