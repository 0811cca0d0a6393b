/** What a rotation does to a layer, in words: from ratios of its error to that of RTN. */
import { type Verdict, verdictOfRatio } from '../experiment/crossings'
import { parseFormat } from '../formats/format-text'
import { methodLabel } from './describe'

/** One random rotation may lie this far from the mean over seeds. */
const ONE_SEED_MARGIN = 0.1

/** `seeds`: how many rotations are asked for. `isRandom`: whether another seed gives another rotation. */
export interface Judged {
  readonly method: string
  /** Of the rotations measured so far, that of the setup's seed first. */
  readonly ratios: readonly number[]
  readonly seeds: number
  readonly isRandom: boolean
}

const meanOf = (ratios: readonly number[]) => ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
const two = (value: number) => value.toFixed(2)

/**
 * By the mean ratio: above 1.02 the rotation hurts, below 0.98 it helps, between them it cannot be told. One random
 * rotation alone is judged with a margin of 10 %; nothing is judged before all seeds are there.
 */
export function verdictOf({ ratios, seeds, isRandom }: Judged): Verdict | 'pending' {
  const finite = ratios.filter(Number.isFinite)
  if (finite.length === 0 || ratios.length < seeds) return 'pending'
  const mean = meanOf(finite)
  if (isRandom && seeds === 1 && Math.abs(mean - 1) <= ONE_SEED_MARGIN) return 'undecided'
  return verdictOfRatio(mean)
}

/** What the ratios are of: "1.29 with this seed, 1.40 on average over 5 seeds, 1.29 to 1.45". null: nothing is measured. */
export function ratioText({ ratios, seeds, isRandom }: Judged): string | null {
  const finite = ratios.filter(Number.isFinite)
  if (finite.length === 0) return null
  const [first] = finite
  if (!isRandom) return `${two(first)}, without a random choice`
  if (seeds === 1) return `${two(first)} with this seed alone`
  if (ratios.length < seeds) return `${two(first)} with this seed, ${ratios.length} of ${seeds} seeds so far`
  const [least, most] = [Math.min(...finite), Math.max(...finite)]
  return `${two(meanOf(finite))} on average over ${finite.length} seeds (${two(least)} to ${two(most)}), ${two(first)} with this one`
}

/** The verdict as a sentence; null while nothing is measured. */
export function verdictSentence(judged: Judged): string | null {
  const text = ratioText(judged)
  if (text === null) return null
  const name = methodLabel(judged.method)
  const start = {
    hurts: `${name} hurts here`,
    helps: `${name} helps here`,
    undecided: `Whether ${name} hurts or helps here cannot be told`,
    pending: `${name} is being measured`,
  }[verdictOf(judged)]
  return `${start}: error over that of RTN ${text}`
}

/** The verdict in a word, for a table. */
export function verdictWord(judged: Judged): string {
  return { hurts: 'hurts', helps: 'helps', undecided: 'cannot be told', pending: 'measuring' }[verdictOf(judged)]
}

/** What a rotation should do to a layer in these formats, by how they scale: for the loaded layer, before its numbers. */
export function rotationStory(weightFormat: string | null, activationFormat: string | null): string {
  const texts = [weightFormat, activationFormat].filter((text) => text !== null)
  const formats = texts.map((text) => parseFormat(text).format)
  const where = activationFormat === null ? 'The activations stay as loaded, so no token is rounded. ' : ''
  if (formats.length > 0 && formats.every(({ element }) => element.bits > 4)) {
    return `${where}With more than four bits the noise is small either way; a rotation still moves it as below.`
  }
  if (formats.some(({ family }) => family === 'integer')) {
    return `${where}An integer row has one scale: an outlier coarsens the steps of all its channels. A rotation lowers the largest value and the noise of the row with it, which is why it tends to help here.`
  }
  return `${where}Every block of channels has a scale of its own: an outlier costs its own block only. A rotation spreads the noise over all channels, also onto those whose weights are large, and makes a token ruled by one channel two-valued, which four-bit floats round badly.`
}
