/** What the export dialog offers for the layer. Loaded with the dialog: it needs the writers of the layouts. */
import { type ExportLayout, type LayoutChoice, layoutChoices } from '../experiment/export-request'
import { quantizersOf } from '../experiment/settings'
import { methodLabel } from '../figures/describe'
import type { Quantizer } from '../formats/number-format'
import { STANDARD_MX } from '../formats/quantizer'
import { exportName } from './export-content'
import type { ExportChoice } from './export-layer'
import { mxChoices } from './mx-choices'
import { chosenShape, layerFacts } from './selectors'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

const weightQuantizer = ({ setup }: AppState): Quantizer | null => quantizersOf(setup.setting, mxChoices(setup)).weight

/** The layouts of the chosen weight under the setting on screen. */
export function exportLayouts(state: AppState): readonly LayoutChoice[] {
  const cols = layerFacts(state)?.inDim ?? chosenShape(state)?.at(-1) ?? 0
  return layoutChoices(weightQuantizer(state), { name: state.source.weight?.tensor ?? '', cols })
}

const isDecoded = (layout: ExportLayout) => layout === 'dequantized-f32' || layout === 'dequantized-bf16'

/**
 * What a loader that knows the layout but not our keys gets wrong, in sentences, known before the file is made. Empty:
 * it reads the weight right and needs nothing beside it.
 */
export function exportCautions(
  state: AppState,
  { methods }: Pick<Vocabulary, 'methods'>,
  { method, layout }: ExportChoice,
): readonly string[] {
  const said: string[] = []
  const quantizer = weightQuantizer(state)
  const factor = quantizer?.family === 'mx' ? (quantizer.preScale?.factor ?? 1) : 1
  if (factor !== 1 && !isDecoded(layout)) {
    said.push(
      `The pre-scale is on: other loaders read every value ${factor} times as large. Switch it off, or take decoded values.`,
    )
  }
  const entry = methods.find(({ id }) => id === method)
  if (entry && entry.row !== 'identity') {
    const fold =
      entry.row === 'smoothquant' || entry.row === 'awq'
        ? ', unless its scales are folded into the norm before the layer'
        : ''
    said.push(`${methodLabel(method)} also changes the activations: the output of other loaders is wrong${fold}.`)
  }
  if (entry?.column.endsWith('low-rank')) {
    said.push('The low-rank branch is beside the weight: other loaders leave it out, and their error is larger.')
  }
  return said
}

/** Name of the layer's file: method, weight format and layout, then the choices that are not the standard's. */
export function exportLayerName(state: AppState, vocabulary: Vocabulary, { method, layout }: ExportChoice): string {
  const { setting, methods } = state.setup
  const quantizer = weightQuantizer(state)
  const format = setting.weightFormat ?? ''
  const parts = [method, setting.id.startsWith(format) ? '' : format, layout]
  if (quantizer?.family === 'mx') {
    const { scaleRule, rounding, blockSize, preScale } = quantizer
    if (scaleRule !== STANDARD_MX.scaleRule) parts.push(scaleRule)
    if (rounding !== STANDARD_MX.rounding) parts.push(rounding)
    if (blockSize !== STANDARD_MX.blockSize) parts.push(`block${blockSize}`)
    if (preScale && preScale.factor !== 1)
      parts.push(`pre${preScale.factor}`, preScale.variant === 'literal' ? 'literal' : '')
  }
  const options = methods.find(({ id }) => id === method)?.options ?? {}
  parts.push(...Object.entries(options).map(([key, value]) => `${key}_${value}`))
  return exportName(state, vocabulary, parts, 'safetensors')
}
