/** The sections of the rail: which are folded, and what a folded one says, its choices in a few words. */
import { preScaleText, settingLabel } from '../experiment/setting-text'
import { methodLabel } from '../figures/describe'
import type { DeviceMemory } from './device-memory'
import { mxChoices } from './mx-choices'
import { hasMxFormat } from './reach'
import { rowSplit } from './row-range'
import { chosenShape } from './selectors'
import type { AppState } from './state'
import { shapeText } from './tensor-rows'
import { SCALE_RULE_TEXT } from './vocabulary'

export const RAIL_SECTIONS = ['layer', 'activations', 'setting', 'methods'] as const
export type RailSectionId = (typeof RAIL_SECTIONS)[number]

const FOLDED = 'folded-sections'
/** On arrival all but the rows of the activations, which a first comparison leaves as they are, fit a laptop's screen. */
const FOLDED_AT_FIRST: readonly RailSectionId[] = ['activations']

/** The sections that were folded on the last visit. */
export function readFolded(memory: DeviceMemory | undefined): readonly RailSectionId[] {
  const kept = memory?.read(FOLDED)
  if (kept === null || kept === undefined) return FOLDED_AT_FIRST
  return RAIL_SECTIONS.filter((section) => kept.split(',').includes(section))
}

export function writeFolded(memory: DeviceMemory | undefined, folded: readonly RailSectionId[]): void {
  memory?.write(FOLDED, folded.join(','))
}

/** '' where nothing is chosen yet. */
export function railSummary(state: AppState, section: RailSectionId): string {
  return SUMMARIES[section](state)
}

const SUMMARIES: Readonly<Record<RailSectionId, (state: AppState) => string>> = {
  layer: layerSummary,
  activations: activationSummary,
  setting: settingSummary,
  methods: methodSummary,
}

function layerSummary(state: AppState): string {
  const { weight } = state.source
  const shape = chosenShape(state)
  if (weight === null || shape === null) return ''
  const name = weight.tensor
    .replace(/\.weight$/, '')
    .split('.')
    .slice(-1)[0]
  return `${name} ${shapeText(shape)}`
}

const SOURCES = { captured: 'captured', norm: 'from norm', synthetic: 'synthetic' } as const

function activationSummary(state: AppState): string {
  const rows = rowSplit(state)
  if (rows === null) return ''
  const { start, split, end } = rows
  const counts = split < end ? `${split - start} + ${end - split} rows` : `${end - start} rows, none held out`
  return `${SOURCES[state.source.activations.kind]} · ${counts}`
}

function settingSummary({ setup }: AppState): string {
  const { setting } = setup
  const { preScale, scaleRule } = mxChoices(setup)
  const rule = hasMxFormat(setting) ? [SCALE_RULE_TEXT[scaleRule].label.replace(/ \(.*/, '')] : []
  const factor = preScaleText(preScale, [setting], scaleRule)
  return [settingLabel(setting.id), ...rule, ...(factor.startsWith('off') ? [] : [`pre-scale ${factor}`])].join(' · ')
}

function methodSummary({ setup }: AppState): string {
  const shown = setup.methods.filter(({ hidden }) => !hidden).map(({ id }) => methodLabel(id))
  return shown.length <= 3 ? shown.join(', ') : `${shown.slice(0, 2).join(', ')} and ${shown.length - 2} more`
}
