/** The part of a command line that says how synthetic activations are drawn. */
import {
  DEFAULT_SYNTHETIC,
  MAX_CHANNEL_CORRELATION,
  type MassiveToken,
  type SyntheticSpec,
  TAIL_DEGREES,
} from '../io/synthetic'
import { UsageError, wholeNumber } from './command'

const MAX_CHANNELS = 2 ** 31

export const SYNTHETIC_HELP = `  --synthetic              seeded synthetic activations instead (${DEFAULT_SYNTHETIC.tokens} rows unless --tokens)
  --norm-gain NAME|auto    multiplied by this gain of a norm; auto finds the norm before the weight by its name
  --outlier-channels N     their outlier channels (default ${DEFAULT_SYNTHETIC.outlierChannels}): with a gain those where it is largest
  --outlier-gain G         and the factor on these (default ${DEFAULT_SYNTHETIC.outlierGain})
  --tail NU                Student's t with NU degrees of freedom, ${TAIL_DEGREES.join(' … ')} (default: Gaussian)
  --channel-correlation R  between neighbouring channels, 0 … ${MAX_CHANNEL_CORRELATION} (default 0)
  --massive CxS            one token with C channels at S root mean squares, such as 2x500 (default: none)
`

/** For the `options` of parseArgs. */
export const SYNTHETIC_OPTIONS = {
  synthetic: { type: 'boolean', default: false },
  'norm-gain': { type: 'string' },
  'outlier-channels': { type: 'string' },
  'outlier-gain': { type: 'string' },
  tail: { type: 'string' },
  'channel-correlation': { type: 'string' },
  massive: { type: 'string' },
} as const

type SyntheticKey = Exclude<keyof typeof SYNTHETIC_OPTIONS, 'synthetic'>
export type SyntheticValues = { readonly [Name in SyntheticKey]?: string | undefined } & { readonly synthetic: boolean }

/** `gain`: the name of a tensor, 'auto', or null for a gain of 1. */
export interface SyntheticArguments {
  readonly kind: 'synthetic'
  readonly spec: SyntheticSpec
  readonly gain: string | null
}

/** `--name VALUE` as a finite number; `fallback` when absent. */
export function realNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`--${name}: expected a number, found "${text}"`)
  return value
}

function massiveOf(text: string | undefined): MassiveToken | null {
  if (text === undefined) return null
  const [, channels, size] = /^(\d+)x([\d.]+)$/.exec(text) ?? []
  if (channels === undefined || size === undefined) {
    throw new UsageError(`--massive: expected channels and size such as 2x500, found "${text}"`)
  }
  return { channels: Number(channels), size: Number(size) }
}

/** Throws UsageError for what is no number; whether numbers make sense is known with the layer (AC-04). */
export function syntheticOf(
  values: SyntheticValues,
  { tokens, seed }: { tokens: number | null; seed: number },
): SyntheticArguments {
  const { outlierChannels, outlierGain, correlation } = DEFAULT_SYNTHETIC
  const range = { min: 0, max: MAX_CHANNELS, fallback: outlierChannels }
  return {
    kind: 'synthetic',
    gain: values['norm-gain'] ?? null,
    spec: {
      tokens: tokens ?? DEFAULT_SYNTHETIC.tokens,
      outlierChannels: wholeNumber('outlier-channels', values['outlier-channels'], range),
      outlierGain: realNumber('outlier-gain', values['outlier-gain'], outlierGain),
      tailDegrees: values.tail === undefined ? null : realNumber('tail', values.tail, 0),
      correlation: realNumber('channel-correlation', values['channel-correlation'], correlation),
      massive: massiveOf(values.massive),
      seed,
    },
  }
}
