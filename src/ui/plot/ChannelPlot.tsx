import { type CSSProperties, useEffect, useRef, useState } from 'react'
import { chosenSpan, pickedBlock } from '../../store/highlight'
import { useActions, useApp } from '../use-app'
import { type ChannelAxis, channelAtShare, type PlotArea, type PlotPlace, pixelOf, watchChannels } from './channel-axis'
import styles from './channel-plot.module.css'
import { Plot, type PlotProps } from './Plot'

export interface ChannelPlotProps extends Omit<PlotProps, 'onFirstDrawn'> {
  readonly axis: ChannelAxis
  /** Its channels are made of several of the layer's input: the same number is not the same channel. */
  readonly mixed: boolean
  /** False where its channels are not those of the layer's input: they can be pointed at, not pinned. */
  readonly isInput?: boolean
  /** What stands below the number of a channel that is pointed at or pinned: its values, a line each. */
  readonly read?: (channel: number) => string
  /** Tokens along the y axis, in evaluation order: a click picks one of them, too. */
  readonly tokens?: number
}

/** The pointer this close to the pinned line means the line, in px. */
const REACH = 2

/** A figure over channels. Its lines lie above the drawing, which stays as it is while the pointer moves. */
export function ChannelPlot({ axis, mixed, isInput = true, tokens, read, ...plot }: ChannelPlotProps) {
  const [area, setArea] = useState<PlotArea | null>(null)
  const [picked, setPicked] = useState(false)
  const { pointChannel, pinChannel, pinCell } = useActions()
  const pinned = useApp(({ highlight }) => (isInput ? highlight.pinnedChannel : null))
  // Listeners are set once, when the figure is first drawn.
  const latest = useRef({ axis, mixed, isInput, tokens, pinned, area })
  useEffect(() => {
    latest.current = { axis, mixed, isInput, tokens, pinned, area }
  }, [axis, mixed, isInput, tokens, pinned, area])
  /** What is read is what a click pins. */
  const channelAt = ({ share, px }: PlotPlace) => {
    const { axis: now, pinned: line, area: drawn } = latest.current
    if (!drawn) return null
    const onLine =
      line !== null && line < now.count && Math.abs(pixelOf(now, drawn, now.placeOf(line) + 0.5) - px) <= REACH
    return onLine ? line : channelAtShare(now, drawn, share)
  }
  const watch = (host: HTMLElement) =>
    watchChannels(host, {
      onArea: (drawn) => {
        latest.current = { ...latest.current, area: drawn }
        setArea(drawn)
      },
      onPoint: (place) => pointChannel(place && channelAt(place), latest.current.mixed),
      onPick: (place) => {
        const channel = channelAt(place)
        const { isInput: pinnable, tokens: rows, mixed: made } = latest.current
        if (channel === null || !pinnable) return
        // A click may come before the frame that tells where the pointer is.
        pointChannel(channel, made)
        if (rows === undefined || place.y === null) pinChannel(channel)
        else {
          pinCell(channel, Math.min(Math.max(Math.round(place.y), 0), rows - 1))
          setPicked(!made)
        }
      },
    })
  return (
    <div className={styles.plot} data-channels={isInput}>
      <Plot {...plot} onFirstDrawn={watch} />
      {area && <Marks {...{ axis, area, pinned, mixed, isInput, read }} />}
      {picked && <Inspect />}
    </div>
  )
}

interface MarksProps extends Required<Pick<ChannelPlotProps, 'axis' | 'mixed' | 'isInput'>> {
  readonly read: ChannelPlotProps['read']
  readonly area: PlotArea
  readonly pinned: number | null
}

/** The pinned channel, the one under the pointer, and the channels of the block that was chosen in the Blocks view. */
function Marks({ axis, area, pinned, mixed, isInput, read }: MarksProps) {
  const pointed = useApp(({ highlight }) => highlight.pointedChannel)
  const span = useApp((state) => (isInput && axis.isPlain && !mixed ? chosenSpan(state) : null))
  const at = (places: number) => Math.min(Math.max(pixelOf(axis, area, places), 0), area.width)
  const { top, height } = area
  const line = (channel: number | null, kind: 'pinned' | 'pointed') => {
    if (channel === null || channel >= axis.count) return null
    const px = pixelOf(axis, area, axis.placeOf(channel) + 0.5)
    if (px < 0 || px > area.width) return null
    const label = [`${channel}${mixed ? ' mixed' : ''}`, ...(read ? [read(channel)] : [])].join('\n')
    // Below the label of the pin, whichever side either stands on.
    const lower = kind === 'pointed' && pinned !== null ? label.split('\n').length : 0
    return (
      <i
        className={styles.mark}
        data-mark={kind}
        data-mixed={mixed}
        data-number={channel}
        data-label={label}
        data-side={px > area.width / 2 ? 'left' : 'right'}
        style={{ left: area.left + px, top, height, '--lower': lower } as CSSProperties}
      />
    )
  }
  return (
    <span aria-hidden>
      {span && span.end <= axis.count && (
        <i
          className={styles.span}
          data-mark="block"
          style={{ left: area.left + at(span.start), width: at(span.end) - at(span.start), top, height }}
        />
      )}
      {line(pinned, 'pinned')}
      {pointed === pinned ? null : line(pointed, 'pointed')}
    </span>
  )
}

/** Opens the block of the picked cell, which lies in X as it is loaded. */
function Inspect() {
  const picked = useApp(pickedBlock)
  const { setView } = useActions()
  if (!picked) return null
  return (
    <button
      type="button"
      className={styles.inspect}
      data-test="inspect-cell"
      title="Opens this block of X as loaded in the Blocks view. Tokens count through calibration rows, then those held out."
      onClick={() => setView('blocks')}
    >
      Inspect token {picked.token}, block {picked.block}
    </button>
  )
}
