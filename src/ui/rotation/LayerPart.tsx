import { NativeSelect, SegmentedControl } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import type { RotationCauses } from '../../experiment/rotation-causes'
import { settingLabel } from '../../experiment/setting-text'
import {
  type AttributionOrder,
  attributionTable,
  describeAttribution,
  drawAttribution,
} from '../../figures/noise-attribution'
import { describeOutlierToken, drawOutlierToken, outlierTokenTable } from '../../figures/outlier-token'
import { describePrediction, drawPredictedError, indexTable, predictionTable } from '../../figures/predicted-error'
import { rotationStory, verdictSentence } from '../../figures/rotation-verdict'
import { noDevice } from '../../store/panel-state'
import { causesModel, isLearned, isRandom, wantedAtOnce, wantedCauses } from '../../store/rotation-causes'
import { rotationChoices } from '../../store/rotation-view'
import { layerTitle } from '../../store/selectors'
import { Field } from '../Field'
import { NumberTable } from '../formats/NumberTable'
import { useTheme } from '../main/figure-look'
import { PanelState, StatePanel } from '../PanelState'
import { ChannelPlot } from '../plot/ChannelPlot'
import { plainAxis } from '../plot/channel-axis'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useActions, useApp } from '../use-app'
import { FormatPair } from './FormatPair'
import styles from './rotation.module.css'
import { Training } from './Training'

/** Both causes on the layer that is loaded. */
export function LayerPart() {
  const keys = useApp((state, vocabulary) => wantedAtOnce(state, vocabulary).map(({ key }) => key))
  const { causes, error } = useApp(causesModel)
  const story = useApp(({ setup: { setting } }) => rotationStory(setting.weightFormat, setting.activationFormat))
  const { loadCauses, retryCauses } = useActions()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `keys` says what is to be loaded
  useEffect(() => loadCauses(), [keys, loadCauses])
  return (
    <>
      <p className={styles.note} data-test="causes-story">
        {story}
      </p>
      <RotationField />
      <FormatPair />
      {error && (
        <PanelState
          compact
          kind="failed"
          title={`${error.message} (${error.code})`}
          actions={[{ label: 'Try again', onClick: retryCauses }]}
        />
      )}
      {causes ? <Causes causes={causes} /> : !error && <Missing />}
    </>
  )
}

function RotationField() {
  const rotation = useApp((state) => state.rotation.controls.rotation)
  const offered = useApp((_, vocabulary) => rotationChoices(vocabulary).map(({ id, label }) => ({ value: id, label })))
  const about = useApp((state, vocabulary) => {
    const title = layerTitle(state, vocabulary)
    return title && `${title.file} › ${title.weight}, ${settingLabel(state.setup.setting.id)}`
  })
  const { setRotation } = useActions()
  return (
    <div className={styles.fields}>
      <Field half label="Rotation" help="Which rotation is compared with rounding the layer as it is.">
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test="causes-rotation"
            value={rotation}
            onChange={({ currentTarget }) => setRotation({ rotation: currentTarget.value })}
            data={[...offered]}
          />
        )}
      </Field>
      <span className={styles.note} data-test="causes-about">
        {about}
      </span>
      <span className={styles.note}>Its options are those chosen in the rail, if it is compared.</span>
    </div>
  )
}

/** Why there is nothing to see yet. */
function Missing() {
  const wanted = useApp((state, vocabulary) => wantedCauses(state, vocabulary).length > 0)
  const rotation = useApp((state) => state.rotation.controls.rotation)
  const missing = useApp(noDevice)
  if (missing) return <StatePanel state={missing} />
  if (wanted && isLearned(rotation)) return <Training method={rotation} />
  return (
    <div className={styles.empty} data-test="causes-missing">
      {wanted ? (
        <PanelState kind="working" title="Measuring the layer" text="Noise by channel, then what predicts it." />
      ) : (
        <PanelState
          kind="empty"
          title="Nothing is rounded"
          text="The setting leaves both operands as loaded. Choose another one under Setting."
        />
      )}
    </div>
  )
}

function Causes({ causes }: { readonly causes: RotationCauses }) {
  const { ratios, seeds } = useApp((state, vocabulary) => {
    const model = causesModel(state, vocabulary)
    return { ratios: model.ratios, seeds: model.seeds }
  })
  const method = causes.method.id
  const judged = { method, ratios, seeds, isRandom: isRandom(method) }
  return (
    <>
      <div className={styles.finding}>
        <p data-test="causes-verdict" aria-live="polite">
          {verdictSentence(judged)}.
        </p>
        <span className={styles.note}>
          {isLearned(method)
            ? 'Hurts above 1.1, helps below 0.9: it is one training with one seed.'
            : 'Hurts above 1.02, helps below 0.98.'}
          {isRandom(method) && ' The figures show the first seed.'}
        </span>
      </div>
      {causes.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      <div className={styles.causes}>
        <AttributionPanel causes={causes} />
        <PredictionPanel causes={causes} />
        <TokenPanel causes={causes} />
      </div>
    </>
  )
}

interface PanelProps {
  readonly causes: RotationCauses
}

function AttributionPanel({ causes }: PanelProps) {
  const theme = useTheme()
  const [order, setOrder] = useState<AttributionOrder>('channel')
  const figure = useMemo(() => drawAttribution(causes, order, theme), [causes, order, theme])
  const channels = causes.before.weightNoise.length
  // The upper panel, RTN: a rotation mixes the channels of the lower one.
  const axis = useMemo(() => plainAxis(channels, 0), [channels])
  const plot = {
    figure,
    title: 'Noise by channel',
    label: describeAttribution(causes),
    children: <FigureData name="noise by channel" table={() => attributionTable(causes)} />,
  }
  return (
    <article className={styles.wide} data-test="causes-attribution" aria-label="Noise by channel">
      <h3>
        Where the error comes from
        <SegmentedControl
          size="xs"
          aria-label="Order of the channels"
          value={order}
          onChange={(value) => setOrder(value === 'sorted' ? 'sorted' : 'channel')}
          data={[
            { value: 'channel', label: 'By channel' },
            { value: 'sorted', label: 'Largest first' },
          ]}
        />
      </h3>
      {order === 'channel' ? <ChannelPlot {...plot} axis={axis} mixed={false} /> : <Plot {...plot} />}
    </article>
  )
}

function PredictionPanel({ causes }: PanelProps) {
  const theme = useTheme()
  const figure = useMemo(() => drawPredictedError(causes, theme), [causes, theme])
  const table = useMemo(() => predictionTable(causes), [causes])
  const indices = useMemo(() => indexTable(causes), [causes])
  return (
    <article className={styles.panel} data-test="causes-prediction" aria-label="Measured and predicted error">
      <h3>Measured and predicted</h3>
      <Plot figure={figure} title="Measured and predicted error" label={describePrediction(causes)} />
      <NumberTable caption="Solid: measured; pale: from the channels" data={table} hook="causes-table" />
      <NumberTable caption="What the predictions are made of" data={indices} hook="causes-indices" />
    </article>
  )
}

function TokenPanel({ causes }: PanelProps) {
  const theme = useTheme()
  const figure = useMemo(() => drawOutlierToken(causes, theme), [causes, theme])
  return (
    <article className={styles.panel} data-tall data-test="causes-token" aria-label="The outlier token">
      <h3>The token most ruled by one channel</h3>
      <Plot figure={figure} title="The outlier token" label={describeOutlierToken(causes)}>
        <FigureData name="the outlier token" table={() => outlierTokenTable(causes)} />
      </Plot>
    </article>
  )
}
