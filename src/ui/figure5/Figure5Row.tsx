import { Tooltip } from '@mantine/core'
import { memo, useMemo } from 'react'
import type { ActivationProfile } from '../../experiment/result'
import { channelsByNorm, crestFactor, type ProfiledRow, ROW_FIGURES, type RowOptions } from '../../figures/figure5'
import { formatKurtosis, formatMagnitude, formatSignificant } from '../../figures/format-number'
import { methodStyle } from '../../figures/method-style'
import { profileScales } from '../../figures/shared-scales'
import type { Figure5Row as RowModel } from '../../store/figure5'
import { layerFacts } from '../../store/selectors'
import { MethodMark } from '../MethodMark'
import { useMethodTarget } from '../method-target'
import { plainAxis, sortedAxis } from '../plot/channel-axis'
import { useApp } from '../use-app'
import { Colours } from './Colours'
import { Figure5Cell } from './Figure5Cell'
import styles from './figure5.module.css'

interface RowProps extends Omit<RowModel, 'method'> {
  /** null: the tensor as loaded. */
  readonly method: string | null
  /** Of all rows; a row with axes of its own replaces the scales. */
  readonly options: RowOptions
  readonly ownAxes: boolean
}

/** Kinds of methods that scale channels: magnitudes after them are not those of the tensor as loaded. */
const SCALING: readonly string[] = ['channel-wise', 'affine']
/** The unit of errors, which no scale reaches. */
const OUTPUT = 'Y'

/** One method: its name and numbers, and its figures side by side. */
export const Figure5Row = memo(function Figure5Row(props: RowProps) {
  const { method, status, profile, before, mixes, text, options, ownAxes } = props
  const isScaled = useApp((_, { methods }) => SCALING.includes(methods.find((each) => each.id === method)?.kind ?? ''))
  const target = useMethodTarget(method)
  const name = method === null ? 'As loaded' : methodStyle(method, 'light').label
  const id = method ?? 'loaded'
  return (
    <article
      className={styles.row}
      data-test={`figure5-${id}`}
      data-result={status}
      data-state={profile ? 'drawn' : 'empty'}
      aria-label={name}
      {...target}
    >
      <header className={styles.head}>
        <h2>
          {method !== null && <MethodMark id={method} />} {name}
        </h2>
        {profile && mixes && <Mixes />}
        {profile && isScaled && options.unit !== OUTPUT && <Scaled />}
        {status === 'stale' && <p className={styles.note}>previous setting</p>}
        {profile && <Numbers id={id} profile={profile} />}
        {profile && <Readout id={id} profile={profile} />}
        {profile && ownAxes && <Colours range={ownScales({ profile, before }).cells} />}
      </header>
      {profile ? (
        <Cells {...{ method, profile, before, mixes, options, ownAxes }} />
      ) : (
        <p className={styles.text} role={status === 'failed' ? 'alert' : undefined}>
          {text}
        </p>
      )}
    </article>
  )
})

/** Axes and colours of one row alone, what stands behind it included. */
const ownScales = ({ profile, before }: Pick<ProfiledRow, 'profile' | 'before'>) =>
  profileScales(before ? [profile, before] : [profile])

interface CellsProps extends ProfiledRow {
  readonly mixes: boolean
  readonly options: RowOptions
  readonly ownAxes: boolean
}

function Cells({ method, profile, before, mixes, options: shared, ownAxes }: CellsProps) {
  const { order, subject } = useApp((state) => state.figure5.look)
  const inDim = useApp((state) => layerFacts(state)?.inDim)
  // Channels of an output, or of a matrix of another width, are none of the layer's input.
  const isInput = subject === 'tensor' ? profile.channelMax.length === inDim : subject !== 'error'
  const row = useMemo(() => ({ method, profile, before }), [method, profile, before])
  const options = useMemo(() => (ownAxes ? { ...shared, scales: ownScales(row) } : shared), [ownAxes, shared, row])
  const axes = useMemo(() => {
    const plain = plainAxis(profile.channelMax.length)
    return { histogram: null, map: plain, channels: plain, flatness: sortedAxis(channelsByNorm(profile)) }
  }, [profile])
  const left = order === 'norm' ? 'channels' : 'flatness'
  return ROW_FIGURES.filter(({ id }) => id !== left).map((drawn) => (
    <Figure5Cell
      key={drawn.id}
      {...{ drawn, row, options, isInput, mixed: mixes, axis: axes[drawn.id] }}
      tokens={drawn.id === 'map' && subject === 'activations' ? profile.map.tokens : undefined}
    />
  ))
}

const DEFINITIONS =
  'Largest magnitude; kurtosis, 3 for a Gaussian; crest factor, the largest magnitude over the root mean square of all elements.'

function Numbers({ id, profile }: { readonly id: string; readonly profile: ActivationProfile }) {
  return (
    <Tooltip label={DEFINITIONS} multiline w={260}>
      <dl className={styles.numbers}>
        <dt>max</dt>
        <dd data-test={`figure5-max-${id}`}>{formatMagnitude(profile.maxAbsolute)}</dd>
        <dt>kurtosis</dt>
        <dd data-test={`figure5-kurtosis-${id}`}>{formatKurtosis(profile.kurtosis)}</dd>
        <dt>crest</dt>
        <dd data-test={`figure5-crest-${id}`}>{formatSignificant(crestFactor(profile), 3)}</dd>
      </dl>
    </Tooltip>
  )
}

/** The channel under the pointer, else the pinned one. */
function Readout({ id, profile }: { readonly id: string; readonly profile: ActivationProfile }) {
  const { pointedChannel: pointed, pinnedChannel: pinned } = useApp((state) => state.highlight)
  const channel = pointed ?? pinned
  const { channelMax, channelRms } = profile
  if (channel === null || channel >= channelMax.length) return null
  return (
    <p className={styles.readout} data-test={`figure5-channel-${id}`}>
      <b>channel {channel}</b>: max {formatMagnitude(channelMax[channel])}, rms {formatMagnitude(channelRms[channel])}
    </p>
  )
}

function Scaled() {
  return (
    <Tooltip
      label="After its channel scale: W takes the inverse, so magnitudes here do not compare with those of rows without a scale. Kurtosis and crest factor do."
      multiline
      w={260}
    >
      <span className={styles.note}>after its channel scale</span>
    </Tooltip>
  )
}

function Mixes() {
  return (
    <Tooltip
      label="Every channel after this transform is made of several channels before it: the same number is not the same channel."
      multiline
      w={240}
    >
      <span className={styles.note}>mixed</span>
    </Tooltip>
  )
}
