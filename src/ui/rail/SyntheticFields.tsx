import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import styles from './ActivationsSection.module.css'

/** Controls of the seeded generator; its seed is the seed of the setup. */
export function SyntheticFields() {
  const controls = useApp((state) => state.source.synthetic)
  const inDim = useApp(({ source }) => {
    const file = source.files.find(({ id }) => id === source.weight?.fileId)
    return file?.tensors.find(({ name }) => name === source.weight?.tensor)?.shape[1] ?? 65_536
  })
  const { setSynthetic } = useActions()
  return (
    <>
      <p className={styles.note}>
        Synthetic: seeded random numbers, not what a model feeds this layer. Errors on them are no measure of the model.
      </p>
      <NumberField
        label="Tokens"
        help="Rows of synthetic activations to generate, calibration and evaluation together."
        unit="tokens"
        value={controls.tokens}
        min={32}
        max={8192}
        hook="source-synthetic-tokens"
        onChange={(tokens) => tokens !== null && setSynthetic({ tokens })}
      />
      <NumberField
        label="Outliers"
        help="Outlier channels: those that are multiplied by the gain; chosen by the seed."
        unit="channels"
        value={controls.outlierChannels}
        min={0}
        max={inDim}
        hook="source-synthetic-channels"
        onChange={(outlierChannels) => outlierChannels !== null && setSynthetic({ outlierChannels })}
      />
      <NumberField
        label="Outlier gain"
        help="Factor of the outlier channels. Raise it to see when rotation stops helping."
        unit="×"
        value={controls.outlierGain}
        min={1}
        max={1000}
        integer={false}
        hook="source-synthetic-gain"
        onChange={(outlierGain) => outlierGain !== null && setSynthetic({ outlierGain })}
      />
    </>
  )
}
