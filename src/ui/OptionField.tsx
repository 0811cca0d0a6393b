import { NativeSelect } from '@mantine/core'
import type { OptionSpec, OptionValue } from '../core/options'
import { Field } from './Field'
import { NumberField } from './NumberField'

interface OptionFieldProps {
  readonly spec: OptionSpec
  readonly value: OptionValue
  readonly hook: string
  readonly onChange: (value: OptionValue) => void
}

/** One option of a method or a format: a select for a choice, a number field for a number. */
export function OptionField({ spec, value, hook, onChange }: OptionFieldProps) {
  const onReset = () => onChange(spec.default)
  if (spec.kind === 'choice') {
    return (
      <Field label={spec.label} help={spec.help} onReset={onReset}>
        {(ids) => (
          <NativeSelect
            {...ids}
            size="xs"
            data-test={hook}
            value={String(value)}
            onChange={({ currentTarget }) => onChange(currentTarget.value)}
            data={[...spec.choices]}
          />
        )}
      </Field>
    )
  }
  return (
    <NumberField
      label={spec.label}
      help={`${spec.help} Default ${spec.default}, ${spec.min} … ${spec.max}.`}
      value={Number(value)}
      min={spec.min}
      max={spec.max}
      integer={spec.integer}
      hook={hook}
      onReset={onReset}
      onChange={(number) => number !== null && onChange(number)}
    />
  )
}
