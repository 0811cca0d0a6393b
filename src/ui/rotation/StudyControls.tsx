import { NativeSelect, Switch, Tooltip } from '@mantine/core'
import {
  CORRELATION_RANGE,
  DEFAULT_ROTATION_CONTROLS,
  DEGREES,
  LEARNED_ROTATION_METHODS,
  learnedChoices,
  OUTLIER_RANGE,
  STEPS_RANGE,
  STRENGTHS,
  STUDY_FORMATS,
  WIDTHS,
} from '../../store/rotation-view'
import { MAX_SEED } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import { ChoiceSlider } from './ChoiceSlider'
import styles from './rotation.module.css'

const STANDARD = DEFAULT_ROTATION_CONTROLS
const TAILS: readonly (number | null)[] = [null, ...DEGREES]
const STEP = 0.05
const CORRELATIONS = Array.from(
  { length: Math.round((CORRELATION_RANGE.max - CORRELATION_RANGE.min) / STEP) + 1 },
  (_, i) => Number((CORRELATION_RANGE.min + i * STEP).toFixed(2)),
)
const OUTLIERS: readonly number[] = [0, 1, 2, 4, 8, 16, OUTLIER_RANGE.max]

/** The value among the usual ones, in order: a link may hold another. */
const among = (values: readonly number[], value: number) =>
  values.includes(value) ? values : [...values, value].sort((a, b) => a - b)

const signed = (value: number) => String(value).replace('-', '−')

/** What the synthetic layer is made of. */
export function StudyControls() {
  const controls = useApp((state) => state.rotation.controls)
  const { setRotation } = useActions()
  return (
    <div className={styles.controls}>
      <ChoiceSlider
        label="Outlier strength k"
        help="Factor of the outlier channels. It marks a place on the curves, which run over all strengths."
        values={STRENGTHS}
        value={controls.strength}
        text={(k) => `${k} ×`}
        hook="study-strength"
        standard={STANDARD.strength}
        onChange={(strength) => setRotation({ strength })}
      />
      <ChoiceSlider
        label="Outlier channels"
        help="How many channels of the activations are multiplied by k."
        values={among(OUTLIERS, controls.outlierChannels)}
        value={controls.outlierChannels}
        text={String}
        hook="study-outliers"
        standard={STANDARD.outlierChannels}
        onChange={(outlierChannels) => setRotation({ outlierChannels })}
      />
      <ChoiceSlider
        label="Correlation α"
        help="Weight columns at outlier channels are multiplied by k to the power −α. 0: weights know nothing of outliers. 1: products are as large everywhere. Trained layers lie above 0."
        values={among(CORRELATIONS, controls.correlation)}
        value={controls.correlation}
        text={signed}
        hook="study-correlation"
        standard={STANDARD.correlation}
        onChange={(correlation) => setRotation({ correlation })}
      />
      <ChoiceSlider
        label="Tails"
        help="Distribution of the activations: Gaussian, or Student t, with this many degrees of freedom: the fewer, the heavier the tails."
        values={TAILS}
        value={controls.degrees}
        text={(degrees) => (degrees === null ? 'Gaussian' : `Student t, ${degrees}`)}
        hook="study-tails"
        standard={STANDARD.degrees}
        onChange={(degrees) => setRotation({ degrees })}
      />
      <LayerFields />
      <LearnedSwitches />
    </div>
  )
}

function LayerFields() {
  const { width, seed, clustered } = useApp((state) => state.rotation.controls)
  const { setRotation } = useActions()
  return (
    <div className={styles.fields}>
      <Field half label="Width" help="Input channels of the layer, which the rotation mixes.">
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="study-width"
            value={String(width)}
            onChange={({ currentTarget }) => setRotation({ width: Number(currentTarget.value) })}
            data={WIDTHS.map(String)}
          />
        )}
      </Field>
      <NumberField
        half
        label="Seed"
        help="Of the numbers in the layer, of the outlier channels and of the rotation."
        value={seed}
        min={0}
        max={MAX_SEED}
        hook="study-seed"
        onReset={() => setRotation({ seed: STANDARD.seed })}
        onChange={(value) => value !== null && setRotation({ seed: value })}
      />
      <Tooltip label="Outlier channels side by side: blocks with outliers are few, and rounding without a rotation loses only those.">
        <Switch
          size="xs"
          label="Outliers side by side"
          data-test="study-clustered"
          checked={clustered}
          onChange={({ currentTarget }) => setRotation({ clustered: currentTarget.checked })}
        />
      </Tooltip>
    </div>
  )
}

/** Learned methods: what they cost is said before they are switched on. */
function LearnedSwitches() {
  const choices = useApp((_, vocabulary) => learnedChoices(vocabulary))
  const { learned, steps } = useApp((state) => state.rotation.controls)
  const isSoftware = useApp((state) => state.device.adapter?.isSoftware === true)
  const { setRotation } = useActions()
  if (choices.length === 0) return null
  const runs = STRENGTHS.length * STUDY_FORMATS.length
  return (
    <div className={styles.fields}>
      {choices.map(({ id, label }) => (
        <Switch
          key={id}
          size="xs"
          label={label}
          data-test={`study-${id}`}
          checked={learned.includes(id)}
          onChange={({ currentTarget: { checked } }) =>
            setRotation({
              learned: LEARNED_ROTATION_METHODS.filter((other) => (other === id ? checked : learned.includes(other))),
            })
          }
        />
      ))}
      <NumberField
        half
        integer
        label="Steps"
        help="Training steps of the learned methods. Fewer are faster and learn less; empty: what each takes by itself."
        value={steps}
        empty="usual"
        min={STEPS_RANGE.min}
        max={STEPS_RANGE.max}
        step={50}
        hook="study-steps"
        disabled={learned.length === 0}
        onReset={() => setRotation({ steps: null })}
        onChange={(value) => setRotation({ steps: value })}
      />
      <span className={styles.note}>
        Learned: each is trained {runs} times, on the output error of this one layer
        {isSoftware ? ', minutes on this software GPU' : ''}.
      </span>
    </div>
  )
}
