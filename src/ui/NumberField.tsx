import type { ReactNode } from 'react'
import { Field } from './Field'
import styles from './Field.module.css'
import { NumberBox } from './NumberBox'
import { useNumberEdit } from './use-number-edit'

interface NumberFieldProps {
  readonly label: string
  readonly help: string
  readonly unit?: string
  /** What its "?" explains (help/topics.ts). */
  readonly topics?: readonly string[]
  /** The value in force. */
  readonly value: number | null
  readonly min: number
  readonly max: number
  readonly integer?: boolean
  /** What an empty field means, shown in it. Without one, a number is expected. */
  readonly empty?: string
  readonly hook?: string
  readonly half?: boolean
  readonly disabled?: boolean
  /** How far one press of an arrow key goes; without one, 1 for whole numbers and a hundredth of the range for others. */
  readonly step?: number
  /** Stands before the number, in the same field. */
  readonly beside?: ReactNode
  readonly onReset?: () => void
  readonly onChange: (value: number | null) => void
}

/**
 * A number with its label, help, unit and range. A valid number applies after a pause in typing, on Enter or when the
 * field is left; anything else changes nothing, says the valid range, and gives way to the value in force.
 */
export function NumberField(props: NumberFieldProps) {
  const { label, help, unit, value, min, max, integer = true, empty, hook, half, onChange } = props
  const { disabled, step, beside, topics, onReset } = props
  const { text, invalid, error, type, settle } = useNumberEdit({
    value,
    min,
    max,
    integer,
    optional: empty !== undefined,
    onChange,
  })
  return (
    <Field
      label={label}
      help={help}
      unit={unit}
      topics={topics}
      half={half}
      error={error === null ? undefined : `${label}: ${error}.`}
      onReset={onReset}
    >
      {(ids) => {
        const input = (
          <NumberBox
            ids={ids}
            hook={hook}
            text={String(text)}
            invalid={invalid}
            placeholder={empty}
            disabled={disabled}
            integer={integer}
            min={min}
            max={max}
            step={step ?? (integer ? 1 : (max - min) / 100)}
            onType={type}
            onSettle={settle}
          />
        )
        return beside ? (
          <div className={styles.pair}>
            {beside}
            {input}
          </div>
        ) : (
          input
        )
      }}
    </Field>
  )
}
