import { ActionIcon, Button, Tooltip } from '@mantine/core'
import type { MethodFailure, MethodResult } from '../../experiment/result'
import { formatDecibels, formatMagnitude } from '../../figures/format-number'
import { methodStyle } from '../../figures/method-style'
import { layerFacts, type TileModel, tiles } from '../../store/selectors'
import type { View } from '../../store/views'
import { Enlarge, Reduce } from '../icons'
import { MethodMark } from '../MethodMark'
import { useActions, useApp } from '../use-app'
import type { FigureLook } from './figure-look'
import styles from './Tile.module.css'
import { TileFigureView } from './TileFigureView'
import { TileProgress } from './TileProgress'

interface TileProps {
  readonly id: string
  readonly view: View
  readonly look: FigureLook
  readonly enlarged: boolean
  readonly onEnlarge: () => void
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
        <Note model={model} />
        <SyntheticMark />
        {result && <Headline result={result} />}
        <Tooltip label={enlarged ? 'Back to all tiles' : 'Enlarge this tile'}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={`${enlarged ? 'Reduce' : 'Enlarge'} ${name}`}
            onClick={onEnlarge}
          >
            {enlarged ? <Reduce /> : <Enlarge />}
          </ActionIcon>
        </Tooltip>
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
    </article>
  )
}

function Waiting() {
  const text = useApp(({ device, run }) => {
    if (device.status === 'unavailable') return 'Needs WebGPU'
    return device.status !== 'lost' && run.end === null ? 'Waiting' : 'Not computed'
  })
  return <p className={styles.waiting}>{text}</p>
}

function Headline({ result }: { readonly result: MethodResult }) {
  const { evaluation, profile } = result
  const definition = `Output SQNR on ${evaluation.tokens} evaluation tokens under ${result.setting}: −20 log10(‖Ŷ − Y‖ / ‖Y‖).`
  return (
    <>
      <Tooltip label="Largest magnitude (unit of X) and kurtosis (3 for a Gaussian) of the activations that are quantized.">
        <span className={styles.facts}>
          max {formatMagnitude(profile.maxAbsolute)} · k {formatMagnitude(profile.kurtosis)}
        </span>
      </Tooltip>
      <Tooltip label={definition}>
        <strong className={styles.headline}>{formatDecibels(evaluation.outputSqnrDb)} dB</strong>
      </Tooltip>
    </>
  )
}

function Note({ model: { status, outcome, otherLayer } }: { readonly model: TileModel }) {
  if (outcome === null || (status !== 'stale' && status !== 'running')) return null
  return <span className={styles.note}>{otherLayer ? 'previous layer' : `previous setting, ${outcome.setting}`}</span>
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
