import { Switch } from '@mantine/core'
import { SYNTHETIC_RANGES } from '../../store/activation-link'
import { gainOf, visibleFiles } from '../../store/selection'
import { chosenShape } from '../../store/selectors'
import { DEFAULT_CONTROLS } from '../../store/vocabulary'
import { Field } from '../Field'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import styles from './ActivationsSection.module.css'

const SYNTHETIC_TOPICS = ['outliers', 'tokens', 'tail', 'correlation', 'massive'].map((id) => `synthetic.${id}`)

/** What the switch for massive tokens puts in: levels as published for large models, of two channels. */
const MASSIVE = { channels: 2, size: 300 }

/** Controls of the seeded generator, alone or with the gain of the norm; its seed is the seed of the setup. */
export function SyntheticFields() {
  const controls = useApp((state) => state.source.synthetic)
  const kind = useApp((state) => state.source.activations.kind)
  const gain = useApp((state) => gainOf(visibleFiles(state.source), state.source.weight))
  const inDim = useApp((state) => chosenShape(state)?.[1] ?? SYNTHETIC_RANGES.outlierChannels[1])
  const { setSynthetic } = useActions()
  const [minTokens, maxTokens] = SYNTHETIC_RANGES.tokens
  const [minGain, maxGain] = SYNTHETIC_RANGES.outlierGain
  return (
    <>
      <p className={styles.note}>
        {kind === 'norm'
          ? `Seeded random rows times ${gain?.plusOne ? '1 + ' : ''}${gain?.tensor ?? 'the gain'}: not what a model feeds this layer. Errors on them are no measure of the model.`
          : 'Synthetic: seeded random numbers, not what a model feeds this layer. Errors on them are no measure of the model.'}
      </p>
      {kind === 'synthetic' && gain === null && (
        <p className={styles.note}>No norm that feeds this weight is in its file, so no gain shapes the channels.</p>
      )}
      <NumberField
        label="Tokens"
        help="Rows of synthetic activations to generate, calibration and evaluation together."
        unit="tokens"
        value={controls.tokens}
        min={minTokens}
        max={maxTokens}
        hook="source-synthetic-tokens"
        onReset={() => setSynthetic({ tokens: DEFAULT_CONTROLS.tokens })}
        onChange={(tokens) => tokens !== null && setSynthetic({ tokens })}
      />
      <NumberField
        label="Outliers"
        help="Outlier channels: those that are multiplied by the gain; those with the largest norm gain, else chosen by the seed."
        topics={SYNTHETIC_TOPICS}
        unit="channels"
        value={controls.outlierChannels}
        min={0}
        max={inDim}
        hook="source-synthetic-channels"
        onReset={() => setSynthetic({ outlierChannels: DEFAULT_CONTROLS.outlierChannels })}
        onChange={(outlierChannels) => outlierChannels !== null && setSynthetic({ outlierChannels })}
      />
      <NumberField
        label="Outlier gain"
        help="Factor of the outlier channels. Raise it to see when rotation stops helping."
        unit="×"
        value={controls.outlierGain}
        min={minGain}
        max={maxGain}
        integer={false}
        hook="source-synthetic-gain"
        onReset={() => setSynthetic({ outlierGain: DEFAULT_CONTROLS.outlierGain })}
        onChange={(outlierGain) => outlierGain !== null && setSynthetic({ outlierGain })}
      />
      <details className={styles.more}>
        <summary>Tails, correlation, massive token</summary>
        <div className={styles.fields}>
          <ShapeFields />
          <MassiveFields inDim={inDim} />
        </div>
      </details>
    </>
  )
}

function ShapeFields() {
  const { tailDegrees, correlation } = useApp((state) => state.source.synthetic)
  const { setSynthetic } = useActions()
  const [minTail, maxTail] = SYNTHETIC_RANGES.tailDegrees
  const [minCorrelation, maxCorrelation] = SYNTHETIC_RANGES.correlation
  return (
    <>
      <NumberField
        label="Tail weight"
        help="Degrees of freedom of Student's t: fewer are heavier tails. Empty: Gaussian."
        unit="d.o.f."
        value={tailDegrees}
        min={minTail}
        max={maxTail}
        integer={false}
        step={1}
        empty="Gaussian"
        hook="source-synthetic-tail"
        onReset={() => setSynthetic({ tailDegrees: null })}
        onChange={(value) => setSynthetic({ tailDegrees: value })}
      />
      <NumberField
        label="Correlation"
        help="Correlation of neighbouring channels before the gains. Raise it to see what blocks of similar channels do."
        value={correlation}
        min={minCorrelation}
        max={maxCorrelation}
        integer={false}
        step={0.05}
        hook="source-synthetic-correlation"
        onReset={() => setSynthetic({ correlation: 0 })}
        onChange={(value) => value !== null && setSynthetic({ correlation: value })}
      />
    </>
  )
}

function MassiveFields({ inDim }: { readonly inDim: number }) {
  const { massive } = useApp((state) => state.source.synthetic)
  const { setSynthetic } = useActions()
  const [minChannels, maxChannels] = SYNTHETIC_RANGES.massiveChannels
  const [minSize, maxSize] = SYNTHETIC_RANGES.massiveSize
  return (
    <>
      <Field
        label="Massive token"
        help="One token of which some channels are far above everything else, as attention sinks are."
        onReset={() => setSynthetic({ massive: null })}
      >
        {(ids) => (
          <Switch
            {...ids}
            size="sm"
            data-test="source-synthetic-massive"
            checked={massive !== null}
            onChange={({ currentTarget }) => setSynthetic({ massive: currentTarget.checked ? MASSIVE : null })}
          />
        )}
      </Field>
      {massive !== null && (
        <>
          <NumberField
            label="Its channels"
            help="How many channels of the massive token are that large."
            unit="channels"
            value={massive.channels}
            min={minChannels}
            max={Math.min(maxChannels, inDim)}
            hook="source-synthetic-massive-channels"
            onChange={(channels) => channels !== null && setSynthetic({ massive: { ...massive, channels } })}
          />
          <NumberField
            label="Their size"
            help="Of these channels, in root mean squares of the row."
            unit="× rms"
            value={massive.size}
            min={minSize}
            max={maxSize}
            integer={false}
            hook="source-synthetic-massive-size"
            onChange={(size) => size !== null && setSynthetic({ massive: { ...massive, size } })}
          />
        </>
      )}
    </>
  )
}
