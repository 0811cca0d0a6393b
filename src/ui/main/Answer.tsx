import { preScaleText, settingLabel } from '../../experiment/setting-text'
import { answerLine } from '../../store/answer'
import { emptyReason, layerFacts, layerTitle, resultsOf, tiles } from '../../store/selectors'
import { ROUNDING_TEXT } from '../../store/vocabulary'
import { useApp, useVocabulary } from '../use-app'
import styles from './Main.module.css'

/** One sentence that says what this comparison shows, and the setting it was computed under. */
export function Answer() {
  const line = useApp((state, { methods, builtIns }): string => {
    const models = tiles(state)
    const builtIn = builtIns.find(({ id }) => id === state.source.active)
    const title = layerTitle(state, { formats: [], settings: [], methods, builtIns })
    const empty = emptyReason(state)
    if (!title) return `${empty ?? 'No layer is open'}.`
    const layer = builtIn ? builtIn.label : `${title.file} › ${title.weight}`
    const setting = state.setup.setting.id
    const line = answerLine({
      layer,
      setting,
      results: resultsOf(models, 'live'),
      asked: models.length,
      failed: models.filter(({ status }) => status === 'failed').length,
      catalog: methods,
      facts: layerFacts(state),
    })
    if (empty !== null) return `${layer}, ${settingLabel(setting)}: ${empty.toLowerCase()}.`
    return line ?? `${layer}, ${settingLabel(setting)}: ${state.run.phase === 'idle' ? 'no result yet' : 'computing'}.`
  })
  return (
    <div className={styles.answer}>
      <p data-test="answer" aria-live="polite">
        {line}
      </p>
      <Conditions />
    </div>
  )
}

/** Everything the numbers depend on, in one line of small print, and what was noticed when the layer was loaded. */
function Conditions() {
  const facts = useApp(layerFacts)
  const { scaleRule, rounding, preScale, seed, setting } = useApp((state) => state.setup)
  const { formats } = useVocabulary()
  if (!facts) return null
  const formatName = (id: string | null) => formats.find((format) => format.id === id)?.label ?? 'as loaded'
  const origin =
    facts.activations.kind === 'captured' ? `captured, ${facts.activations.tensor}` : facts.activations.description
  const rows = facts.sameRows
    ? `${facts.evaluationTokens} tokens, same rows`
    : `${facts.calibrationTokens} + ${facts.evaluationTokens} tokens`
  const parts = [
    `${origin}, ${rows}`,
    `W ${formatName(setting.weightFormat)}, X ${formatName(setting.activationFormat)}`,
    `scale rule ${scaleRule}`,
    `rounding ${ROUNDING_TEXT[rounding]}`,
    `pre-scale ${preScaleText(preScale, [setting])}`,
    `seed ${seed}`,
  ]
  return (
    <div className={styles.conditions} data-test="conditions">
      <p>{parts.join(' · ')}</p>
      {facts.notes?.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </div>
  )
}
