import { useEffect, useMemo, useRef, useState } from 'react'
import type { ProfiledRow, RowFigure, RowOptions } from '../../figures/figure5'
import { methodStyle } from '../../figures/method-style'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useActions, useApp } from '../use-app'
import { type ChannelAxis, type PlotArea, usePointedChannel, usePointer, watchChannels } from './channel-pointer'
import styles from './figure5.module.css'

interface CellProps {
  readonly drawn: RowFigure
  readonly row: ProfiledRow
  readonly options: RowOptions
  /** null: the axis has no channels. */
  readonly axis: ChannelAxis | null
}

/** One figure of one row. Its lines over channels lie above the drawing, which stays as it is. */
export function Figure5Cell({ drawn, row, options, axis }: CellProps) {
  const figure = useMemo(() => drawn.build(row, options), [drawn, row, options])
  const [area, setArea] = useState<PlotArea | null>(null)
  const { point } = usePointer()
  const { setFigure5 } = useActions()
  const pinned = useApp((state) => state.figure5.look.channel)
  // Listeners are set once, when the figure is first drawn.
  const latest = useRef({ axis, pinned })
  useEffect(() => {
    latest.current = { axis, pinned }
  }, [axis, pinned])
  const channelAt = (share: number) => {
    const { axis: now } = latest.current
    return now ? now.channelAt(Math.min(Math.floor(share * now.count), now.count - 1)) : null
  }
  const watch = (host: HTMLElement) =>
    watchChannels(host, {
      onArea: setArea,
      onPoint: (share) => point(share === null ? null : channelAt(share)),
      onPick: (share) => {
        const channel = channelAt(share)
        setFigure5({ channel: channel === latest.current.pinned ? null : channel })
      },
    })
  const name = `${drawn.label}, ${row.method === null ? 'as loaded' : methodStyle(row.method, 'light').label}`
  return (
    <div className={styles.cell} data-figure={drawn.id}>
      <h3>{drawn.label}</h3>
      <div className={styles.drawing} data-channels={axis !== null}>
        <Plot
          figure={figure}
          title={name}
          label={drawn.describe(row, options)}
          captionHidden
          onFirstDrawn={axis === null ? undefined : watch}
        >
          <FigureData name={name} table={() => drawn.table(row, options)} />
        </Plot>
        {axis && area && <Marks axis={axis} area={area} pinned={pinned} />}
      </div>
    </div>
  )
}

interface MarksProps {
  readonly axis: ChannelAxis
  readonly area: PlotArea
  readonly pinned: number | null
}

function Marks({ axis, area, pinned }: MarksProps) {
  const pointed = usePointedChannel()
  const line = (channel: number | null, kind: 'pinned' | 'pointed') => {
    if (channel === null || channel >= axis.count) return null
    const left = area.left + (area.width * (axis.placeOf(channel) + 0.5)) / axis.count
    return <i className={styles.mark} data-mark={kind} style={{ left, top: area.top, height: area.height }} />
  }
  return (
    <span aria-hidden>
      {line(pinned, 'pinned')}
      {pointed === pinned ? null : line(pointed, 'pointed')}
    </span>
  )
}
