/**
 * Six steps through the built-in layer: the story of arXiv 2601.09555 on results that are on screen. A step is a link, and
 * a card whose numbers are read from the results that the link shows.
 */
import type { MethodResult } from '../experiment/result'
import {
  formatBits,
  formatDecibelDifference,
  formatDecibels,
  formatKurtosis,
  formatMagnitude,
  formatPercent,
  formatRelativeError,
  shownDifference,
} from '../figures/format-number'
import { layerFacts, layerTitle, panelOutcomes } from './selectors'
import type { AppState } from './state'
import { formatLink, type LinkState, parseLink } from './url'
import type { Vocabulary } from './vocabulary'

export interface TourStep {
  /** Stable: used in hooks. */
  readonly id: string
  readonly title: string
  /** What is on screen, as a link without the theme. */
  readonly link: string
  /** The card's text; null while a number it needs is not computed. */
  text(read: Reader): string | null
}

/** Reads what is on screen; `result` gives null for what is not there yet. */
interface Reader {
  readonly state: AppState
  readonly vocabulary: Vocabulary
  result(method: string, setting?: string): MethodResult | null
}

const SETTING = 'W4A4'

export const TOUR_STEPS: readonly TourStep[] = [
  { id: 'layer', title: 'One layer in four bits', link: 'm=rtn', text: layerText },
  { id: 'outliers', title: 'Outliers live in few channels', link: 'm=rtn&view=surface', text: outlierText },
  { id: 'rotation', title: 'A rotation spreads them', link: 'm=rtn,quarot', text: rotationText },
  { id: 'scales', title: 'Why: blocks become alike', link: 'm=rtn,quarot&view=scales', text: scalesText },
  {
    id: 'winners',
    title: 'What helps, and where it matters',
    link: 'm=rtn,gptq,quarot,flatquant&view=error',
    text: winnersText,
  },
  { id: 'own', title: 'Your own layer', link: 'm=rtn&view=findings', text: ownText },
]

/** The fragment of a step: its link, with what a visitor has chosen about the page itself. */
export function tourFragment(
  step: TourStep,
  { theme, unknown }: Pick<LinkState, 'theme' | 'unknown'>,
  vocabulary: Vocabulary,
): string {
  return formatLink({ ...parseLink(step.link, vocabulary), theme, unknown }, vocabulary)
}

/** The text of a step's card from what is on screen; null while something it needs is being computed. */
export function tourText(step: TourStep, state: AppState, vocabulary: Vocabulary): string | null {
  // The state of the step before is still on screen.
  if (state.source.restoring) return null
  const results = panelOutcomes(state, vocabulary).flatMap((each) => (each.kind === 'result' ? [each] : []))
  const result = (method: string, setting = SETTING) =>
    results.find((each) => each.method === method && each.setting === setting) ?? null
  return step.text({ state, vocabulary, result })
}

const decibels = ({ evaluation }: MethodResult) => `${formatDecibels(evaluation.outputSqnrDb)} dB`

/** "gains 0.8 dB over", "loses 0.8 dB to", "equals". */
function against(result: MethodResult, baseline: MethodResult): string {
  const difference = shownDifference(result.evaluation.outputSqnrDb, baseline.evaluation.outputSqnrDb)
  if (difference === null || difference === 0) return 'equals'
  const amount = `${formatDecibels(Math.abs(difference))} dB`
  return difference > 0 ? `gains ${amount} over` : `loses ${amount} to`
}

function layerText({ state, vocabulary, result }: Reader): string | null {
  const [rtn, facts, title] = [result('rtn'), layerFacts(state), layerTitle(state, vocabulary)]
  if (!rtn || !facts || !title) return null
  const rows = facts.calibrationTokens + (facts.sameRows ? 0 : facts.evaluationTokens)
  return (
    `${title.file}: ${facts.outDim} × ${facts.inDim} weights, fed with ${rows} rows. W4A4 rounds weights and activations ` +
    `to MXFP4, ${formatBits(rtn.bitsPerElement)} bits per element. Rounded to nearest (RTN), the output has ` +
    `${decibels(rtn)} SQNR: a relative error of ${formatRelativeError(rtn.evaluation.outputRelativeError)}.`
  )
}

