/** What a user should know about one run of GPTQ, as sentences. */
import { dampingOverMedian, type HessianFacts } from './hessian'
import type { GptqChoices, ScaleSource } from './options'

/** Below this many rows per channel a fit shows on held-out rows. */
export const ROWS_PER_CHANNEL = 8

export interface GptqFacts {
  readonly hessian: HessianFacts
  readonly choices: GptqChoices
  /** λ that was used; null when nothing was factored. */
  readonly damping: number | null
  /** Scales that stand in for those asked for, where the format has none of that kind. */
  readonly scales: ScaleSource
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`

/** Facts about the calibration rows and what was done about them; nothing about what needs no telling. */
export function gptqNotes({ hessian, choices, damping, scales }: GptqFacts): string[] {
  const { tokens, deadChannels } = hessian
  const channels = hessian.diagonal.length
  if (damping === null) {
    return ['Every channel is zero in all calibration rows: weights are rounded to nearest.']
  }
  const notes: string[] = []
  if (tokens < channels) {
    notes.push(`${count(tokens, 'token')} for ${count(channels, 'channel')}: calibration error is not trustworthy.`)
  } else if (tokens < ROWS_PER_CHANNEL * channels) {
    notes.push(
      `${tokens} tokens for ${count(channels, 'channel')}: with fewer than ${ROWS_PER_CHANNEL} per channel the error on ` +
        'calibration rows is too good to trust; look at held-out rows.',
    )
  }
  if (deadChannels > 0) {
    notes.push(
      `${deadChannels} of ${channels} channels are zero in all calibration rows: their weights are rounded to nearest.`,
    )
  }
  if (damping > choices.damping) {
    notes.push(`Damping raised from ${choices.damping} to ${damping}: the Hessian was not positive definite before.`)
  }
  const ratio = dampingOverMedian(hessian, damping)
  if (ratio > 1) {
    notes.push(
      `Damping is ${ratio.toPrecision(2)} times the Hessian's median diagonal, so most channels are hardly compensated: ` +
        `try ${suggestedDamping(damping / ratio)}.`,
    )
  }
  if (scales !== choices.scales) {
    notes.push(`Scales ${choices.scales} need a power-of-two scale per block; ${scales} ones were used.`)
  }
  return notes
}

/** The λ at which the damping equals the median diagonal, to one digit and in the range of the option. */
function suggestedDamping(damping: number): number {
  return Number(Math.max(1e-4, damping).toPrecision(1))
}
