import { InputError } from '../core/errors'
import { type Matrix, zeros } from '../core/matrix'
import { createRandom } from '../core/random'
import { grouped } from './number-text'

/** Controls of the seeded activation generator (docs/activations.md). */
export interface SyntheticSpec {
  readonly tokens: number
  /** Channels multiplied by outlierGain. */
  readonly outlierChannels: number
  readonly outlierGain: number
  readonly seed: number
}

export const DEFAULT_SYNTHETIC: SyntheticSpec = { tokens: 512, outlierChannels: 6, outlierGain: 20, seed: 0 }

/** Most tokens generated: beyond this the numbers no longer move and the worker only gets slower. */
export const MAX_SYNTHETIC_TOKENS = 8192

/** XORed into the seed of the channel choice ("outl"), so that it and the values are two streams. */
const CHANNEL_STREAM = 0x6f75746c

/**
 * Seeded activations [tokens, inDim]: rows z ~ N(0, 1), each divided by its root mean square, then the outlier
 * channels multiplied by the gain. The same spec gives the same bits; the values under the outliers do not depend on
 * how many there are, and a larger number of outlier channels contains the smaller one.
 *
 * Throws InputError AC-04 for a control out of range.
 */
export function generateActivations(spec: SyntheticSpec, inDim: number): Matrix {
  checkSynthetic(spec, inDim)
  const { tokens, outlierGain, seed } = spec
  const matrix = zeros(tokens, inDim)
  const random = createRandom(seed)
  const row = new Float64Array(inDim)
  const gains = new Float64Array(inDim).fill(1)
  for (const channel of outlierChannels(spec, inDim)) gains[channel] = outlierGain
  for (let token = 0; token < tokens; token++) {
    let squares = 0
    for (let k = 0; k < inDim; k++) {
      row[k] = random.normal()
      squares += row[k] * row[k]
    }
    const rms = Math.sqrt(squares / inDim)
    for (let k = 0; k < inDim; k++) matrix.data[token * inDim + k] = (row[k] / rms) * gains[k]
  }
  return matrix
}

/** The channels that `spec` makes outliers, in the order drawn: the head of a seeded Fisher-Yates shuffle. */
export function outlierChannels(spec: SyntheticSpec, inDim: number): number[] {
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

/** The caption of synthetic data: "synthetic: 512 tokens, 6 outlier channels x 20, seed 0". */
export function describeSynthetic(spec: SyntheticSpec): string {
  const { tokens, outlierChannels: channels, outlierGain, seed } = spec
  const outliers =
    channels === 1 ? `1 outlier channel x ${outlierGain}` : `${channels} outlier channels x ${outlierGain}`
  const tokenText = tokens === 1 ? '1 token' : `${grouped(tokens)} tokens`
  return `synthetic: ${tokenText}, ${channels === 0 ? 'no outlier channels' : outliers}, seed ${seed}`
}

function checkSynthetic(spec: SyntheticSpec, inDim: number): void {
  const whole = (name: string, value: number, [min, max]: readonly [number, number]) => {
    if (Number.isInteger(value) && value >= min && value <= max) return
    const expected = `expected a whole number from ${grouped(min)} to ${grouped(max)}, found ${value}`
    throw new InputError('AC-04', `synthetic activations: ${name}: ${expected}.`)
  }
  whole('tokens', spec.tokens, [1, MAX_SYNTHETIC_TOKENS])
  whole('outlier channels', spec.outlierChannels, [0, inDim])
  whole('seed', spec.seed, [0, 2 ** 32 - 1])
  if (!(spec.outlierGain > 0 && spec.outlierGain <= 1e6)) {
    const found = `expected a number above 0 and at most 1,000,000, found ${spec.outlierGain}`
    throw new InputError('AC-04', `synthetic activations: outlier gain: ${found}.`)
  }
}
