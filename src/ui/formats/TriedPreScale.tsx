import { Slider } from '@mantine/core'
import { PRE_SCALE_MAX, PRE_SCALE_MIN } from '../../formats/number-format'
import { NumberField } from '../NumberField'
import styles from './formats.module.css'

const STEP = 0.01

interface TriedPreScaleProps {
  /** The factor in force; 1 changes nothing. */
  readonly factor: number
  /** Whether it is another than the setting's. */
  readonly tried: boolean
  /** Why it changes nothing on screen; null when it does. */
  readonly obstacle: string | null
  readonly hook: string
  /** null: as in the setting. */
  readonly onChange: (factor: number | null) => void
}

/** A pre-scale to try on what is on screen. Nothing is computed anew but the drawing; the setting stays as it is. */
export function TriedPreScale({ factor, tried, obstacle, hook, onChange }: TriedPreScaleProps) {
  const disabled = obstacle !== null
  return (
    <div className={styles.preScale}>
      <NumberField
        label="Pre-scale"
        help={`Factor on the elements of 4-bit MX formats before rounding, undone after; 1 is none. Tried here only: the setting stays.${disabled ? ` ${obstacle}` : ''}`}
        value={factor}
        min={PRE_SCALE_MIN}
        max={PRE_SCALE_MAX}
        integer={false}
        step={STEP}
        disabled={disabled}
        hook={hook}
        onReset={() => onChange(null)}
        onChange={(value) => value !== null && onChange(value)}
        beside={
          <Slider
            size="sm"
            data-test={`${hook}-slider`}
            thumbLabel="Pre-scale to try"
            disabled={disabled}
            min={PRE_SCALE_MIN}
            max={PRE_SCALE_MAX}
            step={STEP}
            label={(value) => value.toFixed(2)}
            value={factor}
            onChange={(value) => onChange(Number(value.toFixed(2)))}
          />
        }
      />
      {tried && (
        <button type="button" className={styles.plain} data-test={`${hook}-reset`} onClick={() => onChange(null)}>
          As in the setting
        </button>
      )}
    </div>
  )
}
