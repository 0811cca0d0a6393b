import { lazy, memo, type ReactNode, Suspense, useMemo } from 'react'
import type { MethodResult } from '../../experiment/result'
import { readChannel } from '../../figures/envelope'
import type { FigureOptions } from '../../figures/figure'
import { formatDecibels } from '../../figures/format-number'
import { methodStyle } from '../../figures/method-style'
import { withChannel } from '../../figures/surface'
import { mixesChannels } from '../../store/figure5'
import type { FigureView } from '../../store/views'
import { PanelState } from '../PanelState'
import { ChannelPlot } from '../plot/ChannelPlot'
import { plainAxis } from '../plot/channel-axis'
import { FigureData } from '../plot/FigureData'
import { Plot, type PlotProps } from '../plot/Plot'
import { useApp } from '../use-app'
import { tileFigure } from './figures'
import styles from './Tile.module.css'

const Surface = lazy(async () => ({ default: (await import('../plot/Surface')).Surface }))

interface TileFigureProps {
  readonly view: FigureView
  readonly result: MethodResult
  readonly options: FigureOptions
  readonly enlarged: boolean
}

/** The figure of one result in the chosen view, with its caption and, enlarged, its numbers as a table. */
export const TileFigureView = memo(function TileFigureView({ view, result, options, enlarged }: TileFigureProps) {
  const surface = useApp((state) => state.view.surface)
  const drawn = tileFigure(view.figure)
  const figure = useMemo(() => drawn?.build(result, options), [drawn, result, options])
  if (!drawn || !figure) return null
  const label = drawn.describe(result, options)
  const title = figureTitle(result)
  const data = enlarged ? (
    <>
      <Notes notes={result.notes} />
      <FigureData
        name={`${drawn.label}, ${methodStyle(result.method, 'light').label}`}
        table={() => drawn.table(result, options)}
      />
    </>
  ) : null
  return (
    <div className={styles.figure} data-enlarged={enlarged}>
      {view.id === 'surface' && surface === '3d' ? (
        <Suspense fallback={<PanelState compact kind="working" title="Loading the surface" />}>
          <SurfaceFigure {...{ result, options, enlarged, title, label }} flat={figure}>
            {data}
          </SurfaceFigure>
        </Suspense>
      ) : (
        <Flat {...{ view, result, figure, title, label, enlarged }}>{data}</Flat>
      )}
    </div>
  )
})

interface FlatProps extends Omit<TileFigureProps, 'options'>, Pick<PlotProps, 'figure' | 'title' | 'label'> {
  readonly children: ReactNode
}

/** Figures over channels share the channel under the pointer and the pinned one. */
function Flat({ view, result, children, ...plot }: FlatProps) {
  const mixed = useApp((_, vocabulary) => mixesChannels(vocabulary, result.method))
  const { channelMax, map } = result.profile
  const isLine = view.id === 'channels'
  const axis = useMemo(() => plainAxis(channelMax.length, -0.5, isLine ? channelMax : undefined), [channelMax, isLine])
  const shown = { ...plot, captionHidden: !plot.enlarged, children }
  if (!isLine && view.id !== 'surface') return <Plot {...shown} />
  if (isLine) return <ChannelPlot {...shown} {...{ axis, mixed }} read={(channel) => readChannel(result, channel)} />
  return <ChannelPlot {...shown} {...{ axis, mixed }} tokens={map.tokens} />
}

interface SurfaceFigureProps extends Omit<TileFigureProps, 'view'> {
  readonly title: string
  readonly label: string
  readonly children: ReactNode
  readonly flat: ReturnType<NonNullable<ReturnType<typeof tileFigure>>['build']>
}

function SurfaceFigure({ result, options, enlarged, title, label, flat, children }: SurfaceFigureProps) {
  const pinned = useApp(({ highlight }) => highlight.pinnedChannel)
  const mixed = useApp((_, vocabulary) => mixesChannels(vocabulary, result.method))
  const figure = useMemo(() => {
    const plain = tileFigure('surface')?.build(result, options)
    return plain === undefined || pinned === null ? plain : withChannel(plain, { channel: pinned, mixed })
  }, [result, options, pinned, mixed])
  if (!figure) return null
  return (
    <Surface {...{ figure, flat, title, label, enlarged }} captionHidden={!enlarged}>
      {children}
    </Surface>
  )
}

/** Glyph, method and headline number, as the head of the tile has them. */
function figureTitle({ method, evaluation }: MethodResult): string {
  const { glyph, label } = methodStyle(method, 'light')
  return `${glyph} ${label} · ${formatDecibels(evaluation.outputSqnrDb)} dB output SQNR`
}

/** What the method had to decide or leave out. */
function Notes({ notes }: { readonly notes: readonly string[] }) {
  if (notes.length === 0) return null
  return (
    <ul className={styles.notes} data-test="tile-notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  )
}
