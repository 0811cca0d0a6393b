import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import { blockAt, scaleMap } from '../../figures/scale-map'
import { parseFormat } from '../../formats/format-text'
import { makeQuantizer } from '../../formats/quantizer'
import { shownBlock, shownMap } from '../../store/blocks-view'
import { mxChoices } from '../../store/mx-choices'
import { useTheme } from '../main/figure-look'
import { FigureData } from '../plot/FigureData'
import { Plot } from '../plot/Plot'
import { useActions, useApp } from '../use-app'
import styles from './blocks.module.css'

/** The part of Plotly's event that says where the click was. */
interface ClickEvent {
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

interface ClickableHost {
  on(event: 'plotly_click', handler: (event: ClickEvent) => void): void
}

/** Lets the map take the arrow keys. */
const KEYBOARD_TARGET = { tabIndex: 0 }
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
}

/** The shared exponents of the operand. A click opens a block, arrow keys move to its neighbours. */
export function BlockMapView() {
  const map = useApp(shownMap)
  const chosen = useApp((state) => {
    const block = shownBlock(state)
    return block && { row: block.row, block: block.block }
  })
  const format = useApp(({ setup, blocks }) =>
    blocks.operand === 'weight' ? setup.setting.weightFormat : setup.setting.activationFormat,
  )
  // Of the setting: a pre-scale that is tried on one block leaves the map alone.
  const choices = useApp((state) => mxChoices(state.setup))
  const { selectBlock } = useActions()
  const theme = useTheme()
  const model = useMemo(() => {
    const quantizer = format === null ? null : makeQuantizer(parseFormat(format), choices)
    return map && { map, quantizer, chosen }
  }, [map, format, choices, chosen])
  const figure = useMemo(() => model && scaleMap.build(model, theme), [model, theme])
  // Plotly keeps the first handler it is given.
  const click = useRef<(event: ClickEvent) => void>(() => {})
  useEffect(() => {
    click.current = ({ points: [point] }) => {
      if (!map || !point) return
      const { row, block } = blockAt(map, point.x, point.y)
      selectBlock(row, block)
    }
  }, [map, selectBlock])
  if (!model || !figure) return null
  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key]
    if (!step || !chosen) return
    event.preventDefault()
    const { rows, blocks } = model.map
    const within = (value: number, count: number) => Math.min(Math.max(value, 0), count - 1)
    selectBlock(within(chosen.row + step[0], rows), within(chosen.block + step[1], blocks))
  }
  return (
    <section
      className={styles.map}
      aria-label="Map; arrow keys move to the neighbouring block"
      data-test="blocks-map"
      onKeyDown={move}
      {...KEYBOARD_TARGET}
    >
      <Plot
        figure={figure}
        title={scaleMap.label}
        label={scaleMap.describe(model)}
        onFirstDrawn={(host) => (host as unknown as ClickableHost).on('plotly_click', (event) => click.current(event))}
      >
        <FigureData name={scaleMap.label} table={() => scaleMap.table(model)} />
      </Plot>
    </section>
  )
}
