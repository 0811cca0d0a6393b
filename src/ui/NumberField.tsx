import { NumberInput } from '@mantine/core'
import { Field } from './Field'

interface NumberFieldProps {
  readonly label: string
  readonly help: string
  readonly unit?: string
  readonly value: number | null
  readonly min: number
  readonly max: number
  readonly integer?: boolean
  /** What an empty field means, shown in it. Without one, an empty field changes nothing. */
  readonly empty?: string
  readonly hook?: string
  readonly half?: boolean
  readonly onChange: (value: number | null) => void
}

/** A number with its label, help, unit and range. Values out of range are brought into it when the field is left. */
export function NumberField(props: NumberFieldProps) {
  const { label, help, unit, value, min, max, integer = true, empty, hook, half, onChange } = props
  const take = (next: number | string) => {
    if (next === '') {
      if (empty !== undefined) onChange(null)
    } else if (typeof next === 'number' && next >= min && next <= max && next !== value) onChange(next)
  }
  return (
    <Field label={label} help={help} unit={unit} half={half}>
      {(ids) => (
        <NumberInput
          {...ids}
          size="xs"
          data-test={hook}
          value={value ?? ''}
          placeholder={empty}
          min={min}
          max={max}
          step={integer ? 1 : (max - min) / 100}
          allowDecimal={!integer}
          allowNegative={min < 0}
          clampBehavior="blur"
          onChange={take}
        />
      )}
    </Field>
  )
}
