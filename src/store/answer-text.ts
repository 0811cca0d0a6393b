/** The sentence above the figures and the small print below it, for the page and for what is saved from it. */
import { settingLabel } from '../experiment/setting-text'
import { blockRemark } from '../figures/describe'
import { meansActivations } from '../io/pair-layer'
import { answerLine } from './answer'
import { formatConditions } from './conditions'
import { mxChoices } from './mx-choices'
import { askedHeadDim } from './result-keys'
import { emptyReason, layerFacts, layerTitle, resultsOf, tiles } from './selectors'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

/**
 * The layer as people know it: a built-in one by its label, another by its file and weight, and where the weight is an
 * input by its name that it is used as a weight; null while none is open.
 */
export function layerName(state: AppState, { builtIns }: Pick<Vocabulary, 'builtIns'>): string | null {
  const builtIn = builtIns.find(({ id }) => id === state.source.active)
  const title = layerTitle(state, { builtIns })
  if (!title) return null
  const { weight } = state.source
  if (weight && meansActivations(weight.tensor))
    return `${builtIn?.label ?? title.file}, tensor ${title.weight} used as weight`
  return builtIn ? builtIn.label : `${title.file} › ${title.weight}`
}

/** What this comparison shows, in one sentence. */
export function answerText(state: AppState, { methods, builtIns }: Pick<Vocabulary, 'methods' | 'builtIns'>): string {
  const models = tiles(state)
  const empty = emptyReason(state)
  const layer = layerName(state, { builtIns })
  if (layer === null) return `${empty ?? 'No layer is open'}.`
  const setting = state.setup.setting.id
  const line = answerLine({
    layer,
    setting,
    remark: blockRemark({ ...state.setup.setting, blockSize: state.setup.blockSize }),
    results: resultsOf(models, 'live'),
    asked: models.length,
    failed: models.filter(({ status }) => status === 'failed').length,
    running: state.run.phase !== 'idle',
    cancelled: models.filter(({ status }) => status === 'cancelled').map(({ method }) => method.id),
    catalog: methods,
    facts: layerFacts(state),
  })
  if (empty !== null) return `${layer}, ${settingLabel(setting)}: ${empty.toLowerCase()}.`
  return line ?? `${layer}, ${settingLabel(setting)}: ${state.run.phase === 'idle' ? 'no result yet' : 'computing'}.`
}

/** Everything the numbers depend on in one line, then what was noticed when the layer was loaded; empty before that. */
export function conditionLines(state: AppState, { builtIns }: Pick<Vocabulary, 'builtIns'>): readonly string[] {
  const facts = layerFacts(state)
  const { setup } = state
  if (!facts) return []
  const origin =
    facts.activations.kind === 'captured' ? `captured, ${facts.activations.tensor}` : facts.activations.description
  const rows = facts.sameRows
    ? `${facts.evaluationTokens} tokens, same rows`
    : `${facts.calibrationTokens} + ${facts.evaluationTokens} tokens`
  const parts = [
    `${origin}, ${rows}`,
    ...formatConditions({ ...setup.setting, headDim: askedHeadDim(state, builtIns) }, mxChoices(setup)),
    `seed ${setup.seed}`,
  ]
  return [parts.join(' · '), ...(facts.notes ?? [])]
}
