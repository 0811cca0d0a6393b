import { TextInput } from '@mantine/core'
import { type ComponentProps, type PointerEvent, useRef } from 'react'
import type { FieldIds } from './Field'
import styles from './Field.module.css'
import { ChevronDown } from './icons'
import { stepNumber } from './step-number'

interface NumberBoxProps {
  readonly ids: FieldIds
  readonly hook?: string
  /** What stands in the box; need not be a number. */
  readonly text: string
  readonly invalid: boolean
  readonly placeholder?: string
  readonly disabled?: boolean
  readonly integer: boolean
  readonly min: number
  readonly max: number
  readonly step: number
  readonly onType: (text: string) => void
  readonly onSettle: () => void
}

/** Neither digit, sign, exponent nor separator: not taken. */
const FOREIGN = /[^\d.,eE+-]/g

/** A text box for a number: arrow keys and the two buttons at its end go a step up or down. */
export function NumberBox(props: NumberBoxProps) {
  const { ids, hook, text, invalid, placeholder, disabled, integer, min, max, step, onType, onSettle } = props
  const input = useRef<HTMLInputElement>(null)
  const go = (direction: 1 | -1) => onType(stepNumber(text, direction * step, { min, max }))
  const onKeyDown: ComponentProps<'input'>['onKeyDown'] = (event) => {
    if (event.key === 'Enter') onSettle()
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    event.preventDefault()
    go(event.key === 'ArrowUp' ? 1 : -1)
  }
  return (
    <TextInput
      {...ids}
      ref={input}
      size="xs"
      data-test={hook}
      inputMode={integer ? 'numeric' : 'decimal'}
      autoComplete="off"
      value={text}
      error={invalid}
      placeholder={placeholder}
      disabled={disabled}
      rightSectionWidth={17}
      rightSectionPointerEvents="all"
      rightSection={
        <Steppers
          canRise={!disabled && !(Number(text) >= max)}
          canFall={!disabled && !(text !== '' && Number(text) <= min)}
          onStep={(direction) => {
            // The box takes the focus, so that leaving it applies the number.
            input.current?.focus()
            go(direction)
          }}
        />
      }
      onChange={({ currentTarget }) => onType(currentTarget.value.replace(FOREIGN, '').replace(',', '.'))}
      onBlur={onSettle}
      onKeyDown={onKeyDown}
    />
  )
}

interface SteppersProps {
  readonly canRise: boolean
  readonly canFall: boolean
  readonly onStep: (direction: 1 | -1) => void
}

/** For the pointer alone: the arrow keys of the box do the same. */
function Steppers({ canRise, canFall, onStep }: SteppersProps) {
  const press = (direction: 1 | -1) => (event: PointerEvent) => {
    event.preventDefault()
    onStep(direction)
  }
  return (
    <span className={styles.steps} aria-hidden onMouseDown={(event) => event.preventDefault()}>
      <button type="button" tabIndex={-1} disabled={!canRise} data-direction="up" onPointerDown={press(1)}>
        <ChevronDown />
      </button>
      <button type="button" tabIndex={-1} disabled={!canFall} data-direction="down" onPointerDown={press(-1)}>
        <ChevronDown />
      </button>
    </span>
  )
}
