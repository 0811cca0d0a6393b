import { ActionIcon, Tooltip } from '@mantine/core'
import type { KeyboardEvent } from 'react'
import type { MethodFailure, MethodResult } from '../../experiment/result'
import { settingLabel } from '../../experiment/setting-text'
import { formatDecibels, formatKurtosis, formatMagnitude } from '../../figures/format-number'
import { methodStyle } from '../../figures/method-style'
import { savedOnScreen } from '../../store/saved-layer'
import { layerFacts, type TileModel, type TileStatus, tiles } from '../../store/selectors'
import type { CancelledRun } from '../../store/state'
import { cancelledText } from '../../store/unfinished'
import type { FigureView } from '../../store/views'
import { Enlarge, Reduce } from '../icons'
import { MethodMark } from '../MethodMark'
import { useMethodTarget } from '../method-target'
import { PanelState } from '../PanelState'
import { useActions, useApp } from '../use-app'
import type { FigureLook } from './figure-look'
import { TILE_FIGURE } from './figure-views'
import styles from './Tile.module.css'
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
  const target = useMethodTarget(id)
  const model = useApp((state) => tiles(state).find(({ method }) => method.id === id))
  if (!model) return null
  const { status, outcome } = model
  const result = outcome?.kind === 'result' ? outcome : null
  const name = methodStyle(id, 'light').label
  return (
    <article className={styles.tile} data-test={`tile-${id}`} data-result={status} aria-label={name} {...target}>
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
        {onEnlarge && <SizeButton {...{ id, name, enlarged }} onClick={onEnlarge} />}
      </header>
      {status === 'running' && <TileProgress />}
      {status === 'failed' && outcome?.kind === 'failure' && <Failure failure={outcome} />}
      {result && (
        <TILE_FIGURE.Component
          room={styles.figure}
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
  const title = useApp((state) => {
    const { device, run } = state
    if (savedOnScreen(state) !== null) return 'Not in this file'
    if (device.status === 'unavailable') return 'Needs WebGPU'
    return device.status !== 'lost' && run.end === null ? 'Waiting' : 'Not computed'
  })
  return <PanelState compact kind={title === 'Waiting' ? 'waiting' : 'empty'} title={title} />
}

interface SizeButtonProps {
  readonly id: string
  readonly name: string
  readonly enlarged: boolean
  readonly onClick: () => void
}

function SizeButton({ id, name, enlarged, onClick }: SizeButtonProps) {
  const { tip, target } = useHoverTip()
  return (
    <Tooltip label={enlarged ? 'Back to all tiles (Escape)' : 'Enlarge this tile'} {...tip}>
      <ActionIcon
        className={styles.size}
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={`${enlarged ? 'Reduce' : 'Enlarge'} ${name}`}
        data-test={`size-${id}`}
        data-size-button
        onClick={onClick}
        {...target}
        onKeyDown={(event) => {
          target.onKeyDown()
          moveBetweenTiles(event)
        }}
      >
        {enlarged ? <Reduce /> : <Enlarge />}
      </ActionIcon>
    </Tooltip>
  )
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

/** From a tile's size button, arrow keys lead to that of the tile before or after it. */
function moveBetweenTiles(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key]
  if (step === undefined) return
  event.preventDefault()
  const buttons = [...document.querySelectorAll<HTMLElement>('[data-size-button]')]
  buttons[buttons.indexOf(event.currentTarget) + step]?.focus()
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
  const isMixed = useApp((state) => tiles(state).some((other) => other.status === 'live'))
  if (outcome === null || !LEFT_OVER.includes(status)) return null
  return (
    <span className={styles.note}>
      {otherLayer ? 'previous layer' : `previous setting, ${settingLabel(outcome.setting)}`}
      {isMixed && outcome.kind === 'result' && ' · own axes'}
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
  const title = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
  const label = left.learning === null ? 'Run again' : 'Run again from step 0'
  return <PanelState compact kind="empty" title={title} actions={[{ label, onClick: run }]} />
}

function Failure({ failure: { error, method } }: { readonly failure: MethodFailure }) {
  const { accept, retry } = useActions()
  const { proposal } = error
  const help = proposal ? [{ label: `Use ${proposal.tokens} tokens`, onClick: () => accept(proposal) }] : []
  const title = (
    <>
      <strong>{error.code}</strong> {error.message}
    </>
  )
  const actions = [...help, { label: 'Retry', onClick: () => retry(method) }]
  return <PanelState compact kind="failed" title={title} actions={actions} />
}
