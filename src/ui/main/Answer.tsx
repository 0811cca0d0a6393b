import { settingLabel } from '../../experiment/setting-text'
import { blockRemark } from '../../figures/describe'
import { answerLine } from '../../store/answer'
import { formatConditions } from '../../store/conditions'
import { askedHeadDim, mxChoices } from '../../store/result-keys'
import { emptyReason, layerFacts, layerTitle, resultsOf, tiles } from '../../store/selectors'
import { useApp } from '../use-app'
import styles from './Main.module.css'

/** One sentence that says what this comparison shows, and the setting it was computed under. */
export function Answer() {
  const line = useApp((state, { methods, builtIns }): string => {
    const models = tiles(state)
    const builtIn = builtIns.find(({ id }) => id === state.source.active)
    const title = layerTitle(state, { builtIns })
    const empty = emptyReason(state)
    if (!title) return `${empty ?? 'No layer is open'}.`
    const layer = builtIn ? builtIn.label : `${title.file} › ${title.weight}`
    const setting = state.setup.setting.id
    const line = answerLine({
      layer,
      setting,
      remark: blockRemark({ ...state.setup.setting, blockSize: state.setup.blockSize }),
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
  const setup = useApp((state) => state.setup)
  const headDim = useApp((state, { builtIns }) => askedHeadDim(state, builtIns))
  if (!facts) return null
  const origin =
    facts.activations.kind === 'captured' ? `captured, ${facts.activations.tensor}` : facts.activations.description
  const rows = facts.sameRows
    ? `${facts.evaluationTokens} tokens, same rows`
    : `${facts.calibrationTokens} + ${facts.evaluationTokens} tokens`
  const parts = [
    `${origin}, ${rows}`,
    ...formatConditions({ ...setup.setting, headDim }, mxChoices(setup)),
    `seed ${setup.seed}`,
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
