import { Slider, Tooltip } from '@mantine/core'
import { useState } from 'react'
import styles from './rotation.module.css'

/** More dots than this are no help: then only the ends and zero have one. */
const MOST_MARKS = 12

interface ChoiceSliderProps<T> {
  readonly label: string
  /** One sentence: what it is, when one would change it. */
  readonly help: string
  readonly values: readonly T[]
  readonly value: T
  readonly text: (value: T) => string
  readonly hook: string
  /** What a double click on the label brings back. */
  readonly standard: T
  readonly onChange: (value: T) => void
}

/** A slider over a few values in order. Its value applies when the slider is let go, or a key is. */
export function ChoiceSlider<T>(props: ChoiceSliderProps<T>) {
  const { label, help, values, value, text, hook, standard, onChange } = props
  const [moved, setMoved] = useState<number | null>(null)
  const place = Math.max(values.indexOf(value), 0)
  const shown = moved ?? place
  const settle = (at: number) => {
    setMoved(null)
    if (at !== place) onChange(values[at])
  }
  const marks = values.flatMap((each, at) => {
    const named = at === 0 || at === values.length - 1 || each === 0
    if (named) return [{ value: at, label: text(each) }]
    return values.length <= MOST_MARKS ? [{ value: at }] : []
  })
  return (
    <Tooltip label={help} position="bottom">
      <div className={styles.slider} data-test={hook}>
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the slider beside it takes the keyboard */}
        <span className={styles.label} onDoubleClick={() => onChange(standard)}>
          {label}
        </span>
        <Slider
          size="sm"
          thumbLabel={label}
          label={(at) => text(values[at])}
          thumbValueText={text(values[shown])}
          classNames={{ markWrapper: styles.mark, markLabel: styles.markLabel }}
          thumbProps={{ 'aria-description': help }}
          min={0}
          max={values.length - 1}
          step={1}
          marks={marks}
          value={shown}
          onChange={setMoved}
          onChangeEnd={settle}
        />
        <span className={styles.value}>{text(values[shown])}</span>
      </div>
    </Tooltip>
  )
}