/** A channel this many times above the median counts as an outlier here. */
const OUTLIER_FACTOR = 4

/** How many channels stand out, and the share of all energy they hold. */
function outliers(channelRms: Float32Array): { readonly count: number; readonly percent: number } {
  const sorted = Float32Array.from(channelRms).sort()
  const limit = OUTLIER_FACTOR * sorted[sorted.length >> 1]
  const energy = (values: Float32Array) => values.reduce((sum, rms) => sum + rms * rms, 0)
  const strong = channelRms.filter((rms) => rms > limit)
  return { count: strong.length, percent: (100 * energy(strong)) / energy(channelRms) }
}

function outlierText({ result }: Reader): string | null {
  const rtn = result('rtn')
  if (!rtn) return null
  const { channelRms, maxAbsolute, kurtosis } = rtn.profile
  const { count, percent } = outliers(channelRms)
  return (
    `${count} of ${channelRms.length} channels are over four times the median in root mean square; they hold ` +
    `${formatPercent(percent)} of the energy. The largest element is ${formatMagnitude(maxAbsolute)}, the kurtosis ` +
    `${formatKurtosis(kurtosis)}. One scale for a whole row has to reach them; MXFP4 gives every block of 32 its own.`
  )
}

function rotationText({ result }: Reader): string | null {
  const [rtn, quarot] = [result('rtn'), result('quarot')]
  if (!rtn || !quarot) return null
  const change = (of: (result: MethodResult) => number, text: (value: number) => string) =>
    `from ${text(of(rtn))} to ${text(of(quarot))}`
  return (
    `QuaRot mixes all channels: the maximum goes ${change(({ profile }) => profile.maxAbsolute, formatMagnitude)}, the ` +
    `kurtosis ${change(({ profile }) => profile.kurtosis, formatKurtosis)}. The output SQNR goes ` +
    `${change(({ evaluation }) => evaluation.outputSqnrDb, formatDecibels)} dB: under MXFP4 the rotation ` +
    `${against(quarot, rtn)} RTN on this layer.`
  )
}

/** How many exponents the blocks take, as the figure's caption counts them; null where the scales were not measured. */
function exponents({ scaleAnalysis }: MethodResult): number | null {
  return scaleAnalysis?.activationScales?.counts.length ?? null
}

function scalesText({ result }: Reader): string | null {
  const [rtn, quarot] = [result('rtn'), result('quarot')]
  const [plain, rotated] = [rtn && exponents(rtn), quarot && exponents(quarot)]
  if (plain === null || rotated === null) return null
  const lost = rotated < plain ? ' Quiet blocks lost their small scales and are rounded more coarsely.' : ''
  return (
    `Each block of 32 has a power-of-two scale of its own. Before the rotation the blocks of X use ${plain} exponents, ` +
    `after it ${rotated}.${lost} The Rotation view shows in which channels ` +
    'that noise ends.'
  )
}

function winnersText({ result }: Reader): string | null {
  const [rtn, flatquant, gptq, wide] = [result('rtn'), result('flatquant'), result('gptq'), result('rtn', 'W8A8')]
  if (!rtn || !flatquant || !gptq || !wide) return null
  const delta = (each: MethodResult) =>
    formatDecibelDifference(shownDifference(each.evaluation.outputSqnrDb, rtn.evaluation.outputSqnrDb) ?? 0)
  return (
    `At W4A4 the learned affine transform (FlatQuant) has ${decibels(flatquant)}, error compensation (GPTQ) ` +
    `${decibels(gptq)}: ${delta(flatquant)} and ${delta(gptq)} dB against RTN. At W8A8 RTN alone has ${decibels(wide)}. ` +
    'Where lines lie together the choice of a method matters little. Layer error is not model accuracy.'
  )
}

function ownText(): string {
  return (
    'Drop safetensors anywhere, or press Open: files are read in this tab only. Activations captured from your model make ' +
    'the numbers mean something. Findings measures, on the layer that is open, how many takeaways of the paper hold. Export ' +
    'gives the quantized weight, a recipe, figures and a link. Every ? explains what it stands beside.'
  )
}
