import { ActionIcon, Button, Tooltip } from '@mantine/core'
import type { MethodFailure, MethodResult } from '../../experiment/result'
import { settingLabel } from '../../experiment/setting-text'
import { formatDecibels, formatKurtosis, formatMagnitude } from '../../figures/format-number'
import { methodStyle } from '../../figures/method-style'
import { savedOnScreen } from '../../store/saved-layer'
import { emptyReason, layerFacts, type TileModel, type TileStatus, tiles } from '../../store/selectors'
import type { CancelledRun } from '../../store/state'
import { cancelledText } from '../../store/unfinished'
import type { FigureView } from '../../store/views'
import { Enlarge, Reduce } from '../icons'
import { MethodMark } from '../MethodMark'
import { useActions, useApp } from '../use-app'
import type { FigureLook } from './figure-look'
import styles from './Tile.module.css'
import { TileFigureView } from './TileFigureView'
import { TileProgress } from './TileProgress'
import { useHoverTip } from './use-hover-tip'

interface TileProps {
  readonly id: string
  readonly view: FigureView
  readonly look: FigureLook
  readonly enlarged: boolean
  /** null: it is the only tile and cannot be made larger. */
  readonly onEnlarge: (() => void) | null
}

/** One method: its name and headline, its figure, and where it stands in the run. */
export function Tile({ id, view, look, enlarged, onEnlarge }: TileProps) {
  const model = useApp((state) => tiles(state).find(({ method }) => method.id === id))
  if (!model) return null
  const { status, outcome } = model
  const result = outcome?.kind === 'result' ? outcome : null
  const name = methodStyle(id, 'light').label
  return (
    <article className={styles.tile} data-test={`tile-${id}`} data-result={status} aria-label={name}>
      <header className={styles.head}>
        <h2>
          <MethodMark id={id} /> {name}
        </h2>
        <p className={styles.small}>
          <Note model={model} />
          <SyntheticMark />
          {result && <Facts result={result} />}
        </p>
        {result && <Headline result={result} />}
        {onEnlarge && <SizeButton name={name} enlarged={enlarged} onClick={onEnlarge} />}
      </header>
      {status === 'running' && <TileProgress />}
      {status === 'failed' && outcome?.kind === 'failure' && <Failure failure={outcome} />}
      {result && (
        <TileFigureView
          view={view}
          result={result}
          options={status === 'live' ? look.current : look.previous}
          enlarged={enlarged}
        />
      )}
      {!result && status === 'waiting' && <Waiting />}
      {model.cancelled && <Cancelled run={model.cancelled} />}
    </article>
  )
}

function Waiting() {
  const text = useApp((state) => {
    const { device, run } = state
    if (state.source.pendingLink !== null) return emptyReason(state)
    if (savedOnScreen(state) !== null) return 'Not in this file'
    if (device.status === 'unavailable') return 'Needs WebGPU'
    return device.status !== 'lost' && run.end === null ? 'Waiting' : 'Not computed'
  })
  return <p className={styles.waiting}>{text}</p>
}

interface SizeButtonProps {
  readonly name: string
  readonly enlarged: boolean
  readonly onClick: () => void
}

function SizeButton({ name, enlarged, onClick }: SizeButtonProps) {
  const { tip, target } = useHoverTip()
  return (
    <Tooltip label={enlarged ? 'Back to all tiles (Escape)' : 'Enlarge this tile'} {...tip}>
      <ActionIcon
        className={styles.size}
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={`${enlarged ? 'Reduce' : 'Enlarge'} ${name}`}
        onClick={onClick}
        {...target}
      >
        {enlarged ? <Reduce /> : <Enlarge />}
      </ActionIcon>
    </Tooltip>
  )
}

function Facts({ result: { profile } }: { readonly result: MethodResult }) {
  return (
    <Tooltip label="Largest magnitude (unit of X) and kurtosis (3 for a Gaussian) of the activations that are quantized.">
      <span className={styles.facts}>
        max {formatMagnitude(profile.maxAbsolute)} · kurtosis {formatKurtosis(profile.kurtosis)}
      </span>
    </Tooltip>
  )
}

function Headline({ result: { evaluation, setting } }: { readonly result: MethodResult }) {
  const definition = `Output SQNR on ${evaluation.tokens} evaluation tokens under ${settingLabel(setting)}: −20 log10(‖Ŷ − Y‖ / ‖Y‖).`
  return (
    <Tooltip label={definition}>
      <strong className={styles.headline}>{formatDecibels(evaluation.outputSqnrDb)} dB</strong>
    </Tooltip>
  )
}

/** Where the result is not of the current setting. */
const LEFT_OVER: readonly TileStatus[] = ['stale', 'running', 'cancelled']

function Note({ model: { status, outcome, otherLayer } }: { readonly model: TileModel }) {
  if (outcome === null || !LEFT_OVER.includes(status)) return null
  return (
    <span className={styles.note}>
      {otherLayer ? 'previous layer' : `previous setting, ${settingLabel(outcome.setting)}`}
    </span>
  )
}

/** Synthetic activations are called so wherever their numbers stand. */
function SyntheticMark() {
  const description = useApp((state) => {
    const activations = layerFacts(state)?.activations
    return activations?.kind === 'synthetic' ? activations.description : null
  })
  if (description === null) return null
  return (
    <Tooltip label={`Activations: ${description}`}>
      <span className={styles.note}>synthetic X</span>
    </Tooltip>
  )
}

/** How far a cancelled run came, and how to start it again. */
function Cancelled({ run: left }: { readonly run: CancelledRun }) {
  const { run } = useActions()
  const text = cancelledText(left)
  return (
    <div className={styles.cancelled}>
      <p>{`${text.slice(0, 1).toUpperCase()}${text.slice(1)}`}</p>
      <Button size="compact-sm" variant="default" onClick={run}>
        Run again
      </Button>
    </div>
  )
}

function Failure({ failure }: { readonly failure: MethodFailure }) {
  const { retry } = useActions()
  return (
    <div className={styles.failure} role="alert">
      <p>
        <strong>{failure.error.code}</strong> {failure.error.message}
      </p>
      <Button size="compact-sm" variant="default" onClick={() => retry(failure.method)}>
        Retry
      </Button>
    </div>
  )
}
